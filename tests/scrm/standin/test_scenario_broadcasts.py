"""Generated broadcasts: eight slots a day sliced by owner, confirmed as staff do, under the receive quota."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import pairwise

import pytest

from scrm.standin.quota import BEIJING
from scrm.standin.scenarios import history
from scrm.standin.scenarios.draws import DAY
from scrm.standin.scenarios.rows import BroadcastRow, History, TaskRow
from scrm.standin.scenarios.slots import every

UNTIL = dt.datetime(2026, 11, 28, 6, 30, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def beauty() -> History:
    return history("beauty", customers=6000, days=30, until=UNTIL)


def asked(made: History) -> list[tuple[BroadcastRow, TaskRow]]:
    return [(made.broadcasts[task.broadcast], task) for task in made.tasks if task.broadcast is not None]


def day_of(moment: int) -> dt.date:
    return dt.datetime.fromtimestamp(moment, BEIJING).date()


def test_every_day_has_eight_slots_and_each_group_hears_the_corp_once(beauty: History) -> None:
    slots: dict[dt.date, set[str]] = {}
    heard: Counter[tuple[dt.date, str]] = Counter()
    for row, task in asked(beauty):
        slots.setdefault(day_of(row.create_at), set()).add(row.name[6:11])
        if task.chat_type == "group" and not row.name.endswith("（重发）"):
            heard.update((day_of(row.create_at), chat) for chat in task.receivers)
    whole = sorted(slots)[:-1]  # the last day is not over
    assert len(whole) >= 28
    assert all(len(slots[day]) == 8 for day in whole)
    assert set(heard.values()) == {1}


def test_a_customer_is_written_to_every_second_day_by_one_owner(beauty: History) -> None:
    got: dict[tuple[str, str], list[dt.date]] = {}
    for row, task in asked(beauty):
        if task.chat_type == "single":
            for person in task.receivers:
                got.setdefault((person, task.userid), []).append(day_of(row.create_at))
    gaps = {(later - earlier).days for days in got.values() for earlier, later in pairwise(days)}
    assert min(gaps) == 2
    assert all(gap % 2 == 0 for gap in gaps)  # longer where a friend was away between


def test_staff_confirm_most_some_late_and_some_never(beauty: History) -> None:
    rows = asked(beauty)
    share = sum(task.confirmed_at is not None for _, task in rows) / len(rows)
    assert 0.7 < share < 0.97
    assert all(row.create_at <= task.confirmed_at < row.confirm_by for row, task in rows if task.confirmed_at)
    assert all(set(task.statuses) <= {0} for _, task in rows if task.confirmed_at is None)
    assert all(len(task.reminded_at) <= 3 for _, task in rows)
    assert all(row.confirm_by <= beauty.until for row, _ in rows)
    hurry = {row.confirm_by - row.create_at for row, _ in rows if " 20:00 " in row.name and "重发" not in row.name}
    assert hurry == {45 * 60}


def test_one_owner_is_off_sick_for_two_days(beauty: History) -> None:
    away = {day_of(beauty.until - days * DAY) for days in (5, 4)}
    confirmed: dict[str, list[bool]] = {}
    for row, task in asked(beauty):
        if day_of(row.create_at) in away:
            confirmed.setdefault(task.userid, []).append(task.confirmed_at is not None)
    assert [userid for userid, done in confirmed.items() if not any(done)] != []
    assert any(any(done) for done in confirmed.values())


def test_nobody_gets_more_than_the_month_has_days_and_some_groups_are_at_the_limit(beauty: History) -> None:
    sent: Counter[tuple[int, str]] = Counter()
    over: Counter[int] = Counter()
    for task in beauty.tasks:
        if task.confirmed_at is not None:
            month = dt.datetime.fromtimestamp(task.confirmed_at, BEIJING).month
            statuses = zip(task.receivers, task.statuses, strict=True)
            sent.update((month, receiver) for receiver, status in statuses if status == 1)
            over[month] += task.statuses.count(3)
    assert max(count for (month, _), count in sent.items() if month == 11) == 30
    assert over[11] > 0
    assert any(task.broadcast is None for task in beauty.tasks)  # owners also send by hand


def test_the_double_push_costs_members(beauty: History) -> None:
    pushed = [(row, task) for row, task in asked(beauty) if row.name.endswith("（重发）")]
    chats = {chat for _, task in pushed if task.confirmed_at for chat in task.receivers}
    day = day_of(beauty.until - 8 * DAY)
    assert {day_of(row.create_at) for row, _ in pushed} == {day}
    left = [row for row in beauty.stays if row.chat_id in chats and row.left_at and day_of(row.left_at) >= day]
    assert left or not chats


def test_a_corp_without_slots_sends_nothing() -> None:
    made = history("mother_baby", customers=300, days=30, until=UNTIL)
    assert (made.broadcasts, made.tasks) == ([], [])


def test_a_large_corp_writes_less_often_to_each_customer() -> None:
    assert (every(3000), every(100_000), every(320_000)) == (2, 2, 7)
