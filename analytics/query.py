"""Measuring: a metric over an interval, whole or by a dimension, for one user's scope."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from django.db import connection, transaction

from analytics import labels
from analytics.metrics import METRICS, By, Metric
from analytics.populations import Count, Population, Span, any_of, series
from analytics.scope import Asker, Filters
from scrm.base import clock
from scrm.base.models import User

NullReason = Literal["", "no_base", "before_connection", "immature"]
TOTAL: Final = "total"
WHOLE: Final = Filters()

_KEYS: Final[Mapping[By | None, str]] = {
    None: "''::text",
    "day": "p.day",
    "channel": "p.state",
    "staff": "coalesce(p.staff_id, 0)",
    "group_chat": "coalesce(p.chat_id, 0)",
}


class Unanswerable(ValueError):
    """The metric has no such dimension or filter; the text says which."""


@dataclass(frozen=True, slots=True)
class Point:
    """One value. `key`: company date, state, userid, chat_id, or "total"; rates 0…1, means per head
    any number, counts integers, welcome_p99 ms.

    `estimated`: some of the counted rows have an estimated time (`estimated_rows` says how many).
    """

    key: str
    label: str
    value: float | int | None
    numerator: int | None
    denominator: int | None
    null_reason: NullReason = ""
    estimated: bool = False
    estimated_rows: int = 0


@dataclass(slots=True)
class _Tally:
    """What was counted under one key."""

    numerator: int = 0
    denominator: int = 0
    estimated: int = 0
    percentile: int | None = None


@dataclass(frozen=True)
class Question:
    """A checked question: what to count over which days; `null` says why nothing can be counted."""

    metric: Metric
    asked: tuple[dt.date, dt.date]
    span: Span
    asker: Asker
    filters: Filters
    null: NullReason = ""
    connected: dt.date | None = field(default=None)


@contextmanager
def snapshot() -> Iterator[None]:
    """All numbers asked inside belong together: they see the database at one moment. Nothing may be written inside.

    Inside a transaction of the caller it changes nothing.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def measure(
    metric: str,
    *,
    start: dt.date,
    end: dt.date,
    by: By | None = None,
    filters: Filters = WHOLE,
    user: User | Asker,
    window: dt.timedelta | None = None,
) -> list[Point]:
    """The metric over the company days [start, end): one point, or one per day or part. `window` replaces a cohort's.

    Days before the corp was connected and cohorts whose window is open are left out of a total; by day they are points
    without a value. Raises KeyError for an unknown metric, Unanswerable for a dimension it does not have.
    """
    question = ask(metric, start=start, end=end, by=by, filters=filters, user=user, window=window)
    if by == "day":
        return _by_day(question)
    if question.null:
        return [] if by else [Point(TOTAL, "", None, None, None, question.null)]
    if by is None:
        return [_point(question.metric, TOTAL, "", _count(question, None).get("", _Tally()))]
    found = _count(question, by)
    names = labels.names(by, found, question.asker)
    points = [_point(question.metric, *names[key], tally) for key, tally in found.items() if key in names]
    return sorted(points, key=lambda point: (-(point.numerator or point.value or 0), point.key))


def ask(
    metric: str,
    *,
    start: dt.date,
    end: dt.date,
    by: By | None = None,
    filters: Filters = WHOLE,
    user: User | Asker,
    window: dt.timedelta | None = None,
) -> Question:
    """Clips the interval to the days that can be answered, and resolves the scope."""
    declared = METRICS[metric]
    _check(declared, by, filters)
    window = (window or declared.window) if declared.window else None
    asker = Asker.of(user)
    first = asker.connected
    begin = max(start, first) if first else start
    stop = min(end, clock.today() + dt.timedelta(days=1))
    null: NullReason = "before_connection" if first and end <= first else ""
    if window and not null:
        ripe = _ripe(window)
        null = "immature" if ripe <= begin else ""
        stop = min(stop, ripe)
    span = Span(begin, max(stop, begin), asker.scope(filters), asker.personas, window or dt.timedelta())
    return Question(declared, (start, end), span, asker, filters, null, first)


