"""The call log: each failed call and a sample of the good ones, for people who ask what the platform said."""

import datetime as dt
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from scrm.base import limits
from scrm.wecom.errors import ConfigurationError, Paused, WecomError
from scrm.wecom.models import ApiCall

log = structlog.get_logger(__name__)

FAILURES = "120/minute"  # rows per API: a platform that is down for an hour must not fill the table


@dataclass(slots=True)
class Call:
    """One call being made; `start` sets the watch after the wait for room in the budget."""

    api: str
    started: float = field(default_factory=time.perf_counter)

    def start(self) -> None:
        self.started = time.perf_counter()

    @property
    def ms(self) -> int:
        return round((time.perf_counter() - self.started) * 1000)


@contextmanager
def timed(api: str) -> Iterator[Call]:
    """Times the block as one call of `api` and records how it ended. A call that was not sent isn't recorded."""
    call = Call(api)
    try:
        yield call
    except Paused:
        raise
    except (WecomError, ConfigurationError) as error:
        if limits.allow("wecom-call-log", api, FAILURES):
            record(api, errcode=error.code, ms=call.ms, detail=error.message)
        raise
    sample = settings.WECOM_CALL_LOG_SAMPLE
    if sample and random.randrange(sample) == 0:
        record(api, errcode=0, ms=call.ms)


def record(api: str, *, errcode: int | None, ms: int, detail: str = "") -> None:
    """Writes one row by itself. Never fails and never joins a transaction: the call is what matters."""
    if connection.in_atomic_block:
        return
    try:
        ApiCall.objects.create(api=api[:80], errcode=errcode, ms=max(0, ms), detail=detail[:300])
    except Exception as error:  # a full disk or a lost database is somebody else's news
        log.warning("A call was not logged.", api=api, error=type(error).__name__)


def prune() -> int:
    """Deletes rows older than CALL_LOG_RETENTION_DAYS; returns how many."""
    old = ApiCall.objects.filter(at__lt=Now() - dt.timedelta(days=settings.CALL_LOG_RETENTION_DAYS))
    return old.delete()[0]
