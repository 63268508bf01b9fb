"""A broadcast on its way: tasks created once, confirmed by staff, results booked. Against the stand-in over HTTP."""

import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from campaigns.models import Broadcast, Delivery, Dispatch, Reminder
from campaigns.sending import pace, plan
from campaigns.sending.deliver import create_tasks
from campaigns.sending.remind import remind
from contacts.models import Customer, Follow, Staff
from groups.models import GroupChat, Stay
from scrm.base import clock
from scrm.base.models import User, Work
from scrm.base.work import Claim, lanes, run
from scrm.base.work.claim import claim
from scrm.wecom import brake
from tests.campaigns.tasks import Tasks
from tests.contacts.test_locks import wait_for_somebody_who_waits

Make = Callable[..., Any]


@pytest.fixture
def tasks(corp: Any, settings: Any, departments: list[Any]) -> Iterator[Tasks]:
    """王磊 and 赵敏 with three customers each; nobody confirms unless the test says so."""
    settings.SENDING = "on"
    settings.SEND_LOOKUP_DELAYS = (0.0, 0.0)
    settings.SEND_POLL_SECONDS = 30.0
    yield Tasks(corp)


def states(broadcast: Broadcast) -> Counter[str]:
    return Counter(Delivery.objects.filter(broadcast=broadcast).with_progress().values_list("progress", flat=True))  # type: ignore[misc]


def test_tasks_are_created_confirmed_and_booked(tasks: Tasks, draft: Make, alice: User) -> None:
    broadcast = pace.approve(draft(chosen={}), alice)
    assert states(broadcast) == {"planned": 6}

    tasks.work()
    assert tasks.recipients() == [["wmW0", "wmW1", "wmW2"], ["wmZ0", "wmZ1", "wmZ2"]]
    assert states(broadcast) == {"waiting": 6}

    tasks.confirm("wanglei")
    assert states(broadcast) == {"waiting": 3, "sent": 3}
    assert Broadcast.objects.get().state == "running"

    tasks.confirm("zhaomin")
    assert states(broadcast) == {"sent": 6}
    assert Broadcast.objects.get().state == "done"
    first = Dispatch.objects.order_by("pk")[0]
    assert (first.state, first.count_sent, first.reach, first.open_count) == ("confirmed", 3, 3, 0)
    assert not Work.objects.exclude(state="done").exists()


def test_a_chat_counts_the_people_who_were_in_it(tasks: Tasks, draft: Make, alice: User) -> None:
    tasks.chat("wrA", "wanglei", people=2)
    broadcast = pace.approve(draft(chats=["wrA"]), alice)

    tasks.work()
    tasks.confirm()

    row = Delivery.objects.get(broadcast=broadcast)
    assert (row.state, row.reach) == ("sent", 2)
    assert Dispatch.objects.get().reach == 2
    assert tasks.created()[0]["chat_type"] == "group"


def test_whoever_is_no_friend_any_more_loses_the_period(tasks: Tasks, draft: Make, alice: User) -> None:
    tasks.corp.act("delete_by_customer", userid="wanglei", external_userid="wmW1")  # its callback never comes
    broadcast = pace.approve(draft(["wmW0", "wmW1"]), alice)

    tasks.work()
    tasks.confirm()

    assert states(broadcast) == {"sent": 1, "not_friend": 1}
    period = Follow.objects.get(customer__external_userid="wmW1")
    assert (period.ended_by, period.ended_known_by) == ("customer", "send_result")
    assert Customer.objects.get(external_userid="wmW1").open_follows == 0
    assert Follow.objects.get(customer__external_userid="wmW0").ended_at is None
    assert Delivery.objects.get(customer__external_userid="wmW1").sent_at is None


def test_a_full_quota_is_a_result_of_its_own(tasks: Tasks, draft: Make, alice: User) -> None:
    tasks.settings(receive_rule="day_1")
    tasks.corp.act("send_privately", userid="wanglei", external_userids=["wmW0"])
    broadcast = pace.approve(draft(["wmW0", "wmW1"]), alice)

    tasks.work()
    tasks.confirm()

    assert states(broadcast) == {"sent": 1, "over_quota": 1}