def _check(metric: Metric, by: By | None, filters: Filters) -> None:
    if by is not None and by not in metric.by:
        raise Unanswerable(f"{metric.name} can't be split by {by}")
    if filters.group_chat is not None and "group_chat" not in metric.by:
        raise Unanswerable(f"{metric.name} does not know group chats")
    if filters.channel is not None and "channel" not in metric.by:
        raise Unanswerable(f"{metric.name} does not know channels")


def _ripe(window: dt.timedelta) -> dt.date:
    """The first day whose cohort's window has not ended."""
    return clock.day_of(clock.now() - window)


def _by_day(question: Question) -> list[Point]:
    start, end = question.asked
    last = clock.today() + dt.timedelta(days=1)
    days = [start + dt.timedelta(days=index) for index in range(max(0, (min(end, last) - start).days))]
    inside = question.span.start < question.span.end and not question.null
    found = _count(question, "day") if inside else {}
    return [_day(question, day, found) for day in days]


def _day(question: Question, day: dt.date, found: Mapping[str, _Tally]) -> Point:
    key = day.isoformat()
    if question.connected and day < question.connected:
        return Point(key, key, None, None, None, "before_connection")
    if day >= question.span.end:
        return Point(key, key, None, None, None, "immature")
    return _point(question.metric, key, key, found.get(key, _Tally()))


def _point(metric: Metric, key: str, label: str, tally: _Tally) -> Point:
    rough = (tally.estimated > 0, tally.estimated)
    if metric.kind == "P":
        reason: NullReason = "" if tally.percentile is not None else "no_base"
        return Point(key, label, tally.percentile, None, tally.denominator, reason, *rough)
    if not metric.is_rate:
        return Point(key, label, tally.numerator, None, None, "", *rough)
    if not tally.denominator:
        return Point(key, label, None, tally.numerator, 0, "no_base", *rough)
    return Point(key, label, tally.numerator / tally.denominator, tally.numerator, tally.denominator, "", *rough)


def _count(question: Question, by: By | None) -> dict[str, _Tally]:
    found: dict[str, _Tally] = defaultdict(_Tally)
    for wanted in _passes(question.metric):
        for key, *numbers in _remembered([count for _part, count in wanted], question, by):
            tally = found[key]
            for (part, _same), number, estimated in zip(wanted, numbers[::2], numbers[1::2], strict=True):
                if part == "numerator":
                    tally.numerator += number
                    tally.estimated += estimated
                else:
                    tally.denominator += number
    if question.metric.kind == "P":
        for key, percentile in _percentiles(question.metric.denominator[0], question.span, by):
            found[key].percentile = percentile
    return found


def _passes(metric: Metric) -> Iterable[list[tuple[str, Count]]]:
    """The counts of the metric, those together that choose among the same rows: a rate of some of them to all reads
    them once."""
    passes: dict[Population, list[tuple[str, Count]]] = {}
    for part in ("numerator", "denominator"):
        for count in getattr(metric, part):
            passes.setdefault(replace(count.population, details=None), []).append((part, count))
    return passes.values()


def _remembered(counts: Sequence[Count], question: Question, by: By | None) -> Sequence[tuple[Any, ...]]:
    """What one asker asks again is not counted again; rows that were counted day by day are only added up."""
    span, known = question.span, question.asker.counted
    asked = (tuple(counts), span.start, span.end, span.window, question.filters)
    if (asked, by) not in known:
        by_day = None if by or any(count.distinct for count in counts) else known.get((asked, "day"))
        known[asked, by] = _added_up(by_day) if by_day else _counted(counts, span, by)
    return known[asked, by]


