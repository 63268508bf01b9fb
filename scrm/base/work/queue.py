"""Writing work: one row, or a set in one statement."""

from collections.abc import Iterable

from django.db.models import Q
from django.db.models.functions import Now

from scrm.base.models import Work
from scrm.base.work import doorbell


def enqueue(source_kind: str, source_id: int, lane: str, entity: str) -> None:
    """Writes one row in the caller's transaction; a row that exists for this source and lane stays as it is."""
    enqueue_many([Work(source_kind=source_kind, source_id=source_id, lane=lane, entity=entity)])


def enqueue_many(works: Iterable[Work]) -> None:
    """Writes rows in the caller's transaction and rings their lanes after its commit."""
    rows = list(works)
    Work.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
    for lane in {row.lane for row in rows}:
        doorbell.ring_after_commit(lane)


def replay(source_kind: str, source_ids: Iterable[int]) -> int:
    """Opens settled or quarantined rows of these sources again. Returns how many."""
    rows = Work.objects.filter(source_kind=source_kind, source_id__in=list(source_ids)).exclude(
        Q(state=Work.State.WAITING) | Q(state=Work.State.LEASED)
    )
    names = set(rows.values_list("lane", flat=True))
    count = rows.update(
        state=Work.State.WAITING, attempts=0, error="", not_before=Now(), created_at=Now(), settled_at=None
    )
    for lane in names:
        doorbell.ring_after_commit(lane)
    return count


def replay_failed(lane: str) -> int:
    """Opens everything of this lane again that was set aside; what other lanes did stays done. Returns how much."""
    failed = Work.objects.filter(lane=lane, state=Work.State.QUARANTINED)
    count = failed.update(
        state=Work.State.WAITING, attempts=0, error="", not_before=Now(), created_at=Now(), settled_at=None
    )
    if count:
        doorbell.ring_after_commit(lane)
    return count
