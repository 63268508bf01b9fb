"""A forked child goes on where a thread of its parent held a lock at that moment."""

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from scrm.base import patience
from scrm.base.work import doorbell
from scrm.wecom.callback import counters


def rings() -> None:
    doorbell.ring("mirror:contact")


def counts() -> None:
    counters.count("stored")


def waits() -> None:
    with patience.patience(60):
        pass


@pytest.mark.parametrize(
    ("held", "does"),
    [
        (lambda: doorbell._lock, rings),
        (lambda: vars(doorbell._wake)["_cond"], rings),
        (lambda: counters._lock, counts),
        (lambda: patience._lock, waits),
    ],
    ids=["doorbell", "doorbell, waking", "counters", "patience"],
)
def test_a_child_does_not_inherit_a_held_lock(
    committed: None, held: Callable[[], Any], does: Callable[[], None]
) -> None:
    holds, over = threading.Event(), threading.Event()

    def hold() -> None:
        with held():
            holds.set()
            over.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    assert holds.wait(10)
    child = os.fork()
    if child == 0:
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(10)
            does()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    over.set()
    holder.join()

    assert os.waitstatus_to_exitcode(status) == 0