def test_what_is_not_confirmed_in_time_is_taken_back(tasks: Tasks, draft: Make, alice: User) -> None:
    broadcast = pace.approve(draft(chosen={}), alice)
    tasks.work()
    tasks.confirm("wanglei")
    Broadcast.objects.update(create_at=clock.now() - dt.timedelta(hours=2), confirm_by=clock.now())

    tasks.work()

    assert states(broadcast) == {"sent": 3, "unconfirmed": 3}
    assert tasks.cancelled() == [Dispatch.objects.get(state="unconfirmed").msgid]
    assert Broadcast.objects.get().state == "done"
    assert tasks.corp.act("confirm")["confirmed"] == []  # a late press sends nothing


def test_a_press_just_before_the_deadline_counts(tasks: Tasks, draft: Make, alice: User) -> None:
    broadcast = pace.approve(draft(["wmW0"]), alice)
    tasks.work()
    tasks.corp.act("confirm")
    Broadcast.objects.update(create_at=clock.now() - dt.timedelta(hours=2), confirm_by=clock.now())

    tasks.work()

    assert states(broadcast) == {"sent": 1}


def test_nothing_is_created_while_paused_and_all_of_it_once_resumed(tasks: Tasks, draft: Make, alice: User) -> None:
    broadcast = pace.approve(draft(chosen={}), alice)
    pace.pause(broadcast, alice)

    tasks.work()
    assert tasks.created() == []

    pace.resume(broadcast, alice)
    tasks.work()
    assert len(tasks.created()) == 2


def test_cancelling_takes_back_what_waits_and_keeps_what_was_sent(tasks: Tasks, draft: Make, alice: User) -> None:
    broadcast = pace.approve(draft(chosen={}), alice)
    tasks.work()
    tasks.confirm("wanglei")

    pace.cancel(broadcast, alice)
    tasks.work()

    assert states(broadcast) == {"sent": 3, "cancelled": 3}
    assert len(tasks.cancelled()) == 1
    assert Broadcast.objects.get().state == "cancelled"
    with pytest.raises(pace.NotNow):
        pace.resume(broadcast, alice)


def test_cancelling_before_the_time_creates_nothing(tasks: Tasks, draft: Make, alice: User) -> None:
    broadcast = pace.approve(draft(chosen={}, create_at=clock.now() + dt.timedelta(hours=1)), alice)
    tasks.work()

    pace.cancel(broadcast, alice)
    tasks.work()

    assert tasks.created() == []
    assert states(broadcast) == {"cancelled": 6}
    assert Dispatch.objects.unsettled().count() == 0


def test_the_brake_holds_tasks_and_says_so(tasks: Tasks, draft: Make, alice: User, settings: Any) -> None:
    settings.SENDING = "off"
    broadcast = pace.approve(draft(chosen={}), alice)

    tasks.work()
    assert tasks.created() == []
    assert all("SENDING=off" in row.error for row in Dispatch.objects.all())
    assert states(broadcast) == {"planned": 6}

    settings.SENDING = "on"
    tasks.work()
    assert len(tasks.created()) == 2


def test_a_sender_who_left_after_planning_sends_nothing(tasks: Tasks, draft: Make, alice: User) -> None:
    broadcast = pace.approve(draft(chosen={}, create_at=clock.now() + dt.timedelta(seconds=1)), alice)
    Staff.objects.filter(userid="zhaomin").update(left_at=clock.now())
    Broadcast.objects.update(create_at=clock.now())

    tasks.work()

    assert tasks.recipients() == [["wmW0", "wmW1", "wmW2"]]
    assert states(broadcast) == {"waiting": 3, "refused": 3}
    assert set(Delivery.objects.filter(state="refused").values_list("reason", flat=True)) == {"staff_left"}


