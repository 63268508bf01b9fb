"""Storing within the platform's patience, also while PostgreSQL hangs: then one request at a time tries it out.

The others are refused at once and tried again by the platform, so that no thread of the web server is lost to waiting.
"""

import threading
import time

from django.db import DatabaseError, InterfaceError, connection

from scrm.base.patience import patience
from scrm.wecom.callback import inbox

SECONDS = 3.0  # of the 5 s that WeCom waits
TRIAL_PAUSE = 1.0  # seconds before the next one tries it out: who waited SECONDS for a seat must not wait again
QUICK_SECONDS = 1.0  # an error within this time is a broken connection or a server that is down, not one that hangs

_hanging = threading.Event()
_trying = threading.Lock()
_next_trial = 0.0  # by the monotonic clock


class Hanging(Exception):
    """PostgreSQL did not answer in time just now, and another request is finding out whether it does again."""


def store_in_time(message: bytes) -> inbox.Stored:
    """As `inbox.store`, within the platform's patience.

    Raises Hanging, or the database's error; that is no proof that nothing was stored.
    """
    if not _hanging.is_set():
        return _store(message)
    if time.monotonic() < _next_trial or not _trying.acquire(blocking=False):
        raise Hanging
    try:
        stored = _store(message)
        _hanging.clear()
        return stored
    finally:
        _trying.release()


def _store(message: bytes) -> inbox.Stored:
    global _next_trial
    begun = time.monotonic()
    try:
        with patience(SECONDS):
            connection.close_if_unusable_or_obsolete()  # Django does that by a signal, around requests of its own
            # a question less: a broken connection shows here
            connection.health_check_done = True  # type: ignore[attr-defined]
            return _store_twice(message, begun)
    except (DatabaseError, InterfaceError):
        connection.close()
        if time.monotonic() - begun > QUICK_SECONDS:
            _next_trial = time.monotonic() + TRIAL_PAUSE
            _hanging.set()
        raise


def _store_twice(message: bytes, begun: float) -> inbox.Stored:
    """Once more on a fresh connection where the old one was broken: storing twice is storing once (the digest)."""
    try:
        return inbox.store(message)
    except (DatabaseError, InterfaceError):
        connection.close()
        if time.monotonic() - begun > QUICK_SECONDS:
            raise
    return inbox.store(message)
