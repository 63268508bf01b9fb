"""Staff who confirm by themselves: the shares and delays of stand-in.md §2, by domain time, the same for a seed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import quantiles
from typing import Any

import pytest
import requests

from scrm.standin.clock import Clock
from scrm.standin.confirming import Confirming
from scrm.standin.server import StandIn
from scrm.standin.settings import Settings

from .conftest import Api
from .test_broadcasts import TASKS, befriend
from .test_broadcasts_results import NOON, REMIND, moment, rows, send, statuses

TEAM = [f"staff{number}" for number in range(1000)]
NINE = NOON - 3 * 3600  # in Beijing
NIGHT = NOON + 11 * 3600


def test_a_mode_says_who_confirms(standin: StandIn, api: Api) -> None:
    people = befriend(standin, "wanglei")
    standin.settings.confirm = "at_once"
    assert statuses(api, send(api, people)) == [1]

    standin.settings.change({"confirm_of": {"wanglei": "never"}})
    assert statuses(api, send(api, people)) == [0]
    standin.settings.change({"confirm": "never", "confirm_of": {"wanglei": "at_once"}})
    assert statuses(api, send(api, people)) == [1]


def test_a_mode_is_set_by_the_hidden_pages(standin: StandIn, api: Api) -> None:
    page = standin.control_url + "settings"

    assert requests.post(page, json={"confirm": "at_once"}, timeout=5).json() == {"ok": True}
    assert statuses(api, send(api, befriend(standin, "wanglei"))) == [1]
    assert requests.post(page, json={"confirm": "sometimes"}, timeout=5).status_code == 400
    assert requests.post(page, json={"receive_rule": "none"}, timeout=5).status_code == 400


def test_a_random_share_is_the_same_for_a_seed(make_standin: Callable[..., StandIn]) -> None:
    def confirmed(seed: int) -> list[int]:
        standin = make_standin(settings=Settings(confirm="random", confirm_share=0.6, confirm_seed=seed))
        api = Api(standin)
        standin.act("create_user", userid="wanglei")
        people = befriend(standin, "wanglei")
        return [statuses(api, send(api, people))[0] for _ in range(40)]

    first = confirmed(1)

    assert 15 <= sum(status != 0 for status in first) <= 33
    assert confirmed(1) == first
    assert confirmed(2) != first


def test_people_confirm_when_their_time_has_come(standin: StandIn, api: Api) -> None:
    moment(standin, NOON)
    msgid = send(api, befriend(standin, "wanglei"))
    (due, _, userid) = standin.world.broadcasts.due[0]
    assert userid == "wanglei"

    moment(standin, due - 2)
    assert statuses(api, msgid) == [0]
    moment(standin, due + 3600)
    assert rows(api, msgid)[0]["send_time"] == int(due)
    assert api.post(TASKS, {"msgid": msgid})["task_list"][0]["send_time"] == int(due)


def test_they_do_it_without_being_asked(make_standin: Callable[..., StandIn]) -> None:
    standin = make_standin(clock=Clock(offset=NOON - time.time()))
    standin.act("create_user", userid="wanglei")
    msgid = send(Api(standin), befriend(standin, "wanglei"))
    moment(standin, NOON + 12 * 3600)

    end = time.monotonic() + 20
    while standin.world.broadcasts.sent[msgid].tasks["wanglei"].confirmed_at is None and time.monotonic() < end:
        time.sleep(0.02)

    assert standin.world.broadcasts.sent[msgid].tasks["wanglei"].counts()["sent"] == 1


def test_delays_by_day_are_log_normal() -> None:
    people = Confirming(Settings())
    normal = [userid for userid in TEAM if people.factor(userid) == 1.0]
    dues = [people.due(userid, number, 1, NINE) for userid in normal for number in range(1, 11)]
    minutes = [(due - NINE) / 60 for due in dues if due is not None]

    points = quantiles(minutes, n=20)

    assert 0.10 < 1 - len(minutes) / len(dues) < 0.14
    assert 6.3 < points[9] < 7.7
    assert 30 < points[15] < 40
    assert 150 < points[18] < 215


def test_a_demo_may_hurry_them() -> None:
    usual, fast = Confirming(Settings()), Confirming(Settings(confirm_speed=60))

    dues = [(usual.due(userid, 1, 1, NINE), fast.due(userid, 1, 1, NINE)) for userid in TEAM]
    by_day = [(slow - NINE, quick - NINE) for slow, quick in dues if slow and quick and slow < NINE + 13 * 3600]

    assert [slow is None for slow, _ in dues] == [quick is None for _, quick in dues]
    assert all(abs(slow / 60 - quick) < 0.01 for slow, quick in by_day)


def test_people_differ() -> None:
    people = Confirming(Settings())
    factors = [people.factor(userid) for userid in TEAM]
    bad = [userid for userid in TEAM if people.factor(userid) == 3.0]
    never = [people.due(userid, number, 1, NINE) is None for userid in bad for number in range(1, 11)]

    assert 0.56 < factors.count(0.5) / 1000 < 0.64
    assert 0.08 < factors.count(3.0) / 1000 < 0.12
    assert 0.31 < sum(never) / len(never) < 0.39
    assert factors == [Confirming(Settings()).factor(userid) for userid in TEAM]


def test_many_tasks_a_day_are_forgotten_more_often() -> None:
    people = Confirming(Settings(confirm_never=0.0))
    good = [userid for userid in TEAM if people.factor(userid) < 3]

    def forgotten(today: int) -> float:
        return sum(people.due(userid, 7, today, NINE) is None for userid in good) / len(good)

    assert forgotten(3) == 0
    assert 0.04 < forgotten(4) < 0.08
    assert 0.26 < forgotten(8) < 0.34


def test_the_tasks_of_a_day_are_counted_by_beijing_time(standin: StandIn, api: Api) -> None:
    people = befriend(standin, "wanglei")
    for at in (NOON, NOON + 60, NIGHT + 3600):
        moment(standin, at)
        send(api, people)

    assert standin.world.broadcasts.tasks["wanglei"] == (3, int(NOON) + 12 * 3600, 1)


@pytest.mark.parametrize("created", [NIGHT, NOON - 12 * 3600, NOON - 3 * 3600 - 1])
def test_what_comes_at_night_waits_for_the_morning(created: float) -> None:
    people = Confirming(Settings(confirm_never=0.0))
    dues = [people.due(userid, 1, 1, created) for userid in TEAM]
    morning = (NINE + 86_400 if created == NIGHT else NINE) + 300

    found = [due for due in dues if due is not None]

    assert min(found) >= morning
    assert max(found) <= morning + 2100
    assert max(found) - min(found) > 1500


def test_nobody_confirms_at_night_what_came_by_day() -> None:
    people = Confirming(Settings())
    late = NOON + 9.9 * 3600
    dues = [due for userid in TEAM if (due := people.due(userid, 1, 1, late)) is not None]

    assert all(due < NOON + 10 * 3600 or due >= NINE + 86_400 + 300 for due in dues)
    assert any(due < NOON + 10 * 3600 for due in dues)
    assert any(due >= NINE + 86_400 for due in dues)


@pytest.mark.parametrize(("reminder", "share"), [(1, 0.55), (2, 0.30), (3, 0.10)])
def test_reminders_win_some_back_within_twenty_minutes(reminder: int, share: float) -> None:
    people = Confirming(Settings())
    dues = [people.reminded(userid, 1, reminder, NOON) for userid in TEAM]
    won = [due - NOON for due in dues if due is not None]

    assert share - 0.05 < len(won) / len(dues) < share + 0.05
    assert min(won) >= 0 and max(won) <= 1200


def test_a_reminder_reaches_those_who_forgot(standin: StandIn, api: Api) -> None:
    moment(standin, NOON)
    standin.settings.confirm_never = 1.0
    for number in range(40):
        standin.act("create_user", userid=f"s{number}", callback=False)
    people = [befriend(standin, f"s{number}")[0] for number in range(40)]
    msgid = send(api, people, sender="")
    assert standin.world.broadcasts.due == []

    api.post(REMIND, {"msgid": msgid})
    moment(standin, NOON + 1300)

    done = [row for row in api.post(TASKS, {"msgid": msgid})["task_list"] if row["status"] == 2]
    assert 14 <= len(done) <= 30
    assert all(NOON <= row["send_time"] <= NOON + 1210 for row in done)


def test_a_cancelled_broadcast_is_confirmed_by_nobody(standin: StandIn, api: Api) -> None:
    moment(standin, NOON)
    msgid = send(api, befriend(standin, "wanglei"))
    api.post("externalcontact/cancel_groupmsg_send", {"msgid": msgid})
    moment(standin, NOON + 86_400)

    assert statuses(api, msgid) == [0]


def test_live_staff_confirm_and_send_by_themselves(make_standin: Callable[..., StandIn]) -> None:
    lines: list[str] = []
    until = datetime.fromtimestamp(NOON, UTC)
    clock = Clock(offset=NOON - time.time(), speed=200_000.0, anchor=time.time())
    standin = make_standin(
        scenario="beauty", customers=300, until=until, traffic=True, pace=60, clock=clock, say=lines.append
    )
    api = Api(standin)
    sender = max(standin.world.book.staff.values(), key=lambda staff: len(staff.people)).userid
    send(api, sender=sender)

    end = time.monotonic() + 15
    while time.monotonic() < end and not ("确认了群发" in "".join(lines) and "自己群发" in "".join(lines)):
        time.sleep(0.1)

    private = [item for item in list(standin.world.broadcasts.sent.values()) if item.creator]
    assert any("确认了群发" in line for line in lines)
    assert any("自己群发" in line for line in lines)
    assert all(task.counts()["waiting"] == 0 for item in private for task in item.tasks.values())


def test_some_delete_the_friend_and_leave_the_group(make_standin: Callable[..., StandIn]) -> None:
    standin = make_standin(
        scenario="beauty", customers=3000, until=datetime.fromtimestamp(NOON, UTC), traffic=True, pace=0.0,
        clock=Clock(offset=NOON - time.time(), speed=2000.0, anchor=time.time()),
    )  # fmt: skip
    standin.settings.confirm = "at_once"
    api, book, chats = Api(standin), standin.world.book.staff, standin.world.chats.chats
    sender = max(book.values(), key=lambda staff: len(staff.people)).userid
    owner = max((chat.owner for chat in chats.values()), key=[chat.owner for chat in chats.values()].count)

    def told(change: str) -> list[Any]:
        return [item for item in list(standin.callbacks.log) if change in item.fields.values()]

    assert max(len(told("del_follow_user")), len(told("del_member"))) < 2  # by themselves: two a minute
    for _ in range(12):
        send(api, sender=sender)
        send(api, sender=owner, chat_type="group")
    end = time.monotonic() + 10
    while time.monotonic() < end and not (len(told("del_follow_user")) > 2 and len(told("del_member")) > 7):
        time.sleep(0.1)

    assert len(told("del_follow_user")) > 2
    assert len(told("del_member")) > 7
