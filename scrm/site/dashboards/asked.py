"""What a page was asked for, out of its address: the interval and the filters. Everything stands in the address."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from django.utils.http import urlencode

from analytics.query import TOTAL
from analytics.scope import Filters
from scrm.base import clock
from scrm.base.numbers import whole

PRESETS: Final = (7, 14, 30)
DEFAULT_DAYS: Final = 14
MOST_DAYS: Final = 731
TABLES: Final = ("channel", "staff", "group_chat")
EVERYTHING: Final = "*"  # in a form's select: not narrowed; an empty value is "without one"


@dataclass(frozen=True)
class Asked:
    """An interval of company days [start, end), filters and the chosen table. `preset`: days back from today, or 0."""

    start: dt.date
    end: dt.date
    preset: int
    filters: Filters
    table: str = "channel"

    @property
    def last(self) -> dt.date:
        return self.end - dt.timedelta(days=1)

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    @property
    def before(self) -> "Asked":
        """The previous period, as long, beginning on the same day of the week."""
        shift = dt.timedelta(days=-(-self.days // 7) * 7)
        return replace(self, start=self.start - shift, end=self.end - shift, preset=0)

    def address(self, **changes: str | int) -> str:
        """The query string of this question, with changes: days, table, from, to, or a filter ("*" removes it)."""
        given: dict[str, str | int] = {"days": self.preset} if self.preset else self.interval
        if "days" in changes or "from" in changes:
            given = {}
        given |= self.narrowed
        if self.table != TABLES[0]:
            given["table"] = self.table
        return urlencode({name: value for name, value in (given | changes).items() if value != EVERYTHING})

    @property
    def interval(self) -> dict[str, str | int]:
        return {"from": self.start.isoformat(), "to": self.end.isoformat()}

    @property
    def whole_chats(self) -> "Asked":
        """Without the filter on one chat, which numbers of people don't know."""
        return replace(self, filters=replace(self.filters, group_chat=None))

    @property
    def narrowed(self) -> dict[str, str | int]:
        """The filters that are set."""
        values = vars(self.filters).items()
        return {name: value for name, value in values if value is not None}

    def rows(self, *, by: str = "", key: str = "") -> str:
        """The query string of the list behind a number of this question, or behind one part of it."""
        given = self.interval | self.narrowed
        return urlencode(given | ({by: key} if by and key != TOTAL else {}))


def asked(given: Mapping[str, str]) -> Asked:
    """Reads an address; what makes no sense is left out, because people edit addresses by hand."""
    today = clock.today()
    tomorrow = today + dt.timedelta(days=1)
    start, end = _day(given.get("from")), _day(given.get("to"))
    last = _day(given.get("last"))
    end = last + dt.timedelta(days=1) if last else end
    filters = Filters(
        channel=_text(given, "channel"), group_chat=_text(given, "group_chat"), staff=_text(given, "staff"),
        department=whole(given.get("department")),
    )  # fmt: skip
    table = given.get("table", "")
    table = table if table in TABLES else TABLES[0]
    if start and end and start < end <= tomorrow + dt.timedelta(days=1) and (end - start).days <= MOST_DAYS:
        return Asked(start, end, 0, filters, table)
    days = whole(given.get("days"))
    preset = days if days in PRESETS else DEFAULT_DAYS
    return Asked(tomorrow - dt.timedelta(days=preset), tomorrow, preset, filters, table)


def _day(text: str | None) -> dt.date | None:
    try:
        found = dt.date.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.year in clock.YEARS else None


def _text(given: Mapping[str, str], name: str) -> str | None:
    value = given.get(name, EVERYTHING)
    return None if value == EVERYTHING else value[:128].replace("\x00", "")
