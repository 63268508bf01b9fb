"""Who gets a broadcast from whom, and why the others don't. The forecast equals the frozen rows."""

import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from campaigns.models import Broadcast, Delivery, Dispatch
from campaigns.sending import compose, pace, plan
from contacts.models import Customer, Department, Staff, SyncRun
from scrm.base import clock, roles
from scrm.base.models import AuditRecord, User, Work
from scrm.base.roles import Role
from tests.conftest import operator
from tests.contacts.test_locks import wait_for_somebody_who_waits

Make = Callable[..., Any]


def reasons(broadcast: Broadcast) -> dict[str, str]:
    """Recipient → reason, "" for those who will get it."""
    rows = Delivery.objects.filter(broadcast=broadcast).select_related("customer", "chat")
    return {
        row.customer.external_userid if row.customer else row.chat.chat_id if row.chat else "": row.reason
        for row in rows
    }


def test_each_recipient_gets_one_row_with_the_reason_where_nothing_is_sent(
    befriend: Make, draft: Make, wanglei: Staff, alice: User
) -> None:
    left = Staff.objects.create(userid="gone", serves_customers=True, left_at=clock.now())
    befriend("wmFriend", wanglei)
    befriend("wmHalf", wanglei, half=True)
    befriend("wmOrphan", left)
    refuses = befriend("wmRefuses", wanglei)
    Customer.objects.filter(pk=refuses.pk).update(do_not_contact_at=clock.now())
    lost = befriend("wmLost", wanglei)
    lost.follows.update(ended_at=clock.now(), ended_by="customer")
    Customer.objects.create(external_userid="wmStranger")
    named = ["wmFriend", "wmHalf", "wmOrphan", "wmRefuses", "wmLost", "wmStranger", "wmFriend", "wmNobody"]

    expected = plan.forecast(draft(named))
    broadcast = pace.approve(draft(named, text="别的"), alice)

    assert reasons(broadcast) == {
        "wmFriend": "",
        "wmHalf": "half",
        "wmOrphan": "no_staff",
        "wmRefuses": "do_not_contact",
        "wmLost": "lost",
        "wmStranger": "no_staff",
    }
    excluded = {"half": 1, "no_staff": 2, "do_not_contact": 1, "lost": 1, "duplicate": 1, "unknown": 1}
    assert (expected.planned, expected.excluded) == (1, excluded)
    assert (broadcast.planned, broadcast.excluded) == (1, excluded)
    assert (expected.dispatches, expected.taps) == (1, {"wanglei": 1})


@pytest.mark.parametrize(
    ("choice", "sender"), [("owner", "wanglei"), ("latest", "zhaomin"), ("least_loaded", "zhaomin")]
)
def test_one_staff_member_writes_to_each_customer(
    befriend: Make, draft: Make, wanglei: Staff, zhaomin: Staff, choice: str, sender: str
) -> None:
    befriend("wmBoth", wanglei, zhaomin)
    befriend("wmOnlyWang", wanglei)  # so zhaomin is less loaded

    forecast = plan.forecast(draft(["wmBoth"], staff_choice=choice))
    both = plan.forecast(draft(["wmBoth", "wmOnlyWang"], staff_choice=choice))

    assert forecast.people == {sender if choice != "least_loaded" else "wanglei": 1}
    assert both.people == ({"wanglei": 2} if sender == "wanglei" else {"wanglei": 1, "zhaomin": 1})


@pytest.mark.parametrize(("synced", "friends_since", "planned"), [(False, False, 1), (True, False, 0), (True, True, 1)])
def test_who_has_the_customer_contact_function_is_told_by_a_sync_or_by_a_newer_friend(
    befriend: Make, draft: Make, departments: list[Department], synced: bool, friends_since: bool, planned: int
) -> None:
    staff = Staff.objects.create(userid="new", serves_customers=False)
    befriend("wmFriend", staff, days_ago=1 if friends_since else 9)
    if synced:
        SyncRun.objects.create(state="done", started_at=clock.now() - dt.timedelta(days=5))

    assert plan.forecast(draft(["wmFriend"])).planned == planned


