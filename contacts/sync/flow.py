"""From step to step: what begins when something has ended, and how a run ends."""

from collections import Counter

from django.db.models import Sum
from django.db.models.functions import Now

from contacts.models import SyncRun, SyncSeen, SyncStep
from contacts.sync.job import add_steps
from contacts.sync.kinds import START, kinds
from scrm.base import clock
from scrm.base.models import Work

REMOVALS = "removals"


def advance(run_id: int) -> None:
    """Plans what may begin now; ends the run when nothing is left. Runs in the caller's transaction."""
    run = SyncRun.objects.select_for_update().get(pk=run_id)
    if run.state != SyncRun.State.RUNNING:
        return
    while _plan(run):
        pass
    if run.steps.filter(finished_at=None).exists():
        return
    if REMOVALS not in run.planned and not run.steps.exclude(error="").exists():
        _add(run, REMOVALS, [("", ())])
    else:
        finish(run)


def give_up_dead_steps(run: SyncRun) -> None:
    """Steps whose work was quarantined without their knowing (a worker that died at each attempt) are given up."""
    open_steps = dict(run.steps.filter(finished_at=None).values_list("pk", "kind"))
    dead = Work.objects.filter(source_kind=SyncStep.WORK_SOURCE, source_id__in=open_steps, state=Work.State.QUARANTINED)
    errors = dict(dead.values_list("source_id", "error"))
    for pk, error in errors.items():
        SyncStep.objects.filter(pk=pk, finished_at=None).update(finished_at=clock.now(), error=error or "given up")
    if errors:
        advance(run.pk)


def finish(run: SyncRun) -> None:
    """Writes the run's result: done, or failed with what its steps say."""
    errors = [f"{step}: {step.error}" for step in run.steps.exclude(error="").order_by("pk")[:20]]
    run.state = SyncRun.State.FAILED if errors else SyncRun.State.DONE
    run.error = "\n".join(errors) or run.error
    summarise(run)
    close(run)


def close(run: SyncRun) -> None:
    """Ends a run in the state that it has."""
    run.finished_at = clock.now()
    run.save()
    SyncRun.objects.filter(pk=run.pk).update(finished_real_at=Now())
    SyncSeen.objects.filter(run_id=run.pk).delete()


def summarise(run: SyncRun) -> None:
    """Brings counts, drift and API calls of the steps into the run; does not save."""
    counts: Counter[str] = Counter()
    drift: Counter[str] = Counter()
    for step in run.steps.all():
        counts.update(step.counts)
        drift.update(step.drift)
    counts["customers"] = SyncSeen.objects.filter(run_id=run.pk).values("customer_id").distinct().count()
    run.counts, run.drift = dict(sorted(counts.items())), dict(sorted(drift.items()))
    run.api_calls = run.steps.aggregate(sum=Sum("api_calls"))["sum"] or 0


def _plan(run: SyncRun) -> bool:
    """Plans every kind whose turn has come. True when something was planned, which may let others begin."""
    planned = False
    for kind in kinds.values():
        if kind.after is None or kind.name in run.planned or not _ended_well(run, kind.after):
            continue
        _add(run, kind.name, [(part.key, part.payload) for part in kind.plan(run)])
        planned = True
    return planned


def _ended_well(run: SyncRun, kind: str) -> bool:
    if kind == START:
        return True
    steps = run.steps.filter(kind=kind)
    return kind in run.planned and not steps.filter(finished_at=None).exists() and not steps.exclude(error="").exists()


def _add(run: SyncRun, kind: str, parts: list[tuple[str, object]]) -> None:
    run.planned = [*run.planned, kind]
    run.save(update_fields=["planned"])
    add_steps(run, kind, parts)  # type: ignore[arg-type]