def test_who_asks_for_peace_after_planning_gets_nothing(tasks: Tasks, draft: Make, alice: User) -> None:
    pace.approve(draft(["wmW0", "wmW1"]), alice)
    Customer.objects.filter(external_userid="wmW1").update(do_not_contact_at=clock.now())

    tasks.work()

    assert tasks.recipients() == [["wmW0"]]
    assert Delivery.objects.get(customer__external_userid="wmW1").reason == "do_not_contact"


def test_too_late_a_creation_is_none(tasks: Tasks, draft: Make, alice: User) -> None:
    broadcast = pace.approve(draft(chosen={}), alice)
    Broadcast.objects.update(create_at=clock.now() - dt.timedelta(hours=2), confirm_by=clock.now())

    tasks.work()

    assert tasks.created() == []
    assert states(broadcast) == {"cancelled": 6}
    assert set(Delivery.objects.values_list("reason", flat=True)) == {"too_late"}
    assert Broadcast.objects.get().state == "done"


def test_recipients_the_platform_does_not_take_are_named(tasks: Tasks, draft: Make, alice: User) -> None:
    tasks.corp.act("delete_by_staff", userid="wanglei", external_userid="wmW2")
    broadcast = pace.approve(draft(["wmW0", "wmW2"]), alice)

    tasks.work()

    assert states(broadcast) == {"waiting": 1, "refused": 1}
    assert Delivery.objects.get(state="refused").reason == "not_taken"


def test_a_refused_task_ends_with_its_reason_and_many_pause_the_broadcast(
    tasks: Tasks, draft: Make, alice: User, settings: Any
) -> None:
    settings.SEND_FAILURES_BEFORE_PAUSE = 1
    image = {"msgtype": "image", "image": {"media_id": "gone"}}
    broadcast = pace.approve(draft(chosen={}, attachments=[image]), alice)

    tasks.work()

    assert tasks.created() == []
    assert states(broadcast) == {"refused": 3, "planned": 3}
    refused = Dispatch.objects.get(state="refused")
    assert refused.errcode == 40007
    held = Broadcast.objects.get()
    assert held.state == "paused"
    assert held.stop_reason


def test_an_audience_is_read_when_it_is_planned_and_not_with_each_task(tasks: Tasks, draft: Make, alice: User) -> None:
    """It may name half a million, and each task asks for its broadcast every half minute."""
    broadcast = pace.approve(draft(chosen={}), alice)

    with CaptureQueriesContext(connection) as asked:
        tasks.work()
        remind(Dispatch.objects.all(), alice)
        run.run_due(["remind"])
        tasks.confirm()

    broadcast.refresh_from_db()
    assert broadcast.state == "done"
    assert [query["sql"] for query in asked.captured_queries if '"audience"' in query["sql"]] == []


def test_answers_lost_at_the_same_moment_pause_the_broadcast(
    tasks: Tasks, draft: Make, alice: User, settings: Any
) -> None:
    """Each counts what is lost; the second waits until the first is to be seen."""
    settings.SEND_FAILURES_BEFORE_PAUSE = 2
    settings.SEND_LOOKUP_DELAYS = (600.0,)
    broadcast = pace.approve(draft(chosen={}), alice)
    pair = [claim(lanes["send"]) for _ in range(2)]
    Dispatch.objects.update(state="sending")

    def lose(held: Claim | None) -> None:
        assert held is not None
        try:
            create_tasks(held)
        finally:
            connection.close()

    other = threading.Thread(target=lose, args=[pair[1]])
    with transaction.atomic():
        assert pair[0] is not None
        create_tasks(pair[0])
        other.start()
        wait_for_somebody_who_waits()
    other.join()

    broadcast.refresh_from_db()
    assert (broadcast.state, Dispatch.objects.filter(state="unknown").count()) == ("paused", 2)