def test_chats_go_to_their_owners(chat: Make, draft: Make, wanglei: Staff, alice: User) -> None:
    chat("wrA", wanglei)
    chat("wrOwnerless", None)
    chat("wrOver", wanglei, dismissed_at=clock.now())

    broadcast = pace.approve(draft(chats=["wrA", "wrOwnerless", "wrOver"]), alice)

    assert reasons(broadcast) == {"wrA": "", "wrOwnerless": "no_staff", "wrOver": "dismissed"}
    assert Dispatch.objects.get().staff == wanglei


def test_a_sender_of_many_gets_tasks_of_the_platforms_size(
    befriend: Make, draft: Make, wanglei: Staff, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "MAX_CUSTOMERS", 2)
    for number in range(5):
        befriend(f"wm{number}", wanglei)

    expected = plan.forecast(draft(chosen={}))
    pace.approve(draft(chosen={}, text="别的"), alice)

    assert (expected.dispatches, expected.taps, expected.people) == (3, {"wanglei": 3}, {"wanglei": 5})
    tasks = Dispatch.objects.order_by("number")
    assert [(row.number, row.recipients) for row in tasks] == [(0, 2), (1, 2), (2, 1)]
    assert Counter(Delivery.objects.values_list("dispatch_id", flat=True)) == {row.pk: row.recipients for row in tasks}


def test_a_filter_means_open_friendships_that_meet_all_of_it(
    befriend: Make, draft: Make, wanglei: Staff, zhaomin: Staff
) -> None:
    tagged = befriend("wmTagged", wanglei, zhaomin)
    tagged.follows.filter(staff=wanglei).update(tag_ids=["etVip"])
    befriend("wmPlain", wanglei)
    lost = befriend("wmLost", wanglei)
    lost.follows.update(ended_at=clock.now(), ended_by="customer", tag_ids=["etVip"])
    Customer.objects.filter(pk=lost.pk).update(open_follows=0)

    by_tag = plan.forecast(draft(chosen={"tags": ["etVip"]}))
    by_staff = plan.forecast(draft(chosen={"userids": ["zhaomin"]}))

    assert (by_tag.planned, by_tag.excluded) == (1, {})
    assert by_staff.people == {"zhaomin": 1}  # the staff named send, whoever has known the customer longer


def test_an_operator_reaches_nobody_outside_of_the_scope(
    befriend: Make, draft: Make, wanglei: Staff, zhaomin: Staff, bob: User
) -> None:
    befriend("wmShared", zhaomin, wanglei)
    befriend("wmTheirs", zhaomin)

    forecast = plan.forecast(draft(["wmShared", "wmTheirs"], user=bob))

    assert (forecast.people, forecast.excluded) == ({"wanglei": 1}, {"unknown": 1})


def test_a_deleted_department_leaves_nobody_to_send_to(befriend: Make, draft: Make, wanglei: Staff, bob: User) -> None:
    befriend("wmFriend", wanglei)
    broadcast = draft(["wmFriend"], user=bob)
    Department.objects.filter(pk=2).update(deleted_at=clock.now())
    wanglei.department_ids = [1]
    wanglei.save()

    assert plan.forecast(broadcast).planned == 0
    with pytest.raises(pace.NotNow):
        pace.approve(broadcast, bob)
    assert not Delivery.objects.exists()
    assert not Work.objects.exists()


@pytest.mark.parametrize(
    ("rule", "sent", "planned"),
    [
        ("month_total", 29, 1),
        ("month_total", 30, 0),
        ("week_7", 6, 1),
        ("week_7", 7, 0),
        ("day_1", 0, 1),
        ("day_1", 1, 0),
    ],
)
def test_the_receive_rule_counts_what_was_sent_and_what_is_pending(
    befriend: Make, draft: Make, wanglei: Staff, settings: Any, rule: str, sent: int, planned: int
) -> None:
    settings.RECEIVE_RULE = rule
    with time_machine.travel(dt.datetime(2026, 11, 26, 4, tzinfo=dt.UTC), tick=False):  # Thursday noon in Beijing
        customer = befriend("wmFriend", wanglei)
        before = draft(["wmFriend"], text="从前")
        others = [Delivery(plan_date=clock.today(), broadcast_id=before.pk + 1 + n, customer=customer, staff=wanglei,
                           state="sent", sent_at=clock.now() - dt.timedelta(hours=1)) for n in range(max(0, sent - 1))]  # fmt: skip
        Delivery.objects.bulk_create(others)
        if sent:  # approved, not confirmed yet: reserved
            Delivery.objects.create(plan_date=clock.today(), broadcast=before, customer=customer, state="planned")

        forecast = plan.forecast(draft(["wmFriend"]))

        assert (forecast.planned, forecast.excluded) == (planned, {} if planned else {"receive_rule": 1})


