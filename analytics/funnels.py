"""Funnels: exact and ordered, one person at a time, over the new customers of an interval."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from analytics import labels
from analytics.query import TOTAL, WHOLE, Unanswerable, fetch, narrowed
from analytics.rows import Rows, Set
from analytics.scope import Asker, Filters
from analytics.stats import SQL
from scrm.base import clock
from scrm.base.models import User

Breakdown = Literal["channel", "staff"]
Outcome = Literal["reached", "dropped", "waiting"]

# Steps in their only order; what a person needs to have reached them.
STEPS: Final[Mapping[str, str]] = {
    "added": "true",
    "welcomed": "welcomed IS NOT NULL",
    "joined": "joined IS NOT NULL",
    "stayed_7d": "stayed AND ripe",
}
TITLES: Final[Mapping[str, str | Promise]] = {
    "added": _("New customers"),
    "welcomed": _("Welcomed"),
    "joined": _("Joined a chat"),
    "stayed_7d": _("Still there after 7 days"),
}
_TIMES: Final = {"added": "at", "welcomed": "welcomed", "joined": "joined"}
_WINDOW_OPEN: Final = {"joined": "NOT closed", "stayed_7d": "NOT ripe"}


@dataclass(frozen=True)
class Step:
    """One step of one part. `customers` reached it; rates are fractions of the first and of the previous step.

    stayed_7d judges only persons added at least window + 7 days ago: `base` are those of the previous step who can be
    judged. `waiting` of the previous step have not reached this one and their window is still open.
    """

    key: str
    label: str
    step: str
    title: str
    customers: int
    rate: float | None
    rate_from_previous: float | None
    median_seconds: float | None
    base: int
    waiting: int

    @property
    def dropped(self) -> int:
        return self.base - self.customers


@dataclass(frozen=True)
class _Chain:
    """The chosen steps as SQL conditions that hold only if all steps before hold."""

    steps: tuple[str, ...]

    def reached(self, index: int) -> str:
        return " AND ".join(f"({STEPS[step]})" for step in self.steps[: index + 1]) if index >= 0 else "true"

    def judged(self, index: int) -> str:
        """Persons of the previous step of whom we can say whether they took this one."""
        return f"{self.reached(index - 1)} AND ripe" if self.steps[index] == "stayed_7d" else self.reached(index - 1)

    def waiting(self, index: int) -> str:
        still = _WINDOW_OPEN.get(self.steps[index], "false")
        return f"{self.reached(index - 1)} AND NOT ({self.reached(index)}) AND {still}"

    def columns(self) -> str:
        found = []
        for index, step in enumerate(self.steps):
            first = f"({STEPS[self.steps[0]]})" + (" AND ripe" if step == "stayed_7d" else "")
            for condition in (self.reached(index), first, self.judged(index), self.waiting(index)):
                found.append(f"count(*) FILTER (WHERE {condition})")
            found.append(self._median(index))
        return ", ".join(found)

    def _median(self, index: int) -> str:
        here = _TIMES.get(self.steps[index])
        before = _TIMES.get(self.steps[index - 1]) if index else None
        if here is None or before is None:
            return "NULL::float"
        seconds = f"greatest(0, extract(epoch FROM {here} - {before}))"
        return f"percentile_cont(0.5) WITHIN GROUP (ORDER BY {seconds}) FILTER (WHERE {self.reached(index)})"


@dataclass(frozen=True)
class Funnel:
    """`whole`: the steps of everybody, with the key "total". `parts`: those of each part, the largest first; none without a
    breakdown."""

    whole: list[Step]
    parts: list[Step]


def funnel(
    steps: Sequence[str],
    start: dt.date,
    end: dt.date,
    window_days: int = 7,
    breakdown: Breakdown | None = None,
    *,
    user: User | Asker,
    filters: Filters = WHOLE,
) -> Funnel:
    """The steps over the new customers of [start, end) in the user's scope, all and by part, out of one pass over the
    people. Raises Unanswerable for steps that don't exist or stand in another order.
    """
    chain, asker = _chain(steps), Asker.of(user)
    text, values = _people(chain, start, end, window_days, filters, asker)
    key = {"channel": "state", "staff": "coalesce(staff_id, 0)::text", None: "NULL"}[breakdown]
    groups = "GROUPING SETS ((1), ())" if breakdown else "()"
    query = f"SELECT {key}, {chain.columns()} FROM ({text}) person GROUP BY {groups}"  # noqa: S608  our own words
    found = {row[0]: list(row[1:]) for row in fetch(query, values)}
    whole = _steps(chain, TOTAL, "", found.pop(None))
    names = labels.names(breakdown, found, asker) if breakdown else {}
    parts = sorted(found, key=lambda part: (-found[part][0], part))
    return Funnel(whole, [step for part in parts for step in _steps(chain, *names[part], found[part])])


def funnel_rows(
    steps: Sequence[str],
    start: dt.date,
    end: dt.date,
    window_days: int = 7,
    *,
    step: str,
    outcome: Outcome = "reached",
    breakdown: Breakdown | None = None,
    key: str = "",
    user: User | Asker,
    filters: Filters = WHOLE,
) -> Rows:
    """The people behind a step: who reached it, who dropped before it, whose window is open. Counts equal `funnel`'s."""
    chain = _chain(steps)
    index = chain.steps.index(step)
    text, values = _people(chain, start, end, window_days, narrowed(filters, breakdown, key), user)
    condition = {
        "reached": chain.reached(index),
        "dropped": f"{chain.judged(index)} AND NOT ({chain.reached(index)})",
        "waiting": chain.waiting(index),
    }[outcome]
    columns = (
        "customer_id, staff_id, chat_id, state, at, day, '' AS detail, 1 AS value, false AS estimated,"
        " 'new_customers' AS source, source_id"
    )
    chosen = f"SELECT {columns} FROM ({text}) person WHERE {condition}"  # noqa: S608  our own words
    return Rows([Set(chosen)], values, at_once=True)


