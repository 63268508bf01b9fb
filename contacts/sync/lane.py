"""The lane `sync`: each step of a run is work of its own, tried again and given up by itself."""

from django.db import InterfaceError, OperationalError

from contacts.models import SyncRun, SyncStep
from contacts.sync import flow
from contacts.sync.job import LANE, LEASE, Job
from contacts.sync.kinds import UnlikelyAnswer, kinds
from scrm.base import clock
from scrm.base.failpoints import failpoint
from scrm.base.work import Again, Claim, LeaseLost, lane
from scrm.wecom.errors import ConfigurationError, WecomError

THREADS = 4


@lane(LANE, queue="sync", lease=LEASE, threads=THREADS, back_off=(2.0, 10.0))
def work_step(claim: Claim) -> None:
    """One turn of a step: some pages, then either done or back in line with the cursor kept."""
    step = SyncStep.objects.select_related("run").filter(pk__in=claim.source_ids(SyncStep.WORK_SOURCE)).first()
    if step is None or step.finished_at is not None or step.run.state != SyncRun.State.RUNNING:
        claim.ignored(reason="the run is over")
        return
    job = Job(claim, step)
    try:
        finished = kinds[step.kind].work(job)
    except (LeaseLost, Again, InterfaceError, OperationalError):
        raise
    except Exception as error:
        if not _is_final(error, claim):
            raise
        _give_up(job, error)
        return
    failpoint("sync.step_worked")
    if not claim.open_works:
        return  # the step has settled itself
    if finished:
        _end(job)
    else:
        claim.again(0, further=True)


def _is_final(error: Exception, claim: Claim) -> bool:
    """Whether trying the step again is pointless. What only a person can mend ends the run, so that it says so."""
    if isinstance(error, ConfigurationError | UnlikelyAnswer):
        return True
    if isinstance(error, WecomError):
        return error.permanent
    return claim.works[0].attempts + 1 >= claim.lane.max_attempts


def _end(job: Job) -> None:
    with job.claim.writing():
        job.step.finished_at = clock.now()
        job.step.save()
        job.claim.done()
        flow.advance(job.run.pk)
    failpoint("sync.step_ended")


def _give_up(job: Job, error: Exception) -> None:
    known = isinstance(error, WecomError | ConfigurationError | UnlikelyAnswer)
    text = (str(error) if known else f"{type(error).__name__}: {error}")[:2000]
    with job.claim.writing():
        SyncStep.objects.filter(pk=job.step.pk).update(finished_at=clock.now(), error=text)
        job.claim.quarantine(text)
        flow.advance(job.run.pk)