def test_what_was_sent_before_the_period_does_not_count(
    befriend: Make, draft: Make, wanglei: Staff, settings: Any
) -> None:
    settings.RECEIVE_RULE = "day_1"
    with time_machine.travel(dt.datetime(2026, 11, 25, 16, 30, tzinfo=dt.UTC), tick=False):  # 00:30 in Beijing
        customer = befriend("wmFriend", wanglei)
        yesterday = clock.now() - dt.timedelta(hours=1)
        Delivery.objects.create(
            plan_date=clock.today(), broadcast_id=1, customer=customer, state="sent", sent_at=yesterday
        )

        assert plan.forecast(draft(["wmFriend"])).planned == 1


def test_our_own_cap_and_quiet_hours_are_reasons(befriend: Make, draft: Make, wanglei: Staff, settings: Any) -> None:
    settings.SEND_CAP_PER_WEEK, settings.QUIET_HOURS = 1, "22:30-08:00"
    with time_machine.travel(dt.datetime(2026, 11, 26, 15, tzinfo=dt.UTC), tick=False):  # 23:00
        often = befriend("wmOften", wanglei)
        befriend("wmFriend", wanglei)
        Delivery.objects.create(
            plan_date=clock.today(), broadcast_id=1, customer=often, state="sent", sent_at=clock.now()
        )
        morning = clock.now() + dt.timedelta(hours=9)

        assert plan.forecast(draft(["wmOften", "wmFriend"])).excluded == {"cap": 1, "quiet_hours": 1}
        assert plan.forecast(draft(["wmOften", "wmFriend"], create_at=morning)).excluded == {"cap": 1}


def test_two_copies_of_one_message_reach_a_person_once(
    befriend: Make, draft: Make, wanglei: Staff, alice: User
) -> None:
    befriend("wmFriend", wanglei)
    befriend("wmNew", wanglei)
    pace.approve(draft(["wmFriend"]), alice)

    again = plan.forecast(draft(["wmFriend", "wmNew"]))

    assert (again.planned, again.excluded) == (1, {"duplicate": 1})
    assert plan.forecast(draft(["wmFriend"], text="别的")).planned == 1


def test_of_two_people_who_press_send_one_sends(
    befriend: Make, draft: Make, wanglei: Staff, alice: User, bob: User
) -> None:
    befriend("wmFriend", wanglei)
    broadcast = draft(["wmFriend"])
    pace.approve(broadcast, bob)

    with pytest.raises(pace.NotNow, match="bob"):
        pace.approve(broadcast, alice)

    assert Delivery.objects.count() == Dispatch.objects.count() == 1
    assert [(row.deed, row.username) for row in AuditRecord.objects.all()] == [("broadcast.approve", "bob")]