def _chain(steps: Sequence[str]) -> _Chain:
    known = list(STEPS)
    if not steps or any(step not in STEPS for step in steps):
        raise Unanswerable(f"steps are {', '.join(known)}")
    if [known.index(step) for step in steps] != sorted({known.index(step) for step in steps}):
        raise Unanswerable(f"steps come once and in this order: {', '.join(known)}")
    return _Chain(tuple(steps))


def _people(
    chain: _Chain, start: dt.date, end: dt.date, window_days: int, filters: Filters, user: User | Asker
) -> tuple[str, dict[str, Any]]:
    if filters.group_chat is not None:
        raise Unanswerable("a funnel does not know group chats")
    asker = Asker.of(user)
    chosen = asker.scope(filters)
    text = (SQL / "funnel.sql").read_text("utf-8")
    start = max(start, asker.connected or start)
    return text.format(after="w.at" if "welcomed" in chain.steps else "p.at"), {
        "start": start,
        "end": end,
        "since": clock.day_start(start),
        "until": clock.day_start(end),
        "window": dt.timedelta(days=window_days),
        "now": clock.now(),
        "staff": chosen.staff,
        "state": chosen.state,
    }


def _steps(chain: _Chain, key: str, label: str, numbers: Sequence[Any]) -> list[Step]:
    found = []
    for index, step in enumerate(chain.steps):
        customers, first, judged, waiting, median = numbers[index * 5 : index * 5 + 5]
        found.append(
            Step(
                key=key,
                label=label,
                step=step,
                title=str(TITLES[step]),
                customers=customers,
                rate=customers / first if first else None,
                rate_from_previous=None if index == 0 or not judged else customers / judged,
                median_seconds=None if median is None else float(median),
                base=judged,
                waiting=waiting,
            )
        )
    return found
