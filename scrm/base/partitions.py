"""Monthly partitions of a table: those that rows need, and a year ahead. What fits nowhere lands in the default one."""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.checks import CheckMessage, Warning
from django.db import DatabaseError, connection, transaction

from scrm.base.turns import take_turn

MONTHS_AHEAD = 12
_EARLIEST = dt.date(2011, 1, 1)  # before WeChat there were no customers: such dates are somebody's error


@dataclass(frozen=True)
class Monthly:
    """The partitions of `table` by its date column; the default one is `<table>_default`."""

    table: str
    column: str

    def ensure(self, days: Iterable[dt.date], *, today: dt.date, ahead: int = MONTHS_AHEAD) -> list[str]:
        """Makes the partitions of these days and of `ahead` months from `today` on. Returns the names of new ones.

        Days outside 2011 … a year ahead go to the default partition, which the table's system check reports.
        """
        year = [_plus(today.replace(day=1), count) for count in range(MONTHS_AHEAD + 1)]
        wanted = {day.replace(day=1) for day in days if _EARLIEST <= day < _plus(year[-1], 1)} | set(year[: ahead + 1])
        if not wanted - self._existing():
            return []
        with transaction.atomic():
            take_turn(f"partitions of {self.table}")  # of two that make the same month the second finds it made
            missing = sorted(wanted - self._existing())
            for month in missing:
                self._create(month)
        return [self._name(month) for month in missing]

    def stray_rows(self) -> int:
        """Rows in the default partition: days for which no partition was foreseen."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {self.table}_default")  # noqa: S608  a name of ours
            return int(cursor.fetchone()[0])

    def check(self, databases: Sequence[str] | None, rows: str, cause: str, id_: str) -> list[CheckMessage]:
        """For a system check that runs with `manage.py check --database default` and on migrate: the stray rows."""
        if "default" not in (databases or ()):
            return []
        try:
            stray = self.stray_rows()
        except DatabaseError:  # the table comes with the migrations that this check precedes
            return []
        hint = f"Look at their dates: SELECT DISTINCT {self.column} FROM {self.table}_default. {cause}"  # noqa: S608  for people to run
        return [Warning(f"{stray} {rows} lie in no month's partition.", hint=hint, id=id_)] if stray else []

    def _existing(self) -> set[dt.date]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [self.table]
            )
            found = [re.fullmatch(rf"{self.table}_(\d{{4}})(\d{{2}})", name) for (name,) in cursor.fetchall()]
        return {dt.date(int(match[1]), int(match[2]), 1) for match in found if match}

    def _create(self, month: dt.date) -> None:
        """Attached, not created as a partition: that would lock out everybody who reads the table."""
        name, end = self._name(month), _plus(month, 1)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE {name} (LIKE {self.table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
            cursor.execute(
                f"WITH moved AS (DELETE FROM {self.table}_default WHERE {self.column} >= %s AND {self.column} < %s"  # noqa: S608
                f" RETURNING *) INSERT INTO {name} SELECT * FROM moved",
                [month, end],
            )
            cursor.execute(
                f"ALTER TABLE {self.table} ATTACH PARTITION {name} FOR VALUES FROM (%s) TO (%s)", [month, end]
            )

    def _name(self, month: dt.date) -> str:
        return f"{self.table}_{month:%Y%m}"


def _plus(month: dt.date, count: int) -> dt.date:
    years, index = divmod(month.month - 1 + count, 12)
    return dt.date(month.year + years, index + 1, 1)
