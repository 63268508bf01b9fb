"""The home page's answers about sending: who has to confirm, what may still be received, how much room is left."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import translation

from analytics.scope import Asker
from campaigns.models import PARTITIONS, Broadcast, Delivery, Dispatch, Reminder
from campaigns.sending import rules
from contacts.models import Customer, Follow, Staff, SyncRun
from groups.models import GroupChat
from scrm.base import clock
from scrm.base.models import User
from scrm.site.console import allowance, confirmations, happenings, room

LATER = dt.timedelta(hours=3)


@pytest.fixture(autouse=True)
def _noon(settings: Any) -> Iterator[None]:
    """It is midday on the 20th of a month of 30 days, so that today and this month have a past; sentences are English."""
    settings.CLOCK_OFFSET = 0
    wanted = dt.datetime(2026, 11, 20, 12, tzinfo=clock.zone())
    settings.CLOCK_OFFSET = (wanted - clock.now()).total_seconds()
    with translation.override("en"):
        yield


@pytest.fixture
def approver(alice: User, bob: User) -> User:
    """bob of department 2, who may approve broadcasts."""
    bob.user_permissions.add(Permission.objects.get(codename="approve_broadcast"))
    return User.objects.get(pk=bob.pk)


def broadcast(user: User, to: str, name: str = "20:00 秒杀", *, ago: dt.timedelta = dt.timedelta(minutes=20), **given: Any) -> Broadcast:  # fmt: skip
    at = clock.now() - ago
    fields = {
        "name": name, "to": to, "audience": {"filter": {}}, "text": "x", "digest": name, "create_at": at, "confirm_by": at + LATER,
        "state": "running", "created_by": user, "created_at": at, "plan_date": clock.day_of(at), **given,
    }  # fmt: skip
    return Broadcast.objects.create(**fields)


def task(row: Broadcast, staff: Staff, state: str, recipients: int = 5, **given: Any) -> Dispatch:
    number = row.dispatches.filter(staff=staff).count()
    return Dispatch.objects.create(
        broadcast=row, staff=staff, number=number, digest=row.digest, recipients=recipients, state=state, sent_at=row.create_at, **given
    )  # fmt: skip


# --- who has to confirm -----------------------------------------------------------------------------------------------


def test_names_who_has_not_confirmed_with_the_nearest_deadline_first(
    alice: User, wanglei: Staff, zhaomin: Staff
) -> None:
    hurry = broadcast(alice, "group", confirm_by=clock.now() + dt.timedelta(minutes=12, seconds=30))
    calm = broadcast(alice, "single", "早安")
    task(hurry, wanglei, "confirmed")
    task(hurry, zhaomin, "sent", 71)
    waiting = task(calm, wanglei, "sent", 900)
    Reminder.objects.create(dispatch=waiting, state="sent", asked_at=clock.now() - dt.timedelta(hours=1))
    Reminder.objects.create(dispatch=waiting, state="sent", asked_at=clock.now() - dt.timedelta(hours=25))
    Reminder.objects.create(dispatch=waiting, state="refused", asked_at=clock.now())

    found = confirmations.confirmations(alice)

    assert (found["confirmed"], found["due"]) == (1, 3)
    assert found["waiting"] == {"tasks": 2, "staff": 2, "people": 900, "chats": 71}
    assert [(row["dispatch"].staff, row["left"], row["hurry"], row["nudges"]) for row in found["tasks"]] == [
        (zhaomin, "12 min left", True, 0),
        (wanglei, "2 h 39 min left", False, 1),
    ]


def test_a_slot_gathers_the_tasks_created_in_one_minute(alice: User, wanglei: Staff, zhaomin: Staff) -> None:
    morning = broadcast(alice, "group", "早安", ago=LATER, state="done")
    late = broadcast(alice, "single", "早安好友", ago=LATER - dt.timedelta(seconds=1), state="done")
    task(morning, wanglei, "confirmed")
    task(late, wanglei, "unconfirmed")
    task(late, zhaomin, "cancelled")  # asks nobody for anything
    evening = broadcast(alice, "group", "晚安", ago=-LATER, state="planned")
    task(evening, wanglei, "planned")
    yesterday = broadcast(alice, "group", "昨天", ago=dt.timedelta(days=1), state="done")
    task(yesterday, wanglei, "confirmed")

    slots = confirmations.confirmations(alice)["slots"]

    assert [(slot.tasks, slot.confirmed, slot.expired, slot.kind) for slot in slots] == [
        (2, 1, 1, "bad"),
        (1, 0, 0, ""),
    ]


def test_tells_what_comes_next_when_nobody_has_to_confirm(alice: User, wanglei: Staff) -> None:
    task(broadcast(alice, "group", "晚安", ago=-LATER, state="planned"), wanglei, "planned")
    task(broadcast(alice, "group", "消夜", ago=-2 * LATER, state="planned"), wanglei, "planned")

    found = confirmations.confirmations(alice)

    assert (found["tasks"], str(found["next"]["broadcast"])) == ([], "晚安")


def test_tasks_of_a_cancelled_broadcast_are_nobodys_duty(alice: User, wanglei: Staff) -> None:
    task(broadcast(alice, "group", state="cancelled"), wanglei, "sent")

    assert confirmations.confirmations(alice)["waiting"]["tasks"] == 0


def test_shows_nothing_of_another_department(alice: User, bob: User, wanglei: Staff, zhaomin: Staff) -> None:
    row = broadcast(alice, "group")
    task(row, wanglei, "sent", 3)
    task(row, zhaomin, "sent", 4)

    found = confirmations.confirmations(bob)

    assert [row["dispatch"].staff for row in found["tasks"]] == [wanglei]
    assert (found["waiting"]["chats"], found["due"], found["may_remind"]) == (3, 1, False)


def test_drafts_and_stops_wait_for_those_who_may_approve(
    alice: User, bob: User, approver: User, wanglei: Staff
) -> None:
    broadcast(approver, "group", "草稿", state="draft", ago=-LATER)
    broadcast(approver, "group", "过期草稿", state="draft", ago=2 * LATER)
    broadcast(alice, "group", "别人的草稿", state="draft", ago=-LATER)
    stopped = broadcast(alice, "group", "停", state="paused", stop_reason="3 tasks were refused")
    task(stopped, wanglei, "refused")

    assert [item["kind"] for item in confirmations.todos(approver)] == ["bad", "warn"]
    assert confirmations.todos(approver)[1]["text"] == "1 drafts of broadcasts wait for approval"
    assert confirmations.todos(alice)[1]["text"] == "2 drafts of broadcasts wait for approval"
    assert confirmations.todos(User.objects.create_user("dora", sees_all=True)) == []


# --- what may still be received ---------------------------------------------------------------------------------------


def delivered(user: User, staff: Staff, count: int, *, state: str = "sent", **to: Any) -> None:
    """So many broadcasts of this month that reached (or did not reach) one recipient."""
    kind = "group" if "chat" in to else "single"
    for number in range(count):
        at = clock.now() - dt.timedelta(hours=number + 1)
        row = broadcast(user, kind, f"{kind} {number}", ago=dt.timedelta(hours=number + 1), state="done")
        done = task(row, staff, "confirmed", 1, confirmed_at=at)
        sent_at = at if state == "sent" else None
        Delivery.objects.create(
            plan_date=clock.day_of(at), broadcast=row, dispatch=done, staff=staff, state=state, sent_at=sent_at, **to
        )


@pytest.fixture
def received(alice: User, wanglei: Staff, zhaomin: Staff) -> None:
    """A full group, one that WeCom says is full, one nearly full, one fresh; a full customer and a nearly full one."""
    PARTITIONS.ensure([clock.today()], today=clock.today())
    chats = [
        GroupChat.objects.create(chat_id=f"wr{n}", name=f"{n}", owner=zhaomin if n == 3 else wanglei) for n in range(4)
    ]
    people = [Customer.objects.create(external_userid=f"wm{n}") for n in range(3)]
    delivered(alice, wanglei, 30, chat=chats[0])
    delivered(alice, wanglei, 12, chat=chats[1])
    delivered(alice, wanglei, 1, chat=chats[1], state="over_quota")
    delivered(alice, wanglei, 28, chat=chats[2])
    delivered(alice, zhaomin, 2, chat=chats[3])
    delivered(alice, wanglei, 30, customer=people[0])
    delivered(alice, wanglei, 27, customer=people[1])
    delivered(alice, wanglei, 26, customer=people[2])


def test_counts_who_is_at_the_limit_of_the_month_and_who_near_it(received: None, alice: User) -> None:
    found = allowance.allowance(alice)

    assert found["rule"] == rules.receive_rule(clock.now())
    assert (found["chats"], found["chats_full"], found["chats_near"], found["chats_mean"]) == (4, 2, 1, 18.0)
    assert (found["customers_near"], found["customers_full"]) == (1, 1)
    assert (found["over_chats"], found["over_customers"]) == (1, 0)
    assert found["until"] == dt.date(2026, 12, 1)


def test_what_was_received_last_month_does_not_count(received: None, alice: User, settings: Any) -> None:
    settings.CLOCK_OFFSET += 15 * 86_400

    found = allowance.allowance(alice)

    assert (found["chats_full"], found["chats_near"], found["customers_near"], found["over_chats"]) == (0, 0, 0, 0)


def test_the_allowance_keeps_to_the_scope(received: None, bob: User, charlie: User) -> None:
    assert allowance.allowance(bob)["chats"] == 3
    assert allowance.allowance(bob)["chats_mean"] == pytest.approx(70 / 3)
    nothing = allowance.allowance(charlie)
    assert (nothing["chats"], nothing["customers_full"], nothing["chats_mean"]) == (0, 0, None)


# --- room -------------------------------------------------------------------------------------------------------------


def test_tells_how_long_spare_places_last_and_which_account_is_nearly_full(
    alice: User, wanglei: Staff, zhaomin: Staff, settings: Any
) -> None:
    settings.STAFF_CAPACITY = 10
    GroupChat.objects.create(chat_id="wr1", name="1", owner=wanglei, people=180)
    GroupChat.objects.create(chat_id="wr2", name="2", owner=wanglei, people=120)
    for number in range(11):
        customer = Customer.objects.create(external_userid=f"wm{number}")
        staff = wanglei if number < 9 else zhaomin
        Follow.objects.create(staff=staff, customer=customer, added_at=clock.now() - dt.timedelta(days=90))

    found = room.capacity(Asker(alice), joins=50)

    assert (found["free"], found["lasts_hours"], found["lasts_days"]) == (100, 48.0, 2)
    assert (found["nearly_full"], found["accounts_nearly_full"]) == (1, 1)
    accounts = [(row["staff"], row["friends"], row["kind"], row["days"]) for row in found["accounts"]]
    assert accounts == [(wanglei, 9, "warn", None), (zhaomin, 2, "", None)]
    assert room.capacity(Asker(alice), joins=None)["lasts_hours"] is None


def test_accounts_of_other_departments_are_not_counted(bob: User, wanglei: Staff, zhaomin: Staff) -> None:
    for staff in (wanglei, zhaomin):
        customer = Customer.objects.create(external_userid=f"wm{staff.pk}")
        Follow.objects.create(staff=staff, customer=customer, added_at=clock.now())

    assert [row["staff"] for row in room.capacity(Asker(bob), joins=None)["accounts"]] == [wanglei]


# --- the page ---------------------------------------------------------------------------------------------------------


def test_the_page_shows_them(alice: User, wanglei: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    SyncRun.objects.create(state=SyncRun.State.DONE, started_at=clock.now(), finished_at=clock.now(), first=True)
    task(broadcast(alice, "group", confirm_by=clock.now() + dt.timedelta(minutes=12)), wanglei, "sent", 71)
    client = Client(headers={"host": "localhost", "accept-language": "en"})
    client.force_login(alice)

    page = client.get("/admin/").content.decode()

    for words in ("王磊", "20:00 秒杀", 'id="confirmations"', 'id="allowance"'):
        assert words in page


def test_confirmed_tasks_are_among_what_happened_lately(alice: User, bob: User, wanglei: Staff, zhaomin: Staff) -> None:
    row = broadcast(alice, "group", ago=LATER)
    task(row, wanglei, "confirmed", confirmed_at=clock.now() - dt.timedelta(minutes=2), reach=9310)
    task(row, zhaomin, "confirmed", confirmed_at=clock.now() - dt.timedelta(minutes=1), reach=7)
    task(row, wanglei, "sent")

    assert [item.text for item in happenings.happenings(alice)] == [
        "赵敏 confirmed “20:00 秒杀”, 7 people reached",
        "王磊 confirmed “20:00 秒杀”, 9310 people reached",
    ]
    assert [item.text for item in happenings.happenings(bob)] == ["王磊 confirmed “20:00 秒杀”, 9310 people reached"]


def test_a_customer_who_is_not_read_yet_is_no_raw_id(alice: User, wanglei: Staff) -> None:
    customer = Customer.objects.create(external_userid="wmSomebodyNew01")
    Follow.objects.create(staff=wanglei, customer=customer, added_at=clock.now())

    assert [item.text for item in happenings.happenings(alice)] == ["new customer …New01 added 王磊"]
