"""One turn of a step in a worker's hands: its time, its pages, its counters."""

import datetime as dt
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from contacts.models import SyncRun, SyncStep
from scrm.base import clock
from scrm.base.dbclock import db_now
from scrm.base.failpoints import failpoint
from scrm.base.work import Claim, enqueue

LANE = "sync"
LEASE = 60.0
TURN = 40.0  # seconds after which a step gives way to others and goes on later


class Job:
    """A step with the claim that holds it. Nothing is written unless the claim's lease holds."""

    def __init__(self, claim: Claim, step: SyncStep) -> None:
        self.claim = claim
        self.step = step
        self.run: SyncRun = step.run
        self._end = time.monotonic() + TURN
        self._read_at: dt.datetime | None = None

    @property
    def out_of_time(self) -> bool:
        """Whether the turn is over: the cursor stands, the step goes on later."""
        return time.monotonic() >= self._end

    def reading(self) -> dt.datetime:
        """Marks the beginning of a read of the platform. Returns it, by the database's clock: the fence of the read."""
        if self.step.started_at is None:
            self.step.started_at = clock.now()
        self.step.api_calls += 1
        failpoint(f"sync.{self.step.kind}.reading")
        return db_now()

    @contextmanager
    def page(self, rows: int = 0, cursor: str | None = None) -> Iterator[None]:
        """The transaction of one page: its rows and the step's new cursor together."""
        failpoint(f"sync.{self.step.kind}.page_read")
        self.claim.extend(LEASE)
        with self.claim.writing():
            yield
            self.step.pages += 1
            self.step.rows += rows
            if cursor is not None:
                self.step.cursor = cursor
            self.step.save()
            self.claim.came_further()
        failpoint(f"sync.{self.step.kind}.page_written")

    def keep(self) -> None:
        """Prolongs the claim before a further call of the platform."""
        self.claim.extend(LEASE)

    def save(self) -> None:
        """Keeps the counters of a turn that writes nothing else."""
        with self.claim.writing():
            self.step.save()

    def counted(self, **counts: int) -> None:
        """Adds to what the run has read."""
        for name, count in counts.items():
            self.step.counts[name] = self.step.counts.get(name, 0) + count

    def drifted(self, **counts: int) -> None:
        """Adds to the step's drift; a first sync has none."""
        if self.run.first:
            return
        for name, count in counts.items():
            if count:
                self.step.drift[name] = self.step.drift.get(name, 0) + count

    def add_steps(self, kind: str, parts: Sequence[tuple[str, Sequence[object]]]) -> None:
        """Steps of `kind` that this one has found need of, as (key, payload); inside `page`."""
        add_steps(self.run, kind, parts)


def add_steps(run: SyncRun, kind: str, parts: Sequence[tuple[str, Sequence[object]]]) -> None:
    """Writes steps with their work in the caller's transaction; those that exist stay as they are."""
    for key, payload in parts:
        step, made = SyncStep.objects.get_or_create(run=run, kind=kind, key=key, defaults={"payload": list(payload)})
        if made:
            enqueue(SyncStep.WORK_SOURCE, step.pk, LANE, f"sync:{run.pk}:{kind}:{key}")
