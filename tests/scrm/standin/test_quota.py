"""The receive quota: three rules, counted at confirmation, Beijing time (platform.md 1)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from scrm.standin.server import StandIn

BEIJING = timezone(timedelta(hours=8))


def at(day: int, hour: int = 12) -> float:
    return datetime(2026, 2, day, hour, tzinfo=BEIJING).timestamp()


@pytest.mark.parametrize(("rule", "total"), [("month_total", 28), ("week_7", 7), ("day_1", 1)])
def test_each_rule_has_its_total(standin: StandIn, rule: str, total: int) -> None:
    standin.settings.receive_rule = rule
    quota = standin.world.quota

    taken = [quota.take("wm1", at(10)) for _ in range(total + 1)]

    assert taken == [True] * total + [False]
    assert quota.left("wm1", at(10)) == 0
    assert quota.left("wr1", at(10)) == total


def test_a_day_begins_at_midnight_in_beijing(standin: StandIn) -> None:
    standin.settings.receive_rule = "day_1"
    quota = standin.world.quota

    assert quota.take("wm1", at(10, 23))
    assert not quota.take("wm1", at(10, 1))
    assert quota.take("wm1", at(11, 0))


def test_a_switched_rule_counts_what_was_sent_before(standin: StandIn) -> None:
    quota = standin.world.quota
    assert quota.take("wm1", at(10))

    standin.settings.receive_rule = "day_1"

    assert not quota.take("wm1", at(10))


def test_only_the_latest_periods_are_remembered(standin: StandIn) -> None:
    quota = standin.world.quota
    for day in range(1, 29):
        assert quota.take("wm1", at(day))

    assert sorted(quota.used) == [
        "d2026-02-26",
        "d2026-02-27",
        "d2026-02-28",
        "m2026-02",
        "w2026-07",
        "w2026-08",
        "w2026-09",
    ]
    assert not quota.take("wm1", at(28))
