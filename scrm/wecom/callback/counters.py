"""What came to the callback address and how it was answered, counted per process and flushed to Redis by a thread."""

import threading
import time
from typing import cast

from scrm.base.redis import client
from scrm.base.threads import Background

OUTCOMES = (
    "stored",
    "repeated",
    "bad_envelope",
    "too_large",
    "storage_unavailable",
    "verified",
    "not_configured",
)
_KEY = "callback:outcomes"
_counts: dict[str, int] = {}
_lock = threading.Lock()


def count(outcome: str) -> None:
    """One request more with this outcome."""
    with _lock:
        _counts[outcome] = _counts.get(outcome, 0) + 1
        _flusher.ensure()


def totals() -> dict[str, int]:
    """All outcomes since Redis was last emptied; zeros when Redis is away."""
    try:
        found = cast("dict[str, str]", client().hgetall(_KEY))
    except Exception:  # a counter is no reason to fail
        found = {}
    return {name: int(found.get(name, 0)) for name in OUTCOMES}


def _flush_for_ever() -> None:
    while True:
        time.sleep(0.5)
        with _lock:
            due = dict(_counts)
            _counts.clear()
        if not due:
            continue
        try:
            pipe = client().pipeline(transaction=False)
            for outcome, number in due.items():
                pipe.hincrby(_KEY, outcome, number)
            pipe.execute()
        except Exception:  # Redis is away: the counts wait here
            with _lock:
                for outcome, number in due.items():
                    _counts[outcome] = _counts.get(outcome, 0) + number


def _begin_anew() -> None:
    """In a forked child: what the parent has counted the parent flushes."""
    global _counts, _lock
    _counts, _lock = {}, threading.Lock()


_flusher = Background(_flush_for_ever, "callback-counters", begin_anew=_begin_anew)