def test_after_a_person_resumed_only_new_failures_pause_again(
    tasks: Tasks, draft: Make, alice: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "MAX_CUSTOMERS", 1)
    settings.SEND_FAILURES_BEFORE_PAUSE = 2
    image = {"msgtype": "image", "image": {"media_id": "gone"}}
    broadcast = pace.approve(draft(["wmW0", "wmW1", "wmW2", "wmZ0"], attachments=[image]), alice)

    def refused() -> tuple[str, int]:
        tasks.work()
        return Broadcast.objects.get().state, Dispatch.objects.filter(state="refused").count()

    assert refused() == ("paused", 2)
    pace.resume(broadcast, alice)
    assert refused() == ("done", 4)


def test_a_staff_member_is_reminded_three_times_in_a_day(tasks: Tasks, draft: Make, alice: User) -> None:
    pace.approve(draft(chosen={}), alice)
    tasks.work()
    tasks.confirm("wanglei")
    asked = [remind(Dispatch.objects.all(), alice) for _ in range(4)]
    run.run_due(["remind"])

    assert [(row.reminded, row.too_often, row.not_waiting) for row in asked] == [(1, 0, 1)] * 3 + [(0, 1, 1)]
    assert set(Reminder.objects.values_list("state", flat=True)) == {"sent"}
    assert tasks.ledger("reminder") == [{"msgid": Dispatch.objects.get(state="sent").msgid}] * 3


def test_nobody_is_reminded_of_what_was_cancelled(tasks: Tasks, draft: Make, alice: User) -> None:
    broadcast = pace.approve(draft(chosen={}), alice)
    tasks.work()
    asked_before = remind(Dispatch.objects.filter(staff__userid="wanglei"), alice)
    pace.cancel(broadcast, alice)

    asked = remind(Dispatch.objects.all(), alice)
    run.run_due(["remind"])

    assert asked_before.reminded == 1
    assert (asked.reminded, asked.too_often, asked.not_waiting) == (0, 0, 2)
    assert tasks.ledger("reminder") == []
    assert Reminder.objects.get().state == "refused"


def test_a_reminder_without_an_answer_is_not_repeated(tasks: Tasks, draft: Make, alice: User) -> None:
    pace.approve(draft(["wmW0"]), alice)
    tasks.work()
    tasks.fault("externalcontact/remind_groupmsg_send", "reset_after", times=1)

    remind(Dispatch.objects.all(), alice)
    run.run_due(["remind"])

    assert Reminder.objects.get().state == "unknown"
    assert len(tasks.ledger("reminder")) == 1


def test_while_the_brake_is_on_nobody_is_urged_to_send(tasks: Tasks, draft: Make, alice: User) -> None:
    pace.approve(draft(["wmW0"]), alice)
    tasks.work()
    brake.press(user=alice)
    remind(Dispatch.objects.all(), alice)
    run.run_due(["remind"])

    assert tasks.ledger("reminder") == []
    assert Reminder.objects.get().state == "refused"  # which leaves all three of the day

    brake.release(user=alice)
    remind(Dispatch.objects.all(), alice)
    run.run_due(["remind"])
    assert len(tasks.ledger("reminder")) == 1


def test_a_draft_for_the_friends_of_a_member_follows_their_new_userid(tasks: Tasks, draft: Make, alice: User) -> None:
    broadcast = draft(chosen={"userids": ["wanglei"]})
    tasks.corp.happens("rename_user", userid="wanglei", new_userid="wanglei2")
    broadcast.refresh_from_db()

    assert broadcast.audience == {"filter": {"userids": ["wanglei2"]}}
    pace.approve(broadcast, alice)
    assert Delivery.objects.exclude(state="excluded").count() == 3


def test_the_second_batch_of_a_sender_follows_the_first(
    tasks: Tasks, draft: Make, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "MAX_CUSTOMERS", 2)
    broadcast = pace.approve(draft(["wmW0", "wmW1", "wmW2"]), alice)

    tasks.work()
    tasks.confirm()

    assert tasks.recipients() == [["wmW0", "wmW1"], ["wmW2"]]
    assert states(broadcast) == {"sent": 3}


