"""The funnel and the table that splits it."""

from collections.abc import Sequence
from typing import Any, Final

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from analytics.funnels import STEPS, Breakdown, Outcome, Step, funnel
from analytics.metrics import METRICS, By
from analytics.query import Point, measure
from analytics.scope import Asker
from scrm.site.dashboards import wording
from scrm.site.dashboards.asked import Asked
from scrm.site.dashboards.cards import comparable, rows_address

WINDOW_DAYS: Final = 2  # that of the join rate
NAMES: Final = list(STEPS)
ENOUGH: Final = 30  # people from which a rate is coloured against the whole
MARKED: Final = 0.05
MOST_ROWS: Final = 100


def people_address(asked: Asked, step: str, outcome: Outcome, *, by: str = "", key: str = "") -> str:
    query = asked.rows(by=by, key=key) + "&" + urlencode({"step": step, "outcome": outcome})
    return f"{reverse('dashboards:people')}?{query}"


def funnel_and_table(asked: Asked, asker: Asker) -> dict[str, Any]:
    """The funnel's card and the chosen split, `{"funnel", "table"}`: both show the same people, who are counted once."""
    by: Breakdown | None = None if asked.table == "group_chat" else "staff" if asked.table == "staff" else "channel"
    span = (asked.start, asked.end, WINDOW_DAYS)
    found = funnel(NAMES, *span, by, user=asker, filters=asked.filters)
    table = _people(asked, asker, by, found.whole, found.parts) if by else _chats(asked, asker)
    return {"funnel": _card(asked, asker, found.whole), "table": table}


def _card(asked: Asked, asker: Asker, now: Sequence[Step]) -> dict[str, Any]:
    """The steps with this and the previous period, and the sentence on the greatest drop."""
    before = _before(asked.before, asker) if comparable(asked, asker) else []
    steps = [_step(index, now, before, asked) for index in range(len(now))]
    return {"steps": steps, "compared": bool(before), "empty": not now[0].customers, "greatest": _greatest(now)}


def _before(asked: Asked, asker: Asker) -> list[Step]:
    return funnel(NAMES, asked.start, asked.end, WINDOW_DAYS, user=asker, filters=asked.filters).whole


def _step(index: int, now: Sequence[Step], before: Sequence[Step], asked: Asked) -> dict[str, Any]:
    step, old = now[index], before[index] if before else None
    first = index == 0
    value, was = _moved(step, first), _moved(old, first) if old else None
    return {
        "number": index + 1,
        "step": step.step,
        "title": step.title,
        "count": wording.count(step.customers) if step.base or first else wording.NOTHING,
        "link": people_address(asked, step.step, "reached"),
        "height": _percent(step.rate),
        "height_before": _percent(old.rate) if old else 0,
        "rate": wording.rate(step.rate),
        "from_previous": "" if first else wording.rate(step.rate_from_previous),
        "change": wording.change(value, was, good=1, points=not first) if was is not None else None,
        "before": _("previous %(value)s") % {"value": wording.count(old.customers)} if old else "",
        "median": wording.lasting(step.median_seconds) if step.median_seconds is not None else "",
        "judged": wording.count(step.base) if step.step == "stayed_7d" and step.waiting else "",
        "dropped": step.dropped,
        "dropped_text": wording.count(step.dropped),
        "dropped_share": wording.rate(step.dropped / step.base) if step.base else wording.NOTHING,
        "dropped_title": dropped_words()[step.step],
        "dropped_link": people_address(asked, step.step, "dropped"),
        "waiting": wording.count(step.waiting) if step.waiting else "",
        "waiting_link": people_address(asked, step.step, "waiting"),
    }


def _moved(step: Step, first: bool) -> float | None:
    """What is compared: people at the first step, then the share of the previous step."""
    return step.customers if first else step.rate_from_previous


def dropped_words() -> dict[str, str]:
    return {
        "added": "",
        "welcomed": _("not welcomed"),
        "joined": _("did not join"),
        "stayed_7d": _("left within 7 days"),
    }


def _percent(rate: float | None) -> float:
    return round((rate or 0) * 100, 1)


def _greatest(steps: Sequence[Step]) -> str:
    """A sentence only where there are enough people to say one."""
    if steps[0].customers < ENOUGH:
        return _("Fewer than %(n)d people: too few to draw conclusions.") % {"n": ENOUGH}
    index = max(range(1, len(steps)), key=lambda number: steps[number].dropped)
    step = steps[index]
    return _("The greatest drop is at step %(n)d, “%(title)s”: %(people)s people.") % {
        "n": index + 1, "title": step.title, "people": wording.count(step.dropped),
    }  # fmt: skip


