"""`metrics/` and `funnels/`: what the numbers say is tested beside the numbers; here, how they are asked for."""

import datetime as dt
from typing import Any

import pytest

from analytics import fill
from analytics.metrics import METRICS
from scrm.base import clock
from tests.api.conftest import Api, World

pytestmark = pytest.mark.django_db

SHAPE = {"key", "label", "value", "numerator", "denominator", "null_reason", "estimated", "estimated_rows"}


def _attrs(answer: dict[str, Any]) -> list[str]:
    return [error["attr"] for error in answer["errors"]]


def test_a_count_is_one_whole_number(api: Api, world: World) -> None:
    fill.fill_dirty()

    assert api.get("metrics/", {"metric": "adds"}) == [
        {
            "key": "total", "label": "", "value": 2, "numerator": None, "denominator": None, "null_reason": None,
            "estimated": False, "estimated_rows": 0,
        }
    ]  # fmt: skip


def test_a_rate_is_a_fraction_with_its_parts(api: Api, world: World) -> None:
    fill.fill_dirty()

    (point,) = api.get("metrics/", {"metric": "welcome_rate"})

    assert (point["value"], point["numerator"], point["denominator"]) == (0.5, 1, 2)


def test_nothing_to_divide_by_is_null_with_the_reason(api: Api) -> None:
    (point,) = api.get("metrics/", {"metric": "welcome_rate"})

    assert (point["value"], point["null_reason"]) == (None, "no_base")


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("channel", {"parcel": 1, "": 1}),
        ("staff", {"wanglei": 1, "zhaomin": 1}),
    ],
)
def test_splits_by_the_keys_of_the_outside(api: Api, world: World, by: str, expected: dict[str, int]) -> None:
    fill.fill_dirty()

    assert {point["key"]: point["value"] for point in api.get("metrics/", {"metric": "adds", "by": by})} == expected


def test_days_before_the_corp_was_connected_are_unknown(api: Api, world: World) -> None:
    (point,) = api.get("metrics/", {"metric": "adds", "from": "2020-01-01", "to": "2020-02-01"})

    assert (point["value"], point["null_reason"]) == (None, "before_connection")


def test_thirty_company_days_up_to_today_unless_asked_otherwise(api: Api, world: World) -> None:
    days = [point["key"] for point in api.get("metrics/", {"metric": "adds", "by": "day"})]

    assert len(days) == 30
    assert (days[0], days[-1]) == ((clock.today() - dt.timedelta(days=29)).isoformat(), clock.today().isoformat())


def test_filters_narrow(api: Api, world: World) -> None:
    fill.fill_dirty()

    def adds(**query: str) -> int:
        return int(api.get("metrics/", {"metric": "adds", **query})[0]["value"])

    assert adds(channel="parcel") == 1
    assert adds(staff="zhaomin") == 1
    assert adds(department="2") == 1
    assert adds(department="1") == 2
    assert adds(channel="parcel", staff="zhaomin") == 0
    joins = api.get("metrics/", {"metric": "joins", "group_chat": "wrFuli"})
    assert joins[0]["value"] == 2  # staff never count


@pytest.mark.parametrize(
    ("query", "attr"),
    [
        ({}, "metric"),
        ({"metric": "happiness"}, "metric"),
        ({"metric": "adds", "by": "moon"}, "by"),
        ({"metric": "adds", "by": "group_chat"}, "by"),
        ({"metric": "adds", "group_chat": "wrFuli"}, "group_chat"),
        ({"metric": "confirm_rate", "by": "channel"}, "by"),
        ({"metric": "confirm_rate", "channel": "parcel"}, "channel"),
        ({"metric": "adds", "from": "yesterday"}, "from"),
        ({"metric": "adds", "from": "2026-13-01"}, "from"),
        ({"metric": "adds", "from": "0001-01-01"}, "from"),
        ({"metric": "adds", "to": "9999-12-31"}, "to"),
        ({"metric": "adds", "from": "2026-01-02", "to": "2026-01-02"}, "to"),
        ({"metric": "adds", "from": "1990-01-01", "to": "2026-01-02"}, "from"),
        ({"metric": "adds", "department": "sales"}, "department"),
        ({"metric": "adds", "state": "parcel"}, "state"),
    ],
)
def test_refuses_what_it_can_not_answer(api: Api, query: dict[str, str], attr: str) -> None:
    assert _attrs(api.get("metrics/", query, status=400)) == [attr]


def test_every_declared_metric_answers_in_one_shape(api: Api, world: World) -> None:
    fill.fill_dirty()

    for name, metric in METRICS.items():
        for by in [None, *metric.by]:
            for point in api.get("metrics/", {"metric": name, **({"by": by} if by else {})}):
                assert set(point) == SHAPE, name
                assert (point["value"] is None) == bool(point["null_reason"]), (name, by, point)


def test_the_dictionary_defines_every_metric(api: Api) -> None:
    rows = api.get("metrics/dictionary/")

    assert [row["name"] for row in rows] == list(METRICS)
    assert all(row["title"] and row["definition"] for row in rows)


def test_a_funnel_tells_each_step(api: Api, world: World) -> None:
    fill.fill_dirty()

    rows = api.post("funnels/", {"steps": ["added", "welcomed", "joined"]})

    assert [(row["step"], row["customers"], row["rate"]) for row in rows] == [
        ("added", 2, 1.0),
        ("welcomed", 1, 0.5),
        ("joined", 1, 0.5),
    ]
    assert [row["rate_from_previous"] for row in rows] == [None, 0.5, 1.0]


def test_a_funnel_breaks_down(api: Api, world: World) -> None:
    fill.fill_dirty()

    rows = api.post("funnels/", {"steps": ["added", "welcomed"], "breakdown": "staff"})

    assert {(row["key"], row["step"]): row["customers"] for row in rows} == {
        ("wanglei", "added"): 1, ("wanglei", "welcomed"): 1, ("zhaomin", "added"): 1, ("zhaomin", "welcomed"): 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "attr"),
    [
        ({}, "steps"),
        ({"steps": []}, "steps"),
        ({"steps": ["added", "flown"]}, "steps.1"),
        ({"steps": ["joined", "added"]}, "steps"),
        ({"steps": ["added", "added"]}, "steps"),
        ({"steps": "added"}, "steps"),
        ({"steps": ["added"], "window_days": 0}, "window_days"),
        ({"steps": ["added"], "window_days": 10**9}, "window_days"),
        ({"steps": ["added"], "breakdown": "moon"}, "breakdown"),
        ({"steps": ["added"], "from": "2026-01-02", "to": "2026-01-01"}, "to"),
        ({"steps": ["added"], "colour": 1}, "colour"),
        (["added"], None),
    ],
)
def test_refuses_a_funnel_that_it_does_not_understand(api: Api, body: Any, attr: str | None) -> None:
    assert _attrs(api.post("funnels/", body, status=400)) == [attr or "non_field_errors"]
