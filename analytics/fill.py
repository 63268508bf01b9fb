"""The fill engine: brings the facts of dirty days up to what the ledgers say. One engine for all stats."""

import datetime as dt
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Min
from django.db.models.functions import Now

from analytics import dirty
from analytics.dirty import is_clean
from analytics.models import PARTITIONS, FillState
from analytics.stats import STATS, Stat, definition, personas
from scrm.base import clock

__all__ = ["FillBusy", "fill", "fill_dirty", "is_clean", "last_change", "updated_at"]

_LOCK = 0x5C12_F111  # advisory: one fill at a time in a database
_DAYS_AT_ONCE = 31  # days of one transaction: a killed fill loses at most these

_DELETE = "DELETE FROM analytics_fact WHERE stat = %(stat)s AND day >= %(first)s AND day <= %(last)s"
_INSERT = """
INSERT INTO analytics_fact
    (stat, day, at, customer_id, staff_id, chat_id, state, detail, value, estimated, source_id)
SELECT %(stat)s, day, at, customer_id, staff_id, chat_id, state, detail, value, estimated, source_id FROM (
"""


class FillBusy(Exception):
    """Another fill did not end in time."""


def fill_dirty() -> int:
    """Fills what changed since the last fill. Returns how many (stat, day) were rebuilt; 0 also while another fill runs."""
    with _alone() as alone:
        return _fill_dirty() if alone else 0


def fill(start: dt.date, end: dt.date, stats: Collection[str] | None = None, *, wait: float = 60) -> int:
    """Rebuilds the days [start, end) of these stats (all by default), dirty or not. Returns how many (stat, day).

    Raises FillBusy after `wait` seconds behind another fill, KeyError for an unknown stat.
    """
    chosen = [STATS[name] for name in (STATS if stats is None else stats)]
    wanted = [start + dt.timedelta(days=count) for count in range((end - start).days)]
    with _alone(wait) as alone:
        if not alone:
            raise FillBusy
        for stat in chosen:
            _rebuild(stat, wanted, personas())
    return len(chosen) * len(wanted)


def updated_at() -> dt.datetime | None:
    """Domain time up to which all numbers take the ledgers into account; None before the first fill."""
    filled = FillState.objects.aggregate(at=Min("filled_to"))["at"]
    if filled is None or FillState.objects.filter(filled_to=None).exists():
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp() - %s::timestamptz", [filled])
        age: dt.timedelta = cursor.fetchone()[0]
    return clock.now() - age


def last_change() -> dt.datetime | None:
    """When facts were last rewritten, the database's clock: until the next time every number of a past day stays."""
    at: dt.datetime | None = FillState.objects.aggregate(at=Max("filled_at"))["at"]
    return at


def _fill_dirty() -> int:
    excluded = personas()
    until = dirty.settled_until()
    states = {state.stat: state for state in FillState.objects.all()}
    quiet: list[str] = []
    rebuilt = 0
    for stat in STATS.values():
        state = states.get(stat.name) or FillState(stat=stat.name)
        valid = state.definition == definition(stat, excluded)
        days = dirty.days(stat, state.filled_to if valid else None)
        if valid and not days:
            quiet.append(stat.name)
            continue
        _rebuild(stat, days, excluded)
        FillState.objects.update_or_create(
            stat=stat.name,
            defaults={"filled_to": until, "filled_at": Now(), "definition": definition(stat, excluded)},
        )
        rebuilt += len(days)
    if quiet:
        FillState.objects.filter(stat__in=quiet, filled_to__lt=until).update(filled_to=until)
    return rebuilt


def _rebuild(stat: Stat, days: Sequence[dt.date], excluded: list[int]) -> None:
    """Replaces the facts of these days by what the ledger says now."""
    if days:
        PARTITIONS.ensure(days, today=clock.today())
    for first, last in _runs(days):
        values: dict[str, Any] = {
            "stat": stat.name, "first": first, "last": last, "start": clock.day_start(first),
            "end": clock.day_start(last + dt.timedelta(days=1)), "zone": str(clock.zone()), "personas": excluded,
        }  # fmt: skip
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_DELETE, values)
            cursor.execute(f"{_INSERT}{stat.select}) AS rows", values)


def _runs(days: Sequence[dt.date]) -> Iterator[tuple[dt.date, dt.date]]:
    """Ascending days as first and last of unbroken runs, none longer than what one transaction may take."""
    first = last = None
    for day in days:
        if first is None or last is None:
            first = last = day
        elif (day - last).days == 1 and (day - first).days < _DAYS_AT_ONCE:
            last = day
        else:
            yield first, last
            first = last = day
    if first is not None and last is not None:
        yield first, last


@contextmanager
def _alone(wait: float = 0) -> Iterator[bool]:
    """Yields whether this connection holds the lock; it lets go when the process dies."""
    patience = time.monotonic() + wait
    while not (held := _try_lock()) and time.monotonic() < patience:
        time.sleep(0.2)
    try:
        yield held
    finally:
        if held:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _try_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])
