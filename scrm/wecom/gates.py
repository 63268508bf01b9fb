"""Who lets a call through: one gate in Redis for all processes, one in this process (always, and alone without Redis).

Both know the pauses after a 45009, the calls in flight, and the token buckets of `scrm.wecom.budget`.
"""

import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import cast

from django.conf import settings
from redis import Redis

from scrm.base import redis
from scrm.wecom import budget
from scrm.wecom.gatescripts import ENTER, LEAVE, NARROW, PAUSE

PAUSE_SECONDS = 60.0  # the platform's block after too many calls in a minute (wecom-api.md §1.3)
PAUSE_MARGIN = 0.5  # its block began before we heard of it; this is for clocks that differ
LONGEST_PAUSE = 3600.0  # its block after too many calls in an hour
RELAPSE_SECONDS = 10.0  # refused again so soon after a pause: the block is a longer one, so the pause doubles
NARROW_SECONDS = 60.0
LEASE_SECONDS = 60.0  # a call in flight that nobody took back: its process died
RESERVED_FOR_URGENT = 1 / 4  # of all calls in flight, kept free for welcomes
ALONE_SHARE = 1 / 4  # of the budget, for a process that can't see what the others take


@dataclass(frozen=True, slots=True)
class Answer:
    """A gate's answer: `admitted`, or seconds to wait. `paused`: waiting a little can't help."""

    admitted: bool
    wait: float = 0.0
    paused: bool = False


# What each process saw last in the shared buckets: (scope, API) → (monotonic time, calls left by window). One that Redis
# has lost meanwhile starts from there: neither full, as if nothing had been spent, nor empty in the middle of a rush.
_seen: dict[tuple[str, str], tuple[float, list[int]]] = {}
_SEEN_SECONDS = 60.0


ADMITTED = Answer(True)
CROWDED = Answer(False, 0.02)


def forget() -> None:
    """As a process that has just begun."""
    _seen.clear()


def new_ticket() -> str:
    return uuid.uuid4().hex


def room(urgent: bool) -> int:
    """How many calls may be in flight in all for this one to start."""
    most = max(2, settings.WECOM_CONCURRENCY)
    return most if urgent else max(1, int(most * (1 - RESERVED_FOR_URGENT)))


class SharedGate:
    """The gate of all processes, in Redis by Redis's clock. Every method raises `redis.Away`."""

    def __init__(self, scope: str) -> None:
        self._scope = scope

    def _key(self, *parts: str) -> str:
        return ":".join(("wecom", self._scope, *parts))

    def enter(self, api: str, ticket: str, *, urgent: bool) -> Answer:
        keys = [
            self._key("pause", api),
            self._key("cap", api),
            self._key("flight"),
            self._key("flight", api),
            self._key("minute", api),
            self._key("hour", api),
        ]
        buckets = [
            value
            for window, start in zip(budget.windows(), self._starts(api), strict=True)
            for value in (window.rate, window.burst, start)
        ]
        arguments: list[str | int | float] = [
            ticket,
            int(LEASE_SECONDS * 1000),
            room(urgent),
            room(False),
            int(urgent),
            *buckets,
        ]
        said, milliseconds, *left = redis.attempt(lambda client: client.register_script(ENTER)(keys, arguments))
        if said == "in":
            _seen[self._scope, api] = (time.monotonic(), left)
            return ADMITTED
        return Answer(False, int(milliseconds) / 1000, paused=said == "paused")

    def _starts(self, api: str) -> list[float]:
        """What a bucket that is not there starts with, by window."""
        at, left = _seen.get((self._scope, api), (0.0, []))
        if left and time.monotonic() - at < _SEEN_SECONDS:
            return [float(calls) for calls in left]
        return [window.start for window in budget.windows()]

    def leave(self, api: str, ticket: str, *, code: int) -> None:
        keys = [self._key("flight"), self._key("flight", api), self._key("calls")]
        redis.attempt(lambda client: client.register_script(LEAVE)(keys, [ticket, api, code]))

    def pause(self, api: str) -> float:
        keys = [self._key("pause", api), self._key("relapses", api)]
        times = [PAUSE_SECONDS, LONGEST_PAUSE, PAUSE_MARGIN, RELAPSE_SECONDS]
        arguments = [int(seconds * 1000) for seconds in times]
        return int(redis.attempt(lambda client: client.register_script(PAUSE)(keys, arguments))) / 1000

    def narrow(self, api: str) -> None:
        keys = [self._key("cap", api), self._key("flight", api)]
        redis.attempt(lambda client: client.register_script(NARROW)(keys, [int(NARROW_SECONDS * 1000)]))

    def counts(self) -> tuple[list[dict[str, int]], dict[str, float]]:
        """Calls by API ("<api>", "<api> failed") of each of the last 60 minutes; seconds of pause left by API."""
        return redis.attempt(self._counts)

    def _counts(self, client: Redis) -> tuple[list[dict[str, int]], dict[str, float]]:
        clock = cast("tuple[int, int]", client.time())
        minute = clock[0] // 60
        hours = client.pipeline(transaction=False)
        for back in range(60):
            hours.hgetall(self._key("calls", str(minute - back)))
        minutes = [{name: int(calls) for name, calls in row.items()} for row in hours.execute()]
        apis = sorted({name for row in minutes for name in row if " " not in name})
        left = client.pipeline(transaction=False)
        for api in apis:
            left.pttl(self._key("pause", api))
        return minutes, {api: max(0, ms) / 1000 for api, ms in zip(apis, left.execute(), strict=True)}


