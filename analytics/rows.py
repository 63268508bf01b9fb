"""Drill-down: the rows behind a number. Their count is the number, because both come from the same population."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from analytics.metrics import By, Part
from analytics.populations import Count, Span
from analytics.query import WHOLE, ask, fetch, narrowed
from analytics.scope import Asker, Filters
from contacts.models import Channel, Customer, Staff
from groups.models import GroupChat
from scrm.base.models import User

COLUMNS = "customer_id, staff_id, chat_id, state, at, day, detail, value, estimated, source, source_id"
_NAMES = COLUMNS.split(", ")


@dataclass(frozen=True)
class Row:
    """One counted happening or person; names are those of now. `customer_id` is None where the mirror knows nobody."""

    customer_id: int | None
    external_userid: str
    name: str
    userid: str
    staff_name: str
    chat_id: str
    chat_name: str
    channel: str
    at: dt.datetime
    day: dt.date
    detail: str
    value: int
    estimated: bool
    source: str
    source_id: int


@dataclass(frozen=True)
class Set:
    """A counted set: the SQL of its population, whose parameters are its own, and whether a person counts once in it."""

    population: str
    distinct: bool = False

    def count(self) -> str:
        number = "count(DISTINCT p.customer_id)" if self.distinct else "count(*)"
        return f"(SELECT {number} FROM ({self.population}) p)"  # noqa: S608  our own files

    def rows(self, columns: str) -> str:
        first = "DISTINCT ON (customer_id) " if self.distinct else ""
        order = " ORDER BY customer_id, at, source_id" if self.distinct else ""
        return f"(SELECT {first}{columns} FROM ({self.population}) p{order})"  # noqa: S608  our own files

    def chosen(self, number: int) -> str:
        ids = f"SELECT source_id FROM page WHERE number = {number}"  # noqa: S608
        return f"(SELECT {COLUMNS} FROM ({self.population}) p WHERE source_id = ANY(ARRAY({ids})))"  # noqa: S608  our own files


@dataclass(frozen=True)
class Rows:
    """Rows in the order of happening, latest first; counted and cut by the database. No sets have none.

    Only ids are sorted, and the columns read for a page alone. `at_once`: to find the ids costs more than the columns do.
    """

    sets: Sequence[Set]
    values: dict[str, Any]
    at_once: bool = False

    @cached_property
    def _count(self) -> int:
        return (
            int(fetch(f"SELECT {' + '.join(one.count() for one in self.sets)}", self.values)[0][0]) if self.sets else 0
        )

    def count(self) -> int:
        return self._count

    def __len__(self) -> int:
        return self.count()

    def page(self, offset: int = 0, limit: int = 100) -> list[Row]:
        """The second half is read from the end."""
        if not self.sets:
            return []
        order = "at DESC, source, source_id DESC"
        if backwards := offset > 0 and offset > self.count() / 2:
            limit = max(0, min(limit, self.count() - offset))
            order, offset = "at, source DESC, source_id", max(0, self.count() - offset - limit)
        cut = f"ORDER BY {order} OFFSET %(offset)s LIMIT %(limit)s"
        if self.at_once:
            text = f"SELECT {COLUMNS} FROM ({_union(one.rows(COLUMNS) for one in self.sets)}) r {cut}"  # noqa: S608
        else:
            keys = _union(one.rows(f"{n} AS number, at, source, source_id") for n, one in enumerate(self.sets))
            text = (
                f"WITH page AS MATERIALIZED (SELECT * FROM ({keys}) r {cut})"  # noqa: S608
                f" SELECT {COLUMNS} FROM ({_union(one.chosen(n) for n, one in enumerate(self.sets))}) r ORDER BY {order}"
            )
        found = fetch(text, {**self.values, "offset": offset, "limit": limit})
        return _named([dict(zip(_NAMES, row, strict=True)) for row in (found[::-1] if backwards else found)])

    def __getitem__(self, cut: slice) -> list[Row]:
        start = cut.start or 0
        return self.page(start, (cut.stop if cut.stop is not None else self.count()) - start)


def rows(
    metric: str,
    *,
    start: dt.date,
    end: dt.date,
    by: By | None = None,
    key: str = "",
    filters: Filters = WHOLE,
    user: User | Asker,
    part: Part = "value",
    window: dt.timedelta | None = None,
) -> Rows:
    """The rows behind the point `key` of `measure(metric, …, by=by)`; without `by` behind the total.

    `part` of a rate: its numerator (also "value") or denominator. Raises like `measure`.
    """
    if by == "day":
        start = dt.date.fromisoformat(key)
        end = start + dt.timedelta(days=1)
    chosen = narrowed(filters, by, key)
    question = ask(metric, start=start, end=end, filters=chosen, user=user, window=window)
    counts = () if question.null else question.metric.part(part)
    return union(counts, question.span)


def _union(texts: Iterable[str]) -> str:
    return " UNION ALL ".join(texts)


def union(counts: Sequence[Count], span: Span) -> Rows:
    """The union of the counted sets; each set's parameters carry its number."""
    sets: list[Set] = []
    values: dict[str, Any] = {}
    for number, count in enumerate(counts):
        text = count.population.sql()
        for name, value in span.values(count.population).items():
            text = text.replace(f"%({name})s", f"%({name}_{number})s")
            values[f"{name}_{number}"] = value
        sets.append(Set(text, count.distinct))
    return Rows(sets, values)


def _named(found: Sequence[dict[str, Any]]) -> list[Row]:
    customers = Customer.objects.in_bulk([row["customer_id"] for row in found if row["customer_id"]])
    staff = Staff.objects.in_bulk([row["staff_id"] for row in found if row["staff_id"]])
    chats = GroupChat.objects.in_bulk([row["chat_id"] for row in found if row["chat_id"]])
    states = {row["state"] for row in found if row["state"]}
    channels = dict(Channel.objects.filter(state__in=states).values_list("state", "name"))
    return [_row(row, customers, staff, chats, channels) for row in found]


def _row(
    row: dict[str, Any],
    customers: dict[int, Customer],
    staff: dict[int, Staff],
    chats: dict[int, GroupChat],
    channels: dict[str, str],
) -> Row:
    customer, member, chat = (
        customers.get(row["customer_id"]),
        staff.get(row["staff_id"]),
        chats.get(row["chat_id"]),
    )
    return Row(
        customer_id=customer.pk if customer else None,
        external_userid=customer.external_userid if customer else "",
        name=customer.name if customer else "",
        userid=member.userid if member else "",
        staff_name=str(member) if member else "",
        chat_id=chat.chat_id if chat else "",
        chat_name=chat.name if chat else "",
        channel=channels.get(row["state"], row["state"]),
        at=row["at"],
        day=row["day"],
        detail=row["detail"],
        value=row["value"],
        estimated=row["estimated"],
        source=row["source"],
        source_id=row["source_id"],
    )
