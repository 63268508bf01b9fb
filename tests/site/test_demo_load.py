"""The demo's history: loaded in bulk, once, silently, and equal to what the stand-in shows."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from analytics.models import Fact
from campaigns.models import Welcome
from contacts import sync
from contacts.connection import connected_at
from contacts.models import Channel, Customer, Follow, Staff, SyncRun
from groups.models import GroupChat, Stay
from scrm.base import clock
from scrm.base.models import Announcement, Work
from scrm.site.demo.load import load
from scrm.site.demo.options import Options
from scrm.standin.scenarios import history
from scrm.standin.server import StandIn

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
