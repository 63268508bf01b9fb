"""The edges of months, in the company's zone and in UTC, and partitions that are not there yet: nothing is lost or fails."""

import datetime as dt
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from analytics import fill
from analytics.models import PARTITIONS as FACTS
from analytics.models import Fact
from campaigns.models import PARTITIONS as DELIVERIES
from campaigns.models import Delivery
from campaigns.sending import compose, pace
from scrm.base import clock
from scrm.base.models import User
from scrm.base.partitions import Monthly
from scrm.base.work import run
from scrm.wecom.models import Callback
from tests.campaigns.tasks import Tasks
from tests.corp import Corp
from tests.faults.installation import seen
from tests.faults.test_any_history import time_passes
from tests.faults.worlds import ours, theirs


@pytest.fixture(autouse=True)
def made_again(committed: None) -> Iterator[None]:
    yield
    for partitions in (FACTS, DELIVERIES):
        partitions.ensure([], today=clock.today())


def partitions_of(monthly: Monthly) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [monthly.table]
        )
        return {name for (name,) in cursor.fetchall()}


def drop(monthly: Monthly, *months: str) -> None:
    for name in {f"{monthly.table}_{month}" for month in months} & partitions_of(monthly):
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {name}")


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "UTC", "America/Los_Angeles"])
def test_callbacks_at_the_edge_of_a_month_count_on_the_companys_day(corp: Corp, settings: Any, zone: str) -> None:
    settings.COMPANY_TIME_ZONE = zone
    last = (clock.today().replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    edges = {clock.day_start(last), dt.datetime(last.year, last.month, 1, tzinfo=dt.UTC)}
    moments = [edge + dt.timedelta(seconds=shift) for edge in sorted(edges) for shift in (-1, 0)]
    drop(FACTS, f"{last:%Y%m}", f"{last - dt.timedelta(days=1):%Y%m}")

    for number, moment in enumerate(moments):
        at = int(moment.timestamp())
        corp.act("add", userid="wanglei", external_userid=f"wm{number}", at=at, welcome=False)
    corp.deliver()  # each is acknowledged
    for _ in range(2):
        run.run_due()
        time_passes(90)
    fill.fill_dirty()

    assert list(Callback.objects.order_by("happened_at").values_list("happened_at", flat=True)) == moments
    days = Counter(Fact.objects.filter(stat="adds").values_list("day", flat=True))
    assert days == Counter(clock.day_of(moment) for moment in moments)
    assert {(day.year, day.month) for day in days} == {(last.year, last.month), _month_before(last)}
    assert FACTS.stray_rows() == 0
    assert ours()["friends"] == theirs(corp)["friends"]


def _month_before(day: dt.date) -> tuple[int, int]:
    before = day - dt.timedelta(days=1)
    return before.year, before.month


def test_an_approval_before_the_nights_work_is_done_makes_its_own_month_alone(
    corp: Corp, departments: list[Any], settings: Any, alice: User
) -> None:
    """Else it would lock out, for as long as it lasts, everybody who reads deliveries, and fail beside another."""
    settings.SENDING, settings.QUIET_HOURS = "on", "none"
    Tasks(corp)
    today = clock.today()
    DELIVERIES.ensure([], today=today)
    year_ahead = today.replace(day=1, year=today.year + 1)
    drop(DELIVERIES, f"{today:%Y%m}", f"{year_ahead:%Y%m}")
    broadcast = compose.draft(alice, name="上新", audience_={"filter": {}}, text="新品上架")
    broadcast.save()

    pace.approve(broadcast, alice)

    made = partitions_of(DELIVERIES)
    assert f"campaigns_delivery_{today:%Y%m}" in made
    assert f"campaigns_delivery_{year_ahead:%Y%m}" not in made
    assert Delivery.objects.count() == 6
    assert DELIVERIES.stray_rows() == 0


def test_two_that_make_the_same_month_do_not_hinder_each_other() -> None:
    today = clock.today()
    DELIVERIES.ensure([], today=today)
    drop(DELIVERIES, f"{today:%Y%m}")
    made: list[list[str]] = []

    def second() -> None:
        made.append(DELIVERIES.ensure([today], today=today))
        connection.close()

    other = threading.Thread(target=second)
    with transaction.atomic():
        assert DELIVERIES.ensure([today], today=today) == [f"campaigns_delivery_{today:%Y%m}"]
        other.start()
        seen(_somebody_waits)
    other.join()

    assert made == [[]]


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])
