"""How long a thread waits for PostgreSQL. A server that hangs says nothing, so no time-out of its own can help: the
connection is cut from our side, and whatever waits on it raises OperationalError."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpRequest, HttpResponseBase

from scrm.base.threads import Background

PAGE_SECONDS = 60.0  # proxies give a page up by then
_LOOK = 0.2  # seconds between looks for waits that are over

_lock = threading.Lock()
_waits: dict[int, tuple[float, Any]] = {}  # thread → (monotonic end, Django's connection of the thread)


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """The thread's connection is cut when the block is not over by then. Blocks may be nested: the shorter wait counts."""
    me, until = threading.get_ident(), time.monotonic() + seconds
    with _lock:
        before = _waits.get(me)
        _waits[me] = (min(until, before[0]) if before else until, connections[DEFAULT_DB_ALIAS])
        _watch.ensure()
    try:
        yield
    finally:
        with _lock:
            if before:
                _waits[me] = before
            else:
                _waits.pop(me, None)  # not there in a child that was forked within the block


class PatientPages:
    """Middleware: no page waits longer than PAGE_SECONDS, or the threads of a web server would all end up waiting."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with patience(PAGE_SECONDS):
            return self.get_response(request)


def _watch_for_ever() -> None:
    while True:
        time.sleep(_LOOK)
        now = time.monotonic()
        with _lock:  # nobody leaves a block meanwhile, so it is the right connection that is cut
            for until, wrapper in _waits.values():
                if now > until:
                    _cut(wrapper.connection)


def _begin_anew() -> None:
    """In a forked child: waits of the parent's threads are on the parent's connections."""
    global _lock, _waits
    _lock, _waits = threading.Lock(), {}


_watch = Background(_watch_for_ever, "patience", begin_anew=_begin_anew)


def _cut(connection: Any) -> None:
    """Ends the TCP connection under a psycopg2 connection that another thread waits on. None: not open (yet)."""
    if connection is None or connection.closed:
        return
    with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)
