"""Populations: sets of rows that a number counts. A number and the list behind it are the same SQL."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, Literal

from analytics.scope import Scope
from analytics.stats import SQL
from scrm.base import clock

Edge = Literal["start", "end"]


@dataclass(frozen=True)
class Population:
    """A set of rows with the columns customer_id, staff_id, chat_id, state, at, day, detail, value, estimated, source_id.

    `file` names its SQL in analytics/sql/populations; `moment` says of which edge of the interval a state is taken;
    `stat` and `details` choose among its rows.
    """

    file: str
    stat: str = ""
    details: tuple[str, ...] | None = None
    moment: Edge | None = None

    def sql(self) -> str:
        return _text(self.file)


def any_of(populations: Iterable[Population]) -> Population:
    """The rows that any of these has, which differ in their details only."""
    found = list(populations)
    details = [population.details for population in found]
    chosen = None if None in details else tuple(dict.fromkeys(detail for some in details for detail in some or ()))
    return replace(found[0], details=chosen)


@dataclass(frozen=True)
class Count:
    """How many rows of a population, how many distinct persons in them, or the sum of the rows' values."""

    population: Population
    distinct: bool = False
    summed: bool = False

    @property
    def aggregate(self) -> str:
        """The number as SQL over the population's rows, called p."""
        if self.summed:
            return "sum(p.value)"
        return "count(DISTINCT p.customer_id)" if self.distinct else "count(*)"


@dataclass(frozen=True)
class Span:
    """An interval of company days [start, end) in a scope; `window` is a cohort's."""

    start: dt.date
    end: dt.date
    scope: Scope
    personas: list[int]
    window: dt.timedelta = dt.timedelta()

    def values(self, population: Population) -> dict[str, Any]:
        """The parameters of a population's SQL."""
        edge = self.start if population.moment == "start" else self.end
        return {
            "stat": population.stat,
            "details": list(population.details) if population.details else None,
            "start": self.start,
            "end": self.end,
            "since": clock.day_start(self.start),
            "until": clock.day_start(self.end),
            "moment": clock.day_start(edge),
            "window": self.window,
            "zone": str(clock.zone()),
            "personas": self.personas,
            "staff": self.scope.staff,
            "chats": self.scope.chats,
            "chat": self.scope.chat,
            "state": self.scope.state,
        }


# What series.sql needs to know about the two populations that are states and not happenings.
_PERIODS: Final[Mapping[str, Mapping[str, str]]] = {
    "friends": {
        "table": "contacts_follow",
        "begin": "p.added_at",
        "end": "p.ended_at",
        "condition": """p.staff_id <> ALL(%(personas)s::bigint[])
            AND (%(staff)s::bigint[] IS NULL OR p.staff_id = ANY(%(staff)s::bigint[]))
            AND (%(state)s::text IS NULL OR p.state = %(state)s::text)""",
    },
    "present": {
        "table": "groups_stay",
        "begin": "p.joined_at",
        "end": "p.left_at",
        "condition": """p.customer_id IS NOT NULL
            AND (%(chats)s::bigint[] IS NULL OR p.chat_id = ANY(%(chats)s::bigint[]))
            AND (%(state)s::text IS NULL OR p.state = %(state)s::text)""",
    },
}


def series(count: Count, span: Span) -> tuple[str, dict[str, Any]]:
    """The query for a state at the chosen edge of every day of the span: rows (1-based index of the day, count)."""
    shift = 0 if count.population.moment == "start" else 1
    length = (span.end - span.start).days
    moments = [clock.day_start(span.start + dt.timedelta(days=shift + index)) for index in range(length)]
    names = dict(_PERIODS[count.population.file])
    who = "p.customer_id" if count.distinct else "p.id"
    others = {f"q_{name}": names[name].replace("p.", "q.") for name in ("begin", "end", "condition")}
    text = _text("series").format(who=who, same=f"{who.replace('p.', 'q.')} = {who}", **names, **others)
    return text, {**span.values(count.population), "moments": moments, "first": moments[0], "last": moments[-1]}


@cache
def _text(file: str) -> str:
    return (SQL / "populations" / f"{file}.sql").read_text("utf-8")


def facts(stat: str, *details: str) -> Population:
    return Population("facts", stat, details or None)


def chat_facts(stat: str) -> Population:
    return Population("chat_facts", stat)


def friends() -> Population:
    """Friendships open at the end."""
    return Population("friends", moment="end")


def present(moment: Edge) -> Population:
    """Stays at an edge of the interval."""
    return Population("present", moment=moment)


def deliveries(*states: str) -> Population:
    """Recipients of the broadcasts planned for the interval, in these states as users read them."""
    return Population("deliveries", details=states or None)


def sends(to: Literal["", "customers", "chats"] = "") -> Population:
    """Recipients reached in the interval."""
    return Population("sends", to)


def tasks(*states: str) -> Population:
    """Staff tasks created in the interval."""
    return Population("tasks", details=states or None)
