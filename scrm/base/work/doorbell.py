"""The doorbell: tells workers that a lane has work. Losing a ring costs a poll interval, nothing else.

Rings are coalesced and published by a thread of this process, so that a hanging Redis never delays a request.
"""

import threading
import time

from django.db import connection, transaction

from scrm.base.threads import Background
from scrm.base.work.lanes import lanes

_PAUSE = 0.05  # seconds after a message in which further rings become one
_rung: set[str] = set()
_wake = threading.Event()
_lock = threading.Lock()


def ring_after_commit(*names: str) -> None:
    """Rings when the caller's transaction has committed (at once outside of one)."""
    if connection.in_atomic_block:
        transaction.on_commit(lambda: ring(*names), robust=True)
    else:
        ring(*names)


def ring(*names: str) -> None:
    """Asks for rings; returns at once."""
    if _rung.issuperset(names):
        return  # asked for, and not taken up yet: that ring comes after this
    with _lock:
        _rung.update(names)
        _publisher.ensure()
    _wake.set()


def _publish_for_ever() -> None:
    while True:
        _wake.wait()
        _wake.clear()
        with _lock:
            due = sorted(_rung)
            _rung.clear()
        for lane in due:
            _publish(lane)
        time.sleep(_PAUSE)


def _begin_anew() -> None:
    """In a forked child: what the parent was asked for is the parent's to publish."""
    global _rung, _wake, _lock
    _rung, _wake, _lock = set(), threading.Event(), threading.Lock()


_publisher = Background(_publish_for_ever, "doorbell", begin_anew=_begin_anew)


def _publish(lane: str) -> None:
    from scrm.base.tasks import ring_lane  # Celery is loaded only by processes that ring

    try:
        ring_lane.apply_async((lane,), queue=lanes[lane].queue, expires=5, retry=False, ignore_result=True)
    except Exception:  # the bell is a convenience: workers poll
        time.sleep(0.5)