def test_a_like_task_waits_until_the_lost_one_is_found(tasks: Tasks, draft: Make, alice: User) -> None:
    """Their digests differ, but the platform's records of them would not."""
    tasks.fault("externalcontact/add_msg_template", "reset_after", times=1)
    tasks.fault("externalcontact/get_groupmsg_list_v2", "status", value=503, times=100)
    pace.approve(draft(["wmW0"], text="新品"), alice)
    tasks.work()
    pace.approve(draft(["wmW1"], text="新品 "), alice)
    tasks.work()
    assert tasks.recipients() == [["wmW0"]]

    tasks.no_faults()
    tasks.work()

    assert tasks.recipients() == [["wmW0"], ["wmW1"]]
    told = {row["msgid"]: row["recipients"] for row in tasks.created()}
    rows = Delivery.objects.select_related("customer", "dispatch")
    assert {row.dispatch.msgid: [row.customer.external_userid] for row in rows} == told  # type: ignore[union-attr]


def test_of_two_that_close_the_last_tasks_at_once_one_ends_the_broadcast(
    tasks: Tasks, draft: Make, alice: User
) -> None:
    broadcast = pace.approve(draft(chosen={}), alice)
    together = threading.Barrier(2)

    def close(key: int) -> None:
        with transaction.atomic():
            pace.close([key], Dispatch.State.REFUSED, Delivery.State.REFUSED, Delivery.Reason.REFUSED)
            with suppress(threading.BrokenBarrierError):
                together.wait(0.5)
            pace.finish(broadcast.pk)
        connection.close()

    threads = [threading.Thread(target=close, args=(row.pk,)) for row in Dispatch.objects.all()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Dispatch.objects.unsettled().count() == 0
    assert Broadcast.objects.get().state == "done"


def test_a_lost_task_is_found_under_the_userid_its_sender_had(tasks: Tasks, draft: Make, alice: User) -> None:
    tasks.fault("externalcontact/add_msg_template", "reset_after", times=1)
    tasks.fault("externalcontact/get_groupmsg_list_v2", "status", value=503, times=100)
    pace.approve(draft(["wmW0"]), alice)
    tasks.work()
    Staff.objects.filter(userid="wanglei").update(userid="wangl", former_userids=["wanglei"])

    tasks.no_faults()
    tasks.work()

    assert tasks.recipients() == [["wmW0"]]
    assert Dispatch.objects.get().state == "sent"


def test_chats_of_another_owner_meanwhile_are_left_out(tasks: Tasks, draft: Make, alice: User) -> None:
    tasks.chat("wrA", "wanglei", people=1)
    tasks.chat("wrB", "wanglei", people=1)
    broadcast = pace.approve(draft(chats=["wrA", "wrB"]), alice)
    GroupChat.objects.filter(chat_id="wrB").update(owner=Staff.objects.get(userid="zhaomin"))

    tasks.work()

    assert tasks.recipients() == [["wrA"]]
    assert Delivery.objects.get(broadcast=broadcast, chat__chat_id="wrB").reason == "no_staff"
    assert Stay.objects.present().external().count() == 2


def test_a_message_that_arrives_proves_a_friendship_again(tasks: Tasks, draft: Make, alice: User) -> None:
    """The period ended by an event; the customer came back and no event said so."""
    pace.approve(draft(["wmW0"]), alice)
    tasks.work()
    period = Follow.objects.get(customer__external_userid="wmW0")
    Follow.objects.filter(pk=period.pk).update(
        ended_at=clock.now() - dt.timedelta(hours=1), ended_by="customer", ended_known_by="read"
    )

    tasks.confirm()

    first, second = Follow.objects.filter(customer__external_userid="wmW0").order_by("added_at")
    assert first.ended_by == "customer"
    assert (second.ended_at, second.added_known_by) == (None, "send_result")
    assert Customer.objects.get(external_userid="wmW0").open_follows == 1
