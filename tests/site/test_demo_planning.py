"""The demo's operator: plans today's and tomorrow's slots with the verbs of users, once, and leaves one for the newcomer."""

import datetime as dt
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from campaigns.models import Broadcast, Delivery, Dispatch
from campaigns.sending import pace
from scrm.base import clock
from scrm.base.models import AuditRecord, User, Work
from scrm.site.demo import planning
from scrm.site.demo.load import load
from scrm.site.demo.operator import operator
from scrm.site.demo.options import Options


@pytest.fixture
def at(settings: Any) -> Callable[[str], None]:
    """Sets the company's clock to an hour of today."""

    def turn(hour: str) -> None:
        settings.CLOCK_OFFSET = 0
        wanted = dt.datetime.combine(clock.today(), dt.time.fromisoformat(hour), clock.zone())
        settings.CLOCK_OFFSET = (wanted - clock.now()).total_seconds()

    return turn


@pytest.fixture
def noon(committed: None, at: Callable[[str], None]) -> None:
    """Midday in a corp with a week of history."""
    at("12:20")
    until = clock.now().replace(second=0, microsecond=0)
    load(Options(scenario="beauty", customers=400, days=7, until=until.isoformat()))


def planned() -> list[Broadcast]:
    return list(Broadcast.objects.filter(state="planned").order_by("create_at"))


def test_every_slot_of_today_and_tomorrow_is_planned_in_time(noon: None) -> None:
    made = planning.plan("beauty")

    drafts = Broadcast.objects.filter(state="draft")
    assert (made, drafts.count()) == (len(planned()) + 1, 1)
    today, tomorrow = clock.today(), clock.today() + dt.timedelta(days=1)
    assert {clock.day_of(row.create_at) for row in planned()} == {today, tomorrow}
    flash = [row for row in planned() if "20:00" in row.name]
    assert {(clock.day_start(clock.day_of(row.create_at)) - row.create_at, row.confirm_by - row.create_at) for row in flash} == {
        (-dt.timedelta(hours=19, minutes=45), dt.timedelta(minutes=45))
    }  # fmt: skip
    chats = [
        chat
        for row in planned()
        if row.to_chats and clock.day_of(row.create_at) == tomorrow
        for chat in row.audience["chat_ids"]
    ]
    assert max(Counter(chats).values()) == 1  # every group once a day
    assert all(row.planned > 0 for row in planned())
    assert Delivery.objects.filter(state="planned").count() == sum(row.planned for row in planned())
    assert Work.objects.filter(lane="send").count() == Dispatch.objects.unsettled().count()


def test_a_slot_under_way_starts_at_once_and_one_nearly_over_is_let_go(noon: None, at: Callable[[str], None]) -> None:
    at("15:55")
    planning.plan("beauty")

    today = [row.name for row in planned() if clock.day_of(row.create_at) == clock.today()]
    assert not [name for name in today if "09:00" in name or "10:00" in name or "13:00" in name]
    late = [row for row in planned() if "14:00" in row.name and clock.day_of(row.create_at) == clock.today()]
    assert late
    assert all(abs(clock.now() - row.create_at) < dt.timedelta(minutes=1) for row in late)


def test_planning_again_makes_nothing_new(noon: None) -> None:
    planning.plan("beauty")
    before = Broadcast.objects.count()

    assert planning.plan("beauty") == 0

    assert Broadcast.objects.count() == before


def test_the_draft_waits_for_whoever_approves_it(noon: None, alice: User) -> None:
    planning.plan("beauty")
    draft = Broadcast.objects.get(state="draft")

    assert "20:00" in draft.name
    assert pace.approve(draft, alice).planned > 0
    assert AuditRecord.objects.filter(user=alice).count() == 1
    assert planning.plan("beauty") == 0


def test_a_draft_that_nobody_approved_goes_when_its_time_has_passed(noon: None, settings: Any) -> None:
    planning.plan("beauty")
    draft = Broadcast.objects.get(state="draft")
    settings.CLOCK_OFFSET += 2 * 86_400

    planning.plan("beauty")

    assert not Broadcast.objects.filter(pk=draft.pk).exists()
    assert Broadcast.objects.filter(state="draft").count() == 1


def test_the_operator_cannot_log_in(committed: None) -> None:
    assert not operator().has_usable_password()
    assert User.objects.filter(username=operator().username).count() == 1


@pytest.mark.parametrize("scenario", ["", "empty", "mother_baby"])
def test_nothing_is_planned_where_there_are_no_slots(committed: None, scenario: str) -> None:
    assert planning.plan(scenario) == 0
    assert not Broadcast.objects.exists()
