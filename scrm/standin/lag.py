"""Reads that are late: for a while after a change an entity still answers as it was before.

Changes become visible in their order; each entity keeps the states that readers may still see.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Hashable
from typing import Any, TypeVar, cast

State = TypeVar("State")


class Lag:
    """Old states by entity. An entity with nothing pending costs nothing."""

    def __init__(self) -> None:
        self._pending: dict[Hashable, deque[tuple[float, Any]]] = {}

    def note(self, key: Hashable, before: object, seconds: float) -> None:
        """Say that `key` was `before` until now and that readers learn of it `seconds` later."""
        if seconds <= 0 and key not in self._pending:
            return
        queue = self._pending.setdefault(key, deque())
        visible = time.monotonic() + seconds
        if queue:
            visible = max(visible, queue[-1][0])
        queue.append((visible, before))

    def view(self, key: Hashable, current: State) -> State:
        """What a reader sees now: the state before the first change that is not visible yet."""
        if not self._pending or (queue := self._pending.get(key)) is None:
            return current
        now = time.monotonic()
        while queue and queue[0][0] <= now:
            queue.popleft()
        if not queue:
            del self._pending[key]
            return current
        return cast("State", queue[0][1])

    def waiting(self) -> list[Hashable]:
        """Keys with a change that some reader may not see yet."""
        return [key for key in list(self._pending) if self._alive(key)]

    def _alive(self, key: Hashable) -> bool:
        queue = self._pending[key]
        if queue[-1][0] > time.monotonic():
            return True
        del self._pending[key]
        return False

    def settle(self) -> None:
        """Make every change visible at once."""
        self._pending.clear()
