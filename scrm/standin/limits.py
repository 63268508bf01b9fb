"""Call counts, frequency limits (45009) and concurrency caps (45033) of each API (wecom-api.md §1.3)."""

from __future__ import annotations

import time
from collections import Counter, deque

from .errors import Refusal
from .settings import Settings

MINUTE, HOUR = 60.0, 3600.0


class _Window:
    """Calls of the last `span` seconds, by buckets of a hundredth of it."""

    def __init__(self, span: float) -> None:
        self._step = span / 100
        self._span = span
        self._buckets: deque[list[float]] = deque()
        self._total = 0.0

    def add(self, now: float) -> float:
        """Count a call; calls in the window now."""
        if not self._buckets or now - self._buckets[-1][0] >= self._step:
            self._buckets.append([now, 0.0])
        self._buckets[-1][1] += 1
        self._total += 1
        while now - self._buckets[0][0] >= self._span:
            self._total -= self._buckets.popleft()[1]
        return self._total


class Limits:
    """State per API of one corp."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._windows: dict[str, tuple[_Window, _Window]] = {}
        self._blocked: dict[str, float] = {}
        self._running: Counter[str] = Counter()

    def enter(self, api: str) -> None:
        """Count a call that begins: 45009 while blocked or above a limit, 45033 when too many run at once."""
        now = time.monotonic()
        if self._blocked.get(api, 0.0) > now:
            raise Refusal(45009)
        minute, hour = self._windows.setdefault(api, (_Window(MINUTE), _Window(HOUR)))
        settings = self._settings
        if minute.add(now) > _of(settings.per_minute, api):
            self._block(api, now, settings.block_seconds)
        if hour.add(now) > _of(settings.per_hour, api):
            self._block(api, now, HOUR)
        if self._running[api] >= _of(settings.concurrency, api):
            raise Refusal(45033)
        self._running[api] += 1

    def leave(self, api: str) -> None:
        """A call that entered has ended."""
        self._running[api] -= 1

    def _block(self, api: str, now: float, seconds: float) -> None:
        self._blocked[api] = now + seconds
        self._windows.pop(api, None)
        raise Refusal(45009)


def _of(table: dict[str, int], api: str) -> int:
    return table.get(api, table.get("*", 10_000))


class CallCounts:
    """How often each API was called and what it answered."""

    def __init__(self) -> None:
        self._calls: Counter[str] = Counter()
        self._answers: dict[str, Counter[str]] = {}

    def add(self, api: str, answer: str) -> None:
        """Count one call with its errcode (as text) or its end: `dropped`, `status 503`."""
        self._calls[api] += 1
        self._answers.setdefault(api, Counter())[answer] += 1

    def of(self, api: str) -> int:
        """Calls of one API so far."""
        return self._calls[api]

    def as_dict(self) -> dict[str, dict[str, object]]:
        """`{api: {"calls", "rejected", "answers": {errcode: n}}}`."""
        table: dict[str, dict[str, object]] = {}
        for api, calls in sorted(self._calls.items()):
            answers = dict(self._answers[api])
            table[api] = {"calls": calls, "rejected": calls - answers.get("0", 0), "answers": answers}
        return table

    def clear(self) -> None:
        """Start again from nothing."""
        self._calls.clear()
        self._answers.clear()
