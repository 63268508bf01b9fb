"""The demo's history: loaded in bulk, once, silently, and equal to what the stand-in shows."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import Count, Sum

from analytics.models import Fact
from campaigns.models import PARTITIONS, Broadcast, Delivery, Dispatch, Reminder, Welcome
from campaigns.sending import rules
from contacts import sync
from contacts.connection import connected_at
from contacts.models import Channel, Customer, Follow, Staff, SyncRun
from groups.models import GroupChat, Stay
from scrm.base import clock
from scrm.base.models import Announcement, Work
from scrm.site.demo.load import load
from scrm.site.demo.options import Options
from scrm.standin.scenarios import history
from scrm.standin.scenarios.rows import History
from scrm.standin.server import StandIn
from scrm.wecom.api import messages

CUSTOMERS, DAYS = 400, 10


@pytest.fixture
def options() -> Options:
    until = clock.now().replace(second=0, microsecond=0)
    return Options(scenario="beauty", customers=CUSTOMERS, days=DAYS, until=until.isoformat())


@pytest.fixture
def world(committed: None, options: Options, settings: Any) -> Iterator[StandIn]:
    """A stand-in with the same history."""
    standin = StandIn(
        scenario=options.scenario,
        customers=CUSTOMERS,
        days=DAYS,
        until=dt.datetime.fromisoformat(options.until),
        corp_id=settings.WECOM_CORP_ID,
        secret=settings.WECOM_SECRET,
    )
    with standin:
        settings.WECOM_API_URL = standin.url
        yield standin


def test_fills_the_ledgers_with_what_the_history_tells(committed: None, options: Options) -> None:
    rows = history("beauty", customers=CUSTOMERS, days=DAYS, until=dt.datetime.fromisoformat(options.until))

    assert load(options)

    assert Customer.objects.kept().count() == CUSTOMERS
    assert Follow.objects.count() == len(rows.follows)
    assert Follow.objects.open().count() == sum(row.ended_at is None for row in rows.follows)
    assert Stay.objects.count() == len(rows.stays)
    assert Stay.objects.joins().count() == sum(
        row.joined_at >= rows.since and row.member_type == 2 for row in rows.stays
    )
    assert Welcome.objects.filter(outcome="sent").count() == sum(row.outcome == "sent" for row in rows.welcomes)
    assert set(Channel.objects.values_list("state", flat=True)) == {row.state for row in rows.channels}
    present = {chat.chat_id: 0 for chat in rows.chats}
    for row in rows.stays:
        present[row.chat_id] += row.left_at is None
    assert dict(GroupChat.objects.values_list("chat_id", "people")) == present


def test_counts_as_connected_from_its_first_day_on(committed: None, options: Options) -> None:
    load(options)

    until = dt.datetime.fromisoformat(options.until)
    assert connected_at() == until - dt.timedelta(days=DAYS)
    last = SyncRun.objects.order_by("-started_at")[0]
    assert (last.state, last.first) == ("done", False)
    assert until - last.started_at < dt.timedelta(days=1, minutes=5)


def test_fills_the_numbers_of_its_days(committed: None, options: Options) -> None:
    load(options)

    since = clock.day_of(dt.datetime.fromisoformat(options.until) - dt.timedelta(days=DAYS))
    adds = Follow.objects.adds().filter(added_at__gte=clock.day_start(since)).count()
    assert adds > 50
    assert Fact.objects.filter(stat="adds", day__gte=since).count() == adds


def test_tells_nobody(committed: None, options: Options) -> None:
    load(options)

    assert (Work.objects.count(), Announcement.objects.count()) == (0, 0)


def test_a_loaded_database_is_not_loaded_again(committed: None, options: Options) -> None:
    load(options)
    before = (Customer.objects.count(), Follow.objects.count(), SyncRun.objects.count())

    assert not load(options)

    assert (Customer.objects.count(), Follow.objects.count(), SyncRun.objects.count()) == before


def test_an_empty_corp_has_no_history(committed: None, options: Options) -> None:
    assert not load(Options(scenario="empty", customers=0, days=0, until=options.until))

    assert (Staff.objects.count(), SyncRun.objects.count()) == (0, 0)


def test_a_full_sync_finds_that_history_and_platform_agree(world: StandIn, options: Options) -> None:
    load(options)

    run = sync.run_inline(sync.start())

    assert (run.state, run.error, run.drift) == ("done", "", {})


# --- broadcasts -------------------------------------------------------------------------------------------------------


def told(options: Options) -> History:
    return history("beauty", customers=CUSTOMERS, days=DAYS, until=dt.datetime.fromisoformat(options.until))


def test_loads_every_broadcast_of_the_history_settled(committed: None, options: Options) -> None:
    rows = told(options)
    load(options)

    asked = [task for task in rows.tasks if task.broadcast is not None]
    assert len(rows.broadcasts) > 8 * (DAYS - 1)
    assert Broadcast.objects.filter(state="done").count() == Broadcast.objects.count() == len(rows.broadcasts)
    assert dict(Dispatch.objects.order_by().values_list("state").annotate(Count("pk"))) == {
        "confirmed": sum(task.confirmed_at is not None for task in asked),
        "unconfirmed": sum(task.confirmed_at is None for task in asked),
    }
    assert not Dispatch.objects.unsettled().exists()
    assert Reminder.objects.count() == sum(len(task.reminded_at) for task in asked)
    assert PARTITIONS.stray_rows() == 0


def test_deliveries_say_what_became_of_each_recipient(committed: None, options: Options) -> None:
    asked = [task for task in told(options).tasks if task.broadcast is not None]
    load(options)

    expected: Counter[str] = Counter()
    for task in asked:
        expected.update(("unconfirmed", "sent", "not_friend", "over_quota")[status] for status in task.statuses)
        expected["excluded"] += len(task.dropped)
    states = dict(Delivery.objects.exclude(state="excluded").order_by().values_list("state").annotate(Count("pk")))
    assert states == {state: count for state, count in expected.items() if count and state != "excluded"}
    assert Delivery.objects.filter(reason="lost").count() == expected["excluded"]
    sums = Dispatch.objects.aggregate(sent=Sum("count_sent"), expired=Sum("count_unconfirmed"), reach=Sum("reach"))
    assert (sums["sent"], sums["expired"]) == (expected["sent"], expected["unconfirmed"])
    assert sums["reach"] == Delivery.objects.aggregate(reach=Sum("reach"))["reach"] > expected["sent"]
    for broadcast in Broadcast.objects.prefetch_related("dispatches"):
        assert broadcast.planned == sum(dispatch.recipients for dispatch in broadcast.dispatches.all())
        assert all(dispatch.open_count == 0 for dispatch in broadcast.dispatches.all())


def test_the_platform_has_the_same_quota_and_results(world: StandIn, options: Options) -> None:
    load(options)

    month = dt.datetime.fromisoformat(options.until).astimezone(rules.BEIJING)
    by_hand: Counter[str] = Counter()
    for task in told(options).tasks:
        if task.broadcast is None and task.confirmed_at is not None:
            same = clock.from_unix(task.confirmed_at).astimezone(rules.BEIJING).month == month.month
            by_hand.update(task.receivers if same else ())
    rule = rules.receive_rule(clock.now())
    sent = Delivery.objects.filter(state="sent", sent_at__gte=rule.start)
    ours = Counter(dict(sent.order_by().values_list("customer__external_userid").annotate(Count("pk"))))
    ours += Counter(dict(sent.order_by().values_list("chat__chat_id").annotate(Count("pk"))))
    ours.pop(None, None)  # on the first of a month all may be to customers, or to chats
    assert world.world.quota.used.get(f"m{month:%Y-%m}", {}) == dict(ours + by_hand)

    confirmed = Dispatch.objects.filter(state="confirmed").select_related("staff", "broadcast")
    for dispatch in (confirmed.filter(broadcast__to="group")[0], confirmed.filter(broadcast__to="single")[0]):
        assert [task.confirmed for task in messages.fetch_tasks(dispatch.msgid)] == [True]
        results = [row for page in messages.fetch_results(dispatch.msgid, dispatch.staff.userid) for row in page]
        assert Counter(row.status for row in results)[1] == dispatch.count_sent
        assert {row.sent_at for row in results if row.status == 1} == {dispatch.confirmed_at}
