"""Announcing what has happened, and taking announcements as a lane.

Only what somebody subscribes to is written: a sync of 320,000 customers announces nothing to nobody. Whoever sends
something takes live sources only (a sync, an import or the loading of history greets nobody).
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from scrm.base import clock
from scrm.base.models import Announcement, Work
from scrm.base.models.announcement import Source
from scrm.base.work import enqueue_many

ANNOUNCEMENT = "announcement"  # Work.source_kind


@dataclass(frozen=True)
class Happening:
    """One thing that happened to one entity (such as `contact:wm…`)."""

    entity: str
    happened_at: dt.datetime
    detail: dict[str, Any]


@dataclass(frozen=True)
class _Subscription:
    lane: str
    live_only: bool


_subscriptions: dict[str, list[_Subscription]] = {}


def subscribe(kind: str, *, lane: str, live_only: bool = True) -> None:
    """Lets `lane` take every announcement of `kind`. Called from `AppConfig.ready`."""
    _subscriptions.setdefault(kind, []).append(_Subscription(lane, live_only))


def unsubscribe(kind: str, *, lane: str) -> None:
    """Takes a subscription back."""
    _subscriptions[kind] = [item for item in _subscriptions.get(kind, []) if item.lane != lane]


def announce(kind: str, happenings: Iterable[Happening], *, source: Source) -> int:
    """Writes the announcements and their work in the caller's transaction, in sets. Returns how many were written."""
    takers = [item.lane for item in _subscriptions.get(kind, []) if source.live or not item.live_only]
    if not takers:
        return 0
    rows = Announcement.objects.bulk_create(
        [
            Announcement(
                kind=kind,
                entity=item.entity,
                source=source,
                detail=item.detail,
                happened_at=item.happened_at or clock.now(),
            )
            for item in happenings
        ],
        batch_size=1000,
    )
    enqueue_many(
        Work(source_kind=ANNOUNCEMENT, source_id=row.pk, lane=lane, entity=row.entity)
        for row in rows
        for lane in takers
    )
    return len(rows)