@dataclass(slots=True)
class _State:
    """What this process knows about one API. Times are monotonic."""

    paused_until: float = 0.0
    relapses: int = 0
    narrow_until: float = 0.0
    cap: int = 0
    flying: int = 0
    buckets: dict[str, tuple[float, float]] = field(default_factory=dict)


class LocalGate:
    """The gate of this process. `alone`: Redis is away, so the buckets count here too, with a share of the budget."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[str, _State] = {}
        self._flying = 0

    def _state(self, api: str) -> _State:
        return self._states.setdefault(api, _State())

    def enter(self, api: str, ticket: str, *, urgent: bool, alone: bool = False) -> Answer:
        with self._lock:
            state, now = self._state(api), time.monotonic()
            if now < state.paused_until:
                return Answer(False, state.paused_until - now, paused=True)
            narrow = not urgent and now < state.narrow_until and state.flying >= state.cap
            if narrow or self._flying >= room(urgent):
                return CROWDED
            if alone and (wait := _take(state, now)):
                return Answer(False, wait)
            state.flying += 1
            self._flying += 1
            return ADMITTED

    def leave(self, api: str, ticket: str, *, code: int) -> None:
        with self._lock:
            self._state(api).flying -= 1
            self._flying -= 1

    def pause(self, api: str, seconds: float | None = None) -> float:
        """Pauses for what the shared gate says, or finds the time itself."""
        with self._lock:
            state, now = self._state(api), time.monotonic()
            if seconds is None and now >= state.paused_until:
                relapsed = now - state.paused_until < RELAPSE_SECONDS and state.paused_until > 0
                state.relapses = state.relapses + 1 if relapsed else 0
                seconds = min(LONGEST_PAUSE, PAUSE_SECONDS * 2**state.relapses) + PAUSE_MARGIN
            state.paused_until = max(state.paused_until, now + (seconds or 0.0))
            return state.paused_until - now

    def narrow(self, api: str) -> None:
        with self._lock:
            state = self._state(api)
            state.cap = max(1, state.flying // 2)
            state.narrow_until = time.monotonic() + NARROW_SECONDS


def _take(state: _State, now: float) -> float:
    """Takes one call from every bucket; 0.0 when that worked, else seconds to wait (and nothing is taken)."""
    after: dict[str, tuple[float, float]] = {}
    for window in budget.windows(ALONE_SHARE):
        held, at = state.buckets.get(window.name, (window.start, now))
        tokens = window.refilled(held, (now - at) * 1000)
        if tokens < 1:
            return window.wait(tokens)
        after[window.name] = (tokens - 1, now)
    state.buckets = after
    return 0.0
