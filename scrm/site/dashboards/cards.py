"""The six cards on top: the number, how it changed against the previous period, and the way to its rows."""

import datetime as dt
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as _

from analytics.metrics import METRICS
from analytics.query import Point, measure
from analytics.scope import Asker
from scrm.site.dashboards import wording
from scrm.site.dashboards.asked import Asked

_RATES: Final = ("add_to_join_rate", "retention_d7", "leave_rate")


def cards(asked: Asked, asker: Asker) -> list[dict[str, Any]]:
    """In the order of reading: adds, net, the three rates, customers."""
    numbers = {name: _pair(name, asked, asker) for name in ("adds", "losses", *_RATES, "customers")}
    return [
        _card("adds", *numbers["adds"], asked),
        _net(numbers["adds"], numbers["losses"], asked),
        *(_card(name, *numbers[name], asked) for name in _RATES),
        _card("customers", *numbers["customers"], asked),
    ]


def total(metric: str, asked: Asked, asker: Asker) -> Point:
    return measure(metric, start=asked.start, end=asked.end, filters=asked.filters, user=asker)[0]


def comparable(asked: Asked, asker: Asker) -> bool:
    """Whether the corp was connected during the whole previous period."""
    return asker.connected is None or asker.connected <= asked.before.start


def rows_address(metric: str, asked: Asked, *, part: str = "", by: str = "", key: str = "") -> str:
    query = asked.rows(by=by, key=key) + (f"&part={part}" if part else "")
    return f"{reverse('dashboards:rows', args=[metric])}?{query}"


def _pair(metric: str, asked: Asked, asker: Asker) -> tuple[Point, Point | None]:
    return total(metric, asked, asker), total(metric, asked.before, asker) if comparable(asked, asker) else None


def _card(name: str, now: Point, before: Point | None, asked: Asked) -> dict[str, Any]:
    metric = METRICS[name]
    moved = before and wording.change(now.value, before.value, good=metric.good, points=metric.is_rate)
    return {
        "id": name,
        "title": _titles()[name],
        "definition": metric.definition,
        "value": wording.shown(now, name),
        "unit": metric.unit,
        "link": rows_address(name, asked) if now.value is not None else "",
        "change": moved,
        "before": _before(before, name),
        "detail": _detail(now, name, asked),
        "estimated": now.estimated_rows,
    }


def _titles() -> dict[str, str]:
    """Short enough for a card; the tooltip holds the definition."""
    return {
        "adds": _("New friends"),
        "add_to_join_rate": _("Joined after adding"),
        "retention_d7": _("Kept for 7 days"),
        "leave_rate": str(METRICS["leave_rate"].title),
        "customers": str(METRICS["customers"].title),
    }


def _detail(now: Point, name: str, asked: Asked) -> list[dict[str, str]]:
    """Numerator and denominator, each with its rows; or why there is no value."""
    if now.value is None:
        return [{"text": wording.why_null(now.null_reason), "link": ""}]
    if not METRICS[name].is_rate:
        return []
    return [
        {"text": wording.count(getattr(now, part)), "link": rows_address(name, asked, part=part)}
        for part in ("numerator", "denominator")
    ]


def _before(point: Point | None, name: str) -> str:
    if point is None:
        return _("no comparison: before the connection")
    if point.value is None:
        return _("previous %(value)s") % {"value": wording.NOTHING}
    return _("previous %(value)s") % {"value": wording.shown(point, name)}


def _net(adds: tuple[Point, Point | None], losses: tuple[Point, Point | None], asked: Asked) -> dict[str, Any]:
    now, before = _difference(adds[0], losses[0]), _difference(adds[1], losses[1])
    known = adds[1] is not None
    return {
        "id": "net",
        "title": _("Net adds"),
        "definition": _("Adds less losses; hand-overs and leaving staff count on neither side."),
        "value": wording.signed(now),
        "unit": METRICS["adds"].unit,
        "link": "",
        "change": wording.change(now, before, good=1),
        "before": _("previous %(value)s") % {"value": wording.signed(before)}
        if known
        else _("no comparison: before the connection"),
        "detail": [
            {"text": f"{word} {wording.count(point.value)}", "link": rows_address(name, asked)}
            for name, word, point in (("adds", _("adds"), adds[0]), ("losses", _("losses"), losses[0]))
        ]
        if now is not None
        else [{"text": wording.why_null(adds[0].null_reason), "link": ""}],
        "estimated": 0,
    }


def _difference(plus: Point | None, minus: Point | None) -> float | None:
    if plus is None or minus is None or plus.value is None or minus.value is None:
        return None
    return plus.value - minus.value


def connection_note(asked: Asked, asker: Asker) -> dt.date | None:
    """The day of the connection where it lies inside the interval: earlier days are not counted."""
    return asker.connected if asker.connected and asker.connected > asked.start else None
