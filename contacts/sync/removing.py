"""The last step of a run: what is gone is taken out of the ledgers, or waits for a person when it is too much."""

from django.db.models.functions import Now

from contacts.models import SyncRun
from contacts.sync import flow
from contacts.sync.ending import LOOK_AGAIN
from contacts.sync.job import Job
from contacts.sync.kinds import Found, removals
from scrm.base import clock
from scrm.base.work import Again

MOST = 0.02  # share of a ledger's open rows that a run removes by itself (architecture.md, nightly full sync)


def remove(job: Job) -> bool:
    """Finds first, so that the decision stands on every removal together; then removes in one transaction."""
    found = {name: removal.find(job) for name, removal in removals.items()}
    wait = max((item.wait for item in found.values()), default=0.0)
    if wait > 0:
        job.save()
        raise Again(min(wait, LOOK_AGAIN), reason="too young to be judged by a read")
    if not job.run.accepted and _too_many(found):
        _hold(job, sum(item.count for item in found.values()))
        return False
    count = sum(item.count for item in found.values())
    with job.page(rows=count):
        job.counted(removed=count)
        for name, item in found.items():
            job.drifted(**removals[name].apply(job, item))
    return True


def _too_many(found: dict[str, Found]) -> bool:
    """Whether any ledger would lose more than its share."""
    for ledger in {removals[name].ledger for name in found}:
        parts = [item for name, item in found.items() if removals[name].ledger == ledger]
        if sum(item.count for item in parts) > MOST * max(item.total for item in parts):
            return True
    return False


def _hold(job: Job, count: int) -> None:
    """Puts the run into a person's hands. Its step stays unfinished: `accept_removals` opens it again."""
    with job.page():
        run = SyncRun.objects.select_for_update().get(pk=job.run.pk)
        flow.summarise(run)
        run.state, run.held, run.finished_at = SyncRun.State.HELD, count, clock.now()
        run.save()
        SyncRun.objects.filter(pk=run.pk).update(finished_real_at=Now())
        job.claim.done()
