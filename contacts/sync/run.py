"""The verbs of a full sync: start it, follow it, work it in this process, accept what it wants to remove."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection, transaction

from contacts.models import SyncRun, SyncSeen, SyncStep
from contacts.sync import flow
from contacts.sync.job import LANE
from contacts.sync.lane import THREADS
from scrm.base import audit, clock
from scrm.base.models import User, Work
from scrm.base.turns import take_turn
from scrm.base.work import lanes, replay
from scrm.base.work.claim import reclaim
from scrm.base.work.run import run_one

_LOOK = 0.2  # seconds between looks at a run that is worked here
_TURN = "contacts.sync"


@dataclass(frozen=True)
class Progress:
    """Where a run stands. `steps` grows while the run learns how much there is; `current` names steps in hand."""

    state: str
    steps_done: int
    steps: int
    current: tuple[str, ...]
    rows: int
    api_calls: int
    seconds: float
    waiting: str  # why nothing moves just now, such as a platform that does not answer; "" when all is well


class NotHeld(Exception):
    """The run has no removals that wait for a person (any more)."""


def start(user: User | None = None) -> SyncRun:
    """Begins a run, or joins the one under way. A held one gives way: the new run finds its removals again."""
    with transaction.atomic():
        take_turn(_TURN)
        running = SyncRun.objects.filter(state=SyncRun.State.RUNNING).first()
        if running is not None:
            flow.give_up_dead_steps(running)
            running.refresh_from_db()
            if running.state == SyncRun.State.RUNNING:
                return running
        for held in SyncRun.objects.filter(state=SyncRun.State.HELD):
            SyncSeen.objects.filter(run_id=held.pk).delete()
            SyncRun.objects.filter(pk=held.pk).update(state=SyncRun.State.DONE)
        run = SyncRun.objects.create(first=_is_first(), started_at=clock.now(), started_by=user)
        run.refresh_from_db()
        flow.advance(run.pk)
    return run


def accept_removals(run: SyncRun, user: User | None = None) -> None:
    """Lets a held run remove what is still gone. `user` None: at the command line. Raises NotHeld."""
    with transaction.atomic():
        take_turn(_TURN)
        changed = SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.HELD).update(
            state=SyncRun.State.RUNNING, accepted=True, finished_at=None, finished_real_at=None
        )
        if not changed:
            raise NotHeld(str(run))
        if user is None:  # at the command line; pages write the trail with the request
            audit.record("sync.accept_removals", user=None, subject=f"#{run.pk}", held=run.held)
        steps = run.steps.filter(kind=flow.REMOVALS, finished_at=None).values_list("pk", flat=True)
        replay(SyncStep.WORK_SOURCE, steps)
    run.refresh_from_db()


def progress(run: SyncRun) -> Progress:
    """How far the run is, as of now."""
    run.refresh_from_db()
    steps = list(run.steps.all())
    unfinished = {step.pk: step for step in steps if step.finished_at is None}
    works = Work.objects.filter(source_kind=SyncStep.WORK_SOURCE, source_id__in=unfinished)
    states = {work.source_id: work for work in works}
    in_hand = [step for pk, step in unfinished.items() if pk in states and states[pk].state == Work.State.LEASED]
    waiting = [work.error for work in states.values() if work.state == Work.State.WAITING and work.error]
    return Progress(
        state=run.state,
        steps_done=len(steps) - len(unfinished),
        steps=len(steps),
        current=tuple(str(step) for step in in_hand),
        rows=sum(step.rows for step in steps),
        api_calls=sum(step.api_calls for step in steps),
        seconds=seconds(run),
        waiting=waiting[0] if waiting and not in_hand else "",
    )


def seconds(run: SyncRun) -> float:
    """Real time that the run took, or has taken so far."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM coalesce(finished_real_at, clock_timestamp()) - started_real_at)"
            " FROM contacts_syncrun WHERE id = %s",
            [run.pk],
        )
        return float(cursor.fetchone()[0])


def run_inline(
    run: SyncRun,
    *,
    threads: int = THREADS,
    patience: float | None = None,
    tell: Callable[[Progress], None] | None = None,
) -> SyncRun:
    """Works the lane in this process until the run is over or held, beside any worker. Returns the run.

    `patience`: seconds without any progress after which it returns all the same; the run then goes on where a worker is.
    """
    stop, moved = threading.Event(), threading.Event()
    pumps = [threading.Thread(target=_pump, args=(stop, moved), name=f"sync-{number}") for number in range(threads)]
    for pump in pumps:
        pump.start()
    try:
        _watch(run, moved, patience, tell)
    finally:
        stop.set()
        for pump in pumps:
            pump.join()
    run.refresh_from_db()
    return run


def _watch(
    run: SyncRun, moved: threading.Event, patience: float | None, tell: Callable[[Progress], None] | None
) -> None:
    last: tuple[int, int] | None = None
    since = time.monotonic()
    while True:
        now = progress(run)
        if tell is not None:
            tell(now)
        if now.state != SyncRun.State.RUNNING:
            return
        if (now.steps_done, now.api_calls) != last:
            last, since = (now.steps_done, now.api_calls), time.monotonic()
        if patience is not None and time.monotonic() - since > patience:
            return
        reclaim(lanes[LANE])
        with transaction.atomic():
            flow.give_up_dead_steps(run)
        moved.wait(_LOOK)
        moved.clear()


def _pump(stop: threading.Event, moved: threading.Event) -> None:
    try:
        while not stop.is_set():
            try:
                if run_one(lanes[LANE]):
                    moved.set()
                else:
                    stop.wait(0.1)
            except Exception:  # the database is away: the lease runs out, somebody takes over
                connection.close()
                stop.wait(1.0)
    finally:
        connection.close()


def _is_first() -> bool:
    """Nobody has read everything before: whoever is found was there before us."""
    return not SyncRun.objects.filter(state__in=[SyncRun.State.DONE, SyncRun.State.HELD]).exists()
