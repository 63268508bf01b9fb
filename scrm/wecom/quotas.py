"""What keeps us inside the platform's limits: budgets, calls in flight, and a pause for an API that said 45009.

Each API has its own budget and its own pause: a dead `groupchat/get` never stops a welcome (reliability.md §2.9).
"""

import hashlib
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.utils.translation import gettext as _

from scrm.base import redis
from scrm.wecom import gates
from scrm.wecom.errors import ConfigurationError, Kind, Paused, WecomError
from scrm.wecom.gates import LocalGate, SharedGate, new_ticket

log = structlog.get_logger(__name__)

LONGEST_WAIT = 2.0  # seconds that a call waits for room before it gives up with `Paused`
UNANSWERED = -2  # counted like an errcode: a call without an answer

_lock = threading.Lock()
_local_gates: dict[str, LocalGate] = {}


def scope() -> str:
    """A short name of this corp at this platform, for keys in Redis."""
    return hashlib.sha256(f"{settings.WECOM_API_URL}|{settings.WECOM_CORP_ID}".encode()).hexdigest()[:16]


def _local() -> LocalGate:
    with _lock:
        return _local_gates.setdefault(scope(), LocalGate())


def forget() -> None:
    """As a process that has just begun."""
    with _lock:
        _local_gates.clear()
    gates.forget()


@contextmanager
def slot(api: str, *, urgent: bool = False, wait: float = LONGEST_WAIT) -> Iterator[None]:
    """Room for one call of `api`. Waits at most `wait` seconds, then raises `Paused`: nothing was sent.

    `urgent` calls (welcomes) may take the share of calls in flight that is kept free for them.
    A `WecomError` that leaves the block pauses or narrows the API when its code asks for it.
    """
    ticket = new_ticket()
    local, shared = _local(), SharedGate(scope())
    counted = _enter(local, shared, api, ticket, urgent, time.monotonic() + wait)
    code = 0
    try:
        yield
    except (WecomError, ConfigurationError) as error:
        code = UNANSWERED if error.code is None else error.code
        if isinstance(error, WecomError):
            _heed(local, shared, api, error)
        raise
    except BaseException:
        code = UNANSWERED
        raise
    finally:
        local.leave(api, ticket, code=code)
        if counted:
            with suppress(redis.Away):
                shared.leave(api, ticket, code=code)


def _enter(local: LocalGate, shared: SharedGate, api: str, ticket: str, urgent: bool, deadline: float) -> bool:
    """Waits for room. True when the shared gate let the call in, False when Redis is away."""
    while True:
        answer = local.enter(api, ticket, urgent=urgent, alone=redis.is_away())
        if answer.admitted:
            try:
                answer = shared.enter(api, ticket, urgent=urgent)
            except redis.Away:
                return False
            if answer.admitted:
                return True
            local.leave(api, ticket, code=0)
        if answer.paused or time.monotonic() + answer.wait > deadline:
            raise Paused(_reason(paused=answer.paused), api=api, retry_after=max(answer.wait, 0.1))
        time.sleep(answer.wait + random.uniform(0, 0.02))


def _reason(*, paused: bool) -> str:
    return (
        _("paused after too many calls; nothing was sent") if paused else _("no room in our budget; nothing was sent")
    )


def _heed(local: LocalGate, shared: SharedGate, api: str, error: WecomError) -> None:
    if error.kind is Kind.RATE:
        error.retry_after = _pause(local, shared, api)
    elif error.kind is Kind.CONCURRENCY:
        local.narrow(api)
        with suppress(redis.Away):
            shared.narrow(api)


def _pause(local: LocalGate, shared: SharedGate, api: str) -> float:
    """Opens the API's breaker everywhere: nobody asks it again before the seconds returned are over."""
    seconds = None
    with suppress(redis.Away):
        seconds = shared.pause(api)
    seconds = local.pause(api, seconds)
    log.warning("The platform refuses more calls, paused.", api=api, seconds=round(seconds))
    return seconds


@dataclass(frozen=True, slots=True)
class Usage:
    """What one API got in the last 60 minutes: `hour` calls, `peak` in the busiest minute, `failed` without success."""

    api: str
    hour: int
    peak: int
    failed: int
    minute_budget: int
    hour_budget: int
    paused_seconds: float


def usage() -> list[Usage]:
    """Usage of each API that was called in the last hour, by name. Raises `redis.Away`: without Redis nobody knows."""
    minutes, pauses = SharedGate(scope()).counts()
    return [
        Usage(
            api=api,
            hour=sum(minute.get(api, 0) for minute in minutes),
            peak=max(minute.get(api, 0) for minute in minutes),
            failed=sum(minute.get(f"{api} failed", 0) for minute in minutes),
            minute_budget=settings.WECOM_CALLS_PER_MINUTE,
            hour_budget=settings.WECOM_CALLS_PER_HOUR,
            paused_seconds=paused,
        )
        for api, paused in sorted(pauses.items())
    ]
