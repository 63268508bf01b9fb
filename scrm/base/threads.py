"""Threads that a process keeps for itself."""

import os
import threading
from collections.abc import Callable


class Background:
    """One daemon thread a process, started at first need; again after a fork, which takes no threads along."""

    def __init__(self, work: Callable[[], None], name: str, *, begin_anew: Callable[[], None]) -> None:
        """`begin_anew` replaces, in a forked child, what the thread shares with others: a lock that one of the parent's
        threads held at that moment would stay locked in the child for ever."""
        self._work = work
        self._begin_anew = begin_anew
        self._name = name
        self._thread: threading.Thread | None = None
        os.register_at_fork(after_in_child=self._forget)

    def ensure(self) -> None:
        """Starts the thread unless this process has it. The caller holds its own lock, so that only one is started."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()

    def _forget(self) -> None:
        self._thread = None
        self._begin_anew()