# --- the table ---------------------------------------------------------------------------------------------------------
def _cell(label: str, text: str, link: str = "", tone: str = "") -> dict[str, str]:
    return {"label": label, "text": text, "link": link if text not in ("0", wording.NOTHING) else "", "tone": tone}


def _people(asked: Asked, asker: Asker, by: Breakdown, whole: Sequence[Step], split: Sequence[Step]) -> dict[str, Any]:
    """Columns and rows of the split; the last row is the whole, persons counted once."""
    parts: dict[str, list[Step]] = {}
    for step in split:
        parts.setdefault(step.key, []).append(step)
    adds = _points("adds", by, asked, asker)
    losses = _points("losses", by, asked, asker)
    labels = {point.key: point.label for point in [*adds.values(), *losses.values()]}
    labels |= {key: steps[0].label for key, steps in parts.items()}
    keys = sorted(labels, key=lambda key: (-(parts[key][0].customers if key in parts else 0), key))
    rows = [
        _people_row(labels[key], asked, parts.get(key), adds.get(key), losses.get(key), whole, by, key)
        for key in keys[:MOST_ROWS]
    ]
    sums = [_measure("adds", asked, asker), _measure("losses", asked, asker)]
    last = _people_row(_("Total (each person once)"), asked, whole, sums[0], sums[1], whole, "", "")
    return {"rows": rows, "total": last, "more": max(0, len(keys) - MOST_ROWS), "kind": asked.table}


def _people_row(
    label: str, asked: Asked, steps: Sequence[Step] | None, adds: Point | None, losses: Point | None,
    whole: Sequence[Step], by: str, key: str,
) -> dict[str, Any]:  # fmt: skip
    part = {"by": by, "key": key}
    cells = [
        _cell(str(METRICS["adds"].title), wording.count(adds.value if adds else 0), rows_address("adds", asked, **part))
    ]
    for index, name in enumerate(NAMES):
        step = steps[index] if steps else None
        title = whole[index].title
        number = wording.NOTHING if step and index and not step.base else wording.count(step.customers if step else 0)
        cells.append(_cell(title, number, people_address(asked, name, "reached", **part)))
        if name in ("joined", "stayed_7d"):
            cells.append(_rate_cell(name, step, whole[index] if by else None))
    cells.append(
        _cell(
            str(METRICS["losses"].title),
            wording.count(losses.value if losses else 0),
            rows_address("losses", asked, **part),
        )
    )
    return {"label": label, "cells": cells}


def _rate_cell(name: str, step: Step | None, whole: Step | None) -> dict[str, str]:
    """Coloured where it stands out from the whole and there are enough people to say so."""
    title = _("of new customers") if name == "joined" else _("of those who joined")
    value, mean = (_share(name, one) if one else None for one in (step, whole))
    tone = ""
    if value is not None and mean is not None and step and step.base >= ENOUGH and abs(value - mean) >= MARKED:
        tone = "c-up" if value > mean else "c-dn"
    return _cell(title, wording.rate(value), "", tone)


def _share(name: str, step: Step) -> float | None:
    return step.rate if name == "joined" else step.rate_from_previous


def _chats(asked: Asked, asker: Asker) -> dict[str, Any]:
    names = ("joins", "joiners", "leaves", "leave_rate", "removals", "retention_d7", "members")
    found = {name: _points(name, "group_chat", asked, asker) for name in names}
    labels = {point.key: point.label for points in found.values() for point in points.values()}
    empty = Point("", "", 0, 0, 0)
    keys = sorted(labels, key=lambda key: (-(found["joins"].get(key, empty).value or 0), key))
    rows = [
        {"label": labels[key], "cells": [_chat_cell(name, found[name].get(key), asked, key) for name in names]}
        for key in keys[:MOST_ROWS]
    ]
    last = {
        "label": _("Total (each person once)"),
        "cells": [_chat_cell(name, _measure(name, asked, asker), asked, "") for name in names],
    }
    return {"rows": rows, "total": last, "more": max(0, len(keys) - MOST_ROWS), "kind": "group_chat"}


def _chat_cell(name: str, point: Point | None, asked: Asked, key: str) -> dict[str, str]:
    metric = METRICS[name]
    text = wording.shown(point, name) if point else wording.NOTHING if metric.is_rate else "0"
    by = "group_chat" if key else ""
    link = rows_address(name, asked, by=by, key=key, part="numerator" if metric.is_rate else "")
    return _cell(str(metric.title), text, link if text != "0.0%" else "")


def _points(metric: str, by: By, asked: Asked, asker: Asker) -> dict[str, Point]:
    points = measure(metric, start=asked.start, end=asked.end, by=by, filters=asked.filters, user=asker)
    return {point.key: point for point in points}


def _measure(metric: str, asked: Asked, asker: Asker) -> Point:
    return measure(metric, start=asked.start, end=asked.end, filters=asked.filters, user=asker)[0]
