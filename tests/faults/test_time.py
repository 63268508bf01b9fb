"""Clocks that disagree, dates from the future, the edges of months, and a domain that runs fast."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from campaigns.models import Broadcast, Delivery, Welcome
from campaigns.sending import compose, pace, rules
from contacts import sync
from contacts.models import SyncRun
from scrm.base import clock
from scrm.base.models import User
from scrm.base.work import run
from scrm.standin.clock import Clock
from tests.campaigns.tasks import Tasks
from tests.corp import Corp
from tests.faults.test_platform import time_passes
from tests.faults.worlds import nobody_twice_nobody_missing, ours, theirs

pytestmark = pytest.mark.timeout(240)


def synced() -> SyncRun:
    begun = sync.start()
    SyncRun.objects.filter(pk=begun.pk).update(accepted=True)
    run.run_due(["sync"])
    begun.refresh_from_db()
    return begun


@pytest.fixture(params=[-600, 600], ids=["behind", "ahead"])
def skewed(request: pytest.FixtureRequest, corp: Corp) -> Iterator[Corp]:
    """The platform's clock is ten minutes from ours."""
    corp.standin.world.clock = Clock(offset=request.param)
    yield corp


def test_a_lost_task_is_found_by_a_clock_ten_minutes_off(
    skewed: Corp, settings: Any, departments: list[Any], alice: User
) -> None:
    settings.SENDING, settings.QUIET_HOURS, settings.SEND_LOOKUP_DELAYS = "on", "none", (0.0, 0.0)
    tasks = Tasks(skewed)
    broadcast = compose.draft(alice, name="上新", audience_={"filter": {}}, text="新品上架")
    broadcast.save()
    pace.approve(broadcast, alice)
    tasks.fault("externalcontact/add_msg_template", "reset_after", times=2)

    tasks.work()
    tasks.confirm()

    nobody_twice_nobody_missing(skewed)
    assert tasks.recipients() == [["wmW0", "wmW1", "wmW2"], ["wmZ0", "wmZ1", "wmZ2"]]
    assert Counter(Delivery.objects.values_list("state", flat=True)) == {"sent": 6}
    assert Broadcast.objects.get().state == "done"


@pytest.mark.parametrize("skewed", [600], indirect=True)
def test_the_harness_catches_a_search_that_trusts_all_clocks(
    skewed: Corp, settings: Any, departments: list[Any], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "MOST_SKEW", dt.timedelta(minutes=5))
    settings.SENDING, settings.QUIET_HOURS, settings.SEND_LOOKUP_DELAYS = "on", "none", (0.0, 0.0)
    tasks = Tasks(skewed)
    broadcast = compose.draft(alice, name="上新", audience_={"filter": {}}, text="新品上架")
    broadcast.save()
    pace.approve(broadcast, alice)
    tasks.fault("externalcontact/add_msg_template", "reset_after", times=1)

    tasks.work(2)

    assert max(Counter(recipient for row in tasks.created() for recipient in row["recipients"]).values()) == 2


def test_a_welcome_and_both_ledgers_bear_a_clock_ten_minutes_off(skewed: Corp) -> None:
    """The 18 seconds of a code are counted by our own clock, from its receipt."""
    skewed.act("add", userid="wanglei", external_userid="wmLin")
    skewed.act("create_chat", owner="wanglei", chat_id="wrA", name="福利群")
    skewed.act("join", chat_id="wrA", members=["wmLin", "wmMei"])
    skewed.act("leave", chat_id="wrA", members="wmMei")
    skewed.deliver()

    time_passes()

    assert Welcome.objects.get().outcome == "sent"
    assert synced().state == "done"
    assert ours()["chats"] == theirs(skewed)["chats"]
    assert ours()["friends"] == theirs(skewed)["friends"]


def test_dates_a_year_ahead_do_not_hold_up_the_sync(corp: Corp) -> None:
    """Whoever came then is no newcomer whom a read may not know yet."""
    ahead = int(clock.now().timestamp()) + 365 * 86_400
    corp.act("add", userid="wanglei", external_userid="wmStays", welcome=False)
    corp.act("add", userid="wanglei", external_userid="wmGoes", welcome=False, at=ahead)
    corp.act("create_chat", owner="wanglei", chat_id="wrA", name="福利群")
    corp.act("join", chat_id="wrA", members=["wmStays", "wmGoes"], at=ahead)
    corp.deliver()
    time_passes()
    corp.act("delete_by_staff", callback=False, userid="wanglei", external_userid="wmGoes")
    corp.act("leave", callback=False, chat_id="wrA", members="wmGoes")

    assert synced().state == "done"

    assert ours()["friends"] == theirs(corp)["friends"] == {("wanglei", "wmStays", False)}
    assert ours()["chats"] == theirs(corp)["chats"]


def test_a_fast_domain_leaves_late_reads_their_real_seconds(settings: Any) -> None:
    settings.CLOCK_SPEED = 60.0
    now = clock.now()

    assert clock.is_young(now - dt.timedelta(minutes=9), 10.0, at=now)
    assert not clock.is_young(now - dt.timedelta(minutes=11), 10.0, at=now)
    assert not clock.is_young(now + dt.timedelta(minutes=16), 10.0, at=now)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "Pacific/Kiritimati"])
@pytest.mark.parametrize(
    ("moment", "most", "first"),
    [
        ("2028-02-29T15:59:59+00:00", 29, "2028-02-01"),
        ("2028-02-29T16:00:00+00:00", 31, "2028-03-01"),
        ("2027-02-28T16:00:00+00:00", 31, "2027-03-01"),
        ("2027-12-31T15:59:59+00:00", 31, "2027-12-01"),
    ],
)
def test_the_months_of_the_receive_rule_are_beijings(
    settings: Any, zone: str, moment: str, most: int, first: str
) -> None:
    settings.COMPANY_TIME_ZONE, settings.RECEIVE_RULE = zone, "month_total"

    rule = rules.receive_rule(dt.datetime.fromisoformat(moment))

    assert (rule.most, rule.start) == (most, dt.datetime.fromisoformat(f"{first}T00:00:00+08:00"))
    assert rule.start <= dt.datetime.fromisoformat(moment) < rule.end


@pytest.mark.parametrize(
    ("zone", "moment", "day", "hours"),
    [
        ("Asia/Shanghai", "2028-02-29T15:59:59+00:00", "2028-02-29", 24),
        ("Asia/Shanghai", "2028-02-29T16:00:00+00:00", "2028-03-01", 24),
        ("America/New_York", "2027-03-14T12:00:00+00:00", "2027-03-14", 23),
        ("America/New_York", "2027-11-07T12:00:00+00:00", "2027-11-07", 25),
    ],
)
def test_company_days_follow_the_companys_zone(settings: Any, zone: str, moment: str, day: str, hours: int) -> None:
    settings.COMPANY_TIME_ZONE = zone
    when = dt.datetime.fromisoformat(moment)

    found = clock.day_of(when)

    start, end = clock.day_start(found), clock.day_start(found + dt.timedelta(days=1))
    assert found.isoformat() == day
    assert start <= when < end
    assert end - start == dt.timedelta(hours=hours)
