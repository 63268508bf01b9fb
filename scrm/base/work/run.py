"""Doing work: claim, handle, settle."""

import time
from collections.abc import Callable, Iterable
from functools import partial

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections
from psycopg2 import errors

from scrm.base.failpoints import failpoint
from scrm.base.work.claim import Claim, LeaseLost, claim, reclaim
from scrm.base.work.lanes import Again, Lane, lanes

log = structlog.get_logger(__name__)


def run_one(lane: Lane) -> bool:
    """Claims one entity of `lane` and does its work. False when nothing was due."""
    job = claim(lane)
    if job is None:
        return False
    failpoint(f"{lane.name}.claimed")
    handle(job)
    return True


def handle(job: Claim) -> None:
    """Runs the handler and settles what it left open. Errors never leave this function, except those of the database."""
    try:
        job.lane.handler(job)
        if job.open_works:
            job.done()
    except LeaseLost:
        log.warning("lease lost, nothing written", lane=job.lane.name, entity=job.entity)
    except Again as again:
        _settle_quietly(job, partial(job.again, again.seconds, reason=again.reason))
    except InterfaceError:
        raise  # the database is away: the lease runs out and somebody takes over
    except OperationalError as error:
        if not isinstance(error.__cause__, errors.DeadlockDetected | errors.LockNotAvailable):
            raise  # likewise
        _settle_quietly(job, partial(job.again, 0.5, reason="somebody else writes the same rows"))
    except Exception as error:
        log.exception("work failed", lane=job.lane.name, entity=job.entity)
        text = f"{type(error).__name__}: {error}"[:2000]
        if getattr(error, "temporary", False):
            wait = float(getattr(error, "retry_after", None) or 5.0)
            _settle_quietly(job, partial(job.again, wait, reason=text))
        else:
            _settle_quietly(job, partial(job.failed, text))


def _settle_quietly(job: Claim, settle: Callable[[], None]) -> None:
    try:
        settle()
    except LeaseLost:
        log.warning("lease lost while settling", lane=job.lane.name, entity=job.entity)


def run_due(names: Iterable[str] | None = None, *, seconds: float = 600.0) -> int:
    """Does everything that is due now in the named lanes (default: all), in this thread. Returns the number of jobs."""
    chosen = [lanes[name] for name in (lanes if names is None else names)]
    end, jobs = time.monotonic() + seconds, 0
    busy = True
    while busy and time.monotonic() < end:
        busy = False
        for lane in chosen:
            reclaim(lane)
            while time.monotonic() < end and run_one(lane):
                busy, jobs = True, jobs + 1
    return jobs


def forget_connection() -> None:
    """Between jobs of a long-lived thread: drops a broken or too old database connection."""
    close_old_connections()