def test_a_plan_that_reaches_nobody_is_not_approved(draft: Make, alice: User) -> None:
    Customer.objects.create(external_userid="wmStranger")
    broadcast = draft(["wmStranger"])

    with pytest.raises(pace.NotNow):
        pace.approve(broadcast, alice)

    broadcast.refresh_from_db()
    assert broadcast.state == "draft"
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"audience_": {"external_userids": []}}, "audience"),
        ({"audience_": {"chat_ids": []}}, "audience"),
        ({"audience_": {}}, "audience"),
        ({"audience_": {"external_userids": ["wm1"], "chat_ids": ["wr1"]}}, "audience"),
        ({"audience_": {"segment": 1}}, "audience"),
        ({"audience_": {"filter": {"nonsense": ["x"]}}}, "audience"),
        ({"audience_": {"filter": {"tags": []}}}, "audience"),
        ({"audience_": {"filter": {"added_after": "2026-11-01"}}}, "audience"),
        ({"text": "字" * 1333 + "ab"}, "text"),
        ({"text": " "}, "text"),
        ({"text": "{customer}您好"}, "text"),
        ({"attachments": [{"msgtype": "link", "link": {"title": "x"}}]}, "attachments"),
        ({"attachments": [{"msgtype": "voice", "voice": {}}]}, "attachments"),
        ({"attachments": [{"msgtype": "image", "image": {"pic_url": "https://x/1"}}] * 10}, "attachments"),
        ({"create_at": dt.timedelta(minutes=-6)}, "create_at"),
        ({"create_at": dt.timedelta(days=32)}, "create_at"),
        ({"confirm_by": dt.timedelta(minutes=-1)}, "confirm_by"),
        ({"attachments": [{"msgtype": "file", "file": {"media_id": "m"}, "extra": 1}]}, "attachments"),
        ({"attachments": [{"msgtype": "file", "file": {"media_id": "m\0"}}]}, "attachments"),
        ({"text": "新品\0"}, "text"),
        ({"text": "新品\ud83d"}, "text"),
        ({"name": "上\0新"}, "name"),
        ({"audience_": {"external_userids": ["wm\0"]}}, "audience"),
        ({"audience_": {"filter": {"tags": ["et\0"]}}}, "audience"),
        ({"name": " "}, "name"),
        ({"staff_choice": "anybody"}, "staff_choice"),
    ],
)
def test_bad_input_is_named(alice: User, given: dict[str, Any], field: str) -> None:
    times = {key: clock.now() + value for key, value in given.items() if isinstance(value, dt.timedelta)}
    good: dict[str, Any] = {"name": "上新", "audience_": {"external_userids": ["wm1"]}, "text": "新品"}

    with pytest.raises(ValidationError) as caught:
        compose.draft(alice, **{**good, **given, **times})

    assert set(caught.value.message_dict) == {field}


def test_a_text_of_exactly_the_limit_is_taken(alice: User) -> None:
    compose.draft(alice, name="上新", audience_={"external_userids": ["wm1"]}, text="字" * 1333 + "a")


def test_who_approves_sees_drafts_of_makers_whose_scope_lies_in_their_own(
    draft: Make, departments: list[Department], alice: User, bob: User
) -> None:
    manager = operator("mona", department_ids=[2])
    roles.give(manager, Role.MANAGER)
    elsewhere = operator("otto", department_ids=[3])
    wider = operator("wilma", department_ids=[1])
    colleague = operator("carl", department_ids=[2])
    named = [draft(["wm1"], user=user).pk for user in (alice, bob, elsewhere, wider)]

    def seen(user: User) -> list[int]:
        return [named.index(row.pk) for row in Broadcast.objects.visible_to(user).order_by("pk")]

    assert seen(manager) == [1]
    assert seen(colleague) == []
    roles.give(wider, Role.MANAGER)
    assert seen(User.objects.get(pk=wider.pk)) == [1, 2, 3]  # 2 and 3 are children of 1


def test_who_sees_a_part_only_neither_approves_nor_stops_the_whole(
    befriend: Make, draft: Make, wanglei: Staff, zhaomin: Staff, alice: User, bob: User
) -> None:
    befriend("wmWang", wanglei)
    befriend("wmZhao", zhaomin)
    broadcast = draft(["wmWang", "wmZhao"])

    with pytest.raises(pace.NotNow):
        pace.approve(broadcast, bob)
    assert not Dispatch.objects.exists()

    pace.approve(broadcast, alice)
    for move in (pace.pause, pace.cancel):
        with pytest.raises(pace.NotNow):
            move(broadcast, bob)
    broadcast.refresh_from_db()
    assert broadcast.state == "planned"


def test_of_two_approved_at_once_the_second_counts_the_first(
    committed: None, befriend: Make, draft: Make, wanglei: Staff, alice: User
) -> None:
    befriend("wmLin", wanglei)
    befriend("wmMei", wanglei)
    first, second = draft(["wmLin"]), draft(["wmLin", "wmMei"])

    def approve_second() -> None:
        try:
            pace.approve(second, alice)
        finally:
            connection.close()

    other = threading.Thread(target=approve_second)
    with transaction.atomic():
        pace.approve(first, alice)
        other.start()
        wait_for_somebody_who_waits()
    other.join()

    assert (reasons(first), reasons(second)) == ({"wmLin": ""}, {"wmLin": "duplicate", "wmMei": ""})
