"""The two charts, as plain series: the page draws them and shows the same numbers as a table."""

import datetime as dt
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from analytics.metrics import METRICS
from analytics.query import Point, measure
from analytics.scope import Asker
from scrm.site.dashboards import wording
from scrm.site.dashboards.asked import Asked
from scrm.site.dashboards.cards import comparable, rows_address


def trends(asked: Asked, asker: Asker) -> list[dict[str, Any]]:
    """Adds with the previous period and net, then joins against leaves; one value a day, None where nothing is known."""
    adds, losses = _days("adds", asked, asker), _days("losses", asked, asker)
    before = _days("adds", asked.before, asker) if comparable(asked, asker) else []
    joins, leaves = _days("joins", asked, asker), _days("leaves", asked, asker)
    net = [None if a.value is None or b.value is None else a.value - b.value for a, b in zip(adds, losses, strict=True)]
    return [
        _chart(
            "adds",
            _("Adds by day"),
            _("Times, by day; the dashed line is the previous period on the same days of the week."),
            adds,
            [
                _series(_("This period"), _values(adds), "now", rows=[_row("adds", asked, point) for point in adds]),
                *([_series(_("Previous period"), _values(before), "before")] if before else []),
                _series(_("Net"), net, "net"),
            ],
        ),
        _chart(
            "chats",
            _("Joins and leaves by day"),
            _("Joins upwards, leaves downwards; removals and dismissed chats are not counted."),
            joins,
            [
                _series(
                    str(METRICS["joins"].title),
                    _values(joins),
                    "up",
                    rows=[_row("joins", asked, point) for point in joins],
                ),
                _series(
                    str(METRICS["leaves"].title),
                    _values(leaves),
                    "down",
                    rows=[_row("leaves", asked, point) for point in leaves],
                ),
            ],
        ),
    ]


def _days(metric: str, asked: Asked, asker: Asker) -> list[Point]:
    return measure(metric, start=asked.start, end=asked.end, by="day", filters=asked.filters, user=asker)


def _values(points: list[Point]) -> list[float | None]:
    return [point.value for point in points]


def _row(metric: str, asked: Asked, point: Point) -> str:
    """The rows of one day; empty where there are none."""
    if not point.value:
        return ""
    day = dt.date.fromisoformat(point.key)
    return rows_address(metric, replace(asked, start=day, end=day + dt.timedelta(days=1)))


def _series(name: str, values: list[float | None], look: str, rows: list[str] | None = None) -> dict[str, Any]:
    known = [value for value in values if value is not None]
    return {
        "name": name,
        "values": values,
        "look": look,
        "total": wording.count(sum(known)) if known else wording.NOTHING,
        "rows": rows or [],
    }


def _chart(name: str, title: str, definition: str, points: list[Point], series: list[dict[str, Any]]) -> dict[str, Any]:
    days = [point.key[5:] for point in points]
    first = series[0]
    table = [
        {
            "day": point.key,
            "cells": [
                {
                    "label": one["name"],
                    "text": wording.count(one["values"][index]) if index < len(one["values"]) else wording.NOTHING,
                    "link": one["rows"][index] if index < len(one["rows"]) else "",
                }
                for one in series
            ],
            "why": wording.why_null(point.null_reason),
        }
        for index, point in enumerate(points)
    ]
    known = [(value, point.key) for value, point in zip(first["values"], points, strict=True) if value is not None]
    most = max(known, default=None)
    return {
        "name": name,
        "title": title,
        "definition": definition,
        "days": days,
        "series": series,
        "table": list(reversed(table)),
        "unknown": sum(point.null_reason == "before_connection" for point in points),
        "empty": not any(value for one in series for value in one["values"]),
        "aria": _("%(title)s, most on %(day)s: %(value)s")
        % {"title": title, "day": most[1], "value": wording.count(most[0])}
        if most
        else title,
    }