def _added_up(days: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [("", *map(sum, zip(*(numbers for _day, *numbers in days), strict=True)))]


def _counted(counts: Sequence[Count], span: Span, by: By | None) -> list[tuple[Any, ...]]:
    """(key, how many, of which estimated, and so on for each of the counts), all of one population."""
    population = any_of(count.population for count in counts)
    if by == "day" and population.moment:
        text, values = series(counts[0], span)
        days = fetch(text, values)
        return [((span.start + dt.timedelta(days=index - 1)).isoformat(), int(number), 0) for index, number in days]
    values = span.values(population)
    if by and len(counts) == 1 and counts[0].distinct:
        return fetch(_by_person(population, by), values)
    conditions = []
    for number, count in enumerate(counts):
        values[f"details_{number}"] = list(count.population.details or [])
        mine = f"p.detail = ANY(%(details_{number})s::text[])" if count.population.details else "true"
        conditions += [mine, f"{mine} AND p.estimated"]
    if by and all(count.distinct for count in counts):
        text = _by_person_and_detail(population, conditions, by)
    else:
        columns = [f"{counts[number // 2].aggregate} FILTER (WHERE {test})" for number, test in enumerate(conditions)]
        text = f"SELECT {_KEYS[by]}::text, {', '.join(columns)} FROM ({population.sql()}) p GROUP BY {_KEYS[by]}"  # noqa: S608
    found = fetch(text, values)  # a sum of nothing is none, one of shares has decimals
    return [(key, *(round(number or 0) for number in numbers)) for key, *numbers in found]


def _by_person(population: Population, by: By) -> str:
    """Distinct persons by a part: an index hands them out in their order, so that each is met once with little sorting."""
    persons = (
        f"SELECT DISTINCT ON (p.customer_id, part) {_KEYS[by]} AS part, p.customer_id, p.estimated"  # noqa: S608
        f" FROM ({population.sql()}) p ORDER BY p.customer_id, part, p.estimated DESC"
    )
    columns = "count(customer_id), count(customer_id) FILTER (WHERE estimated)"
    return f"SELECT part::text, {columns} FROM ({persons}) person GROUP BY part"  # noqa: S608


def _by_person_and_detail(population: Population, conditions: Sequence[str], by: By) -> str:
    """The same for several details at once: each once by hashing, as `count(DISTINCT …)` would sort them all."""
    marks = ", ".join(f"bool_or({test}) AS mark_{number}" for number, test in enumerate(conditions))
    columns = ", ".join(f"count(customer_id) FILTER (WHERE mark_{number})" for number in range(len(conditions)))
    persons = f"SELECT {_KEYS[by]} AS part, p.customer_id, {marks} FROM ({population.sql()}) p GROUP BY 1, 2"  # noqa: S608
    return f"SELECT part::text, {columns} FROM ({persons}) person GROUP BY part"  # noqa: S608


def _percentiles(count: Count, span: Span, by: By | None) -> list[tuple[str, int | None]]:
    text = (
        f"SELECT {_KEYS[by]}::text, percentile_disc(0.99) WITHIN GROUP (ORDER BY p.value) FILTER (WHERE p.value >= 0)"  # noqa: S608
        f" FROM ({count.population.sql()}) p GROUP BY {_KEYS[by]}"
    )
    return [(key, value) for key, value in fetch(text, span.values(count.population))]


def fetch(text: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a query over whole ledgers: counting 300,000 persons apart wants memory, and no compiler. What it looks
    up by key lies in memory, too: reading a wide table from end to end instead takes longer."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SET LOCAL work_mem = '48MB'; SET LOCAL jit = off; SET LOCAL random_page_cost = 1.1; {text}", values
        )
        return list(cursor.fetchall())


def narrowed(filters: Filters, by: By | None, key: str) -> Filters:
    """The filters of one part of a split."""
    if by == "channel":
        return replace(filters, channel=key)
    if by == "staff":
        return replace(filters, staff=key)
    return replace(filters, group_chat=key) if by == "group_chat" else filters
