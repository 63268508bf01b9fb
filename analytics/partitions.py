"""Monthly partitions of the fact table: those that rows need, and a year ahead. What fits nowhere lands in the default."""

import datetime as dt
import re
from collections.abc import Iterable

from django.db import connection, transaction

MONTHS_AHEAD = 12
_EARLIEST = dt.date(2011, 1, 1)  # before WeChat there were no customers: such dates are somebody's error
_NAME = re.compile(r"analytics_fact_(\d{4})(\d{2})")


def ensure(days: Iterable[dt.date], *, today: dt.date) -> list[str]:
    """Makes the partitions of these days and of a year from `today` on. Returns the names of new ones.

    Days outside 2011 … a year ahead go to the default partition, which `analytics.checks` reports.
    """
    ahead = [_plus(today.replace(day=1), count) for count in range(MONTHS_AHEAD + 1)]
    wanted = {day.replace(day=1) for day in days if _EARLIEST <= day < _plus(ahead[-1], 1)} | set(ahead)
    missing = sorted(wanted - _existing())
    for month in missing:
        _create(month)
    return [_name(month) for month in missing]


def stray_rows() -> int:
    """Rows in the default partition: days for which no partition was foreseen."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM analytics_fact_default")
        return int(cursor.fetchone()[0])


def _existing() -> set[dt.date]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'analytics_fact'::regclass")
        found = [_NAME.fullmatch(name) for (name,) in cursor.fetchall()]
    return {dt.date(int(match[1]), int(match[2]), 1) for match in found if match}


def _create(month: dt.date) -> None:
    """Attached, not created as a partition: that would lock out everybody who reads the table."""
    name, end = _name(month), _plus(month, 1)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {name} (LIKE analytics_fact INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        cursor.execute(
            "WITH moved AS (DELETE FROM analytics_fact_default WHERE day >= %s AND day < %s RETURNING *)"  # noqa: S608
            f" INSERT INTO {name} SELECT * FROM moved",
            [month, end],
        )
        cursor.execute(f"ALTER TABLE analytics_fact ATTACH PARTITION {name} FOR VALUES FROM (%s) TO (%s)", [month, end])


def _name(month: dt.date) -> str:
    return f"analytics_fact_{month:%Y%m}"


def _plus(month: dt.date, count: int) -> dt.date:
    years, index = divmod(month.month - 1 + count, 12)
    return dt.date(month.year + years, index + 1, 1)
