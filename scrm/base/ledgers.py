"""Rows of a ledger brought in line with the periods that were computed from its evidence (scrm.base.periods)."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from django.db.models import Model
from django.db.models.functions import Now

from scrm.base.periods import TOLERANCE, Period

Row = TypeVar("Row", bound=Model)
Distance = Callable[[Row, Period[Any]], dt.timedelta]


def in_line(
    rows: Sequence[Row], periods: Sequence[Period[Any]], distance: Distance[Row]
) -> list[tuple[Row | None, Period[Any]]]:
    """Each period with the row that stands for it, which is the nearest by `distance` within the tolerance, or none yet.

    Rows that stand for none are deleted. Ended periods come first: written in this order never two are open.
    """
    free, pairs = list(rows), []
    for period in periods:
        near = [row for row in free if distance(row, period) <= TOLERANCE]
        row = min(near, key=lambda item: distance(item, period)) if near else None
        if row is not None:
            free.remove(row)
        pairs.append((row, period))
    if free:
        table = type(free[0])._default_manager
        table.filter(pk__in=[row.pk for row in free]).delete()
        # a row that is gone has no changed_at: the numbers find its days by the person's other rows
        table.filter(pk__in=[row.pk for row in rows if row not in free]).update(changed_at=Now())
    return sorted(pairs, key=lambda pair: pair[1].end is None)


def take_over(row: Model, fields: Mapping[str, object]) -> bool:
    """Sets the fields; True when anything differs, as in a new row always."""
    changed = row.pk is None or any(getattr(row, name) != value for name, value in fields.items())
    for name, value in fields.items():
        setattr(row, name, value)
    return changed


def save(row: Any) -> None:
    """Writes the row with its `changed_at`, the database's clock, by which the numbers find what is new."""
    row.changed_at = Now()
    row.save()
