"""What becomes of a broadcast: confirmations, results in pages, quota, reminders, cancelling, lists."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from scrm.standin.clock import Clock
from scrm.standin.server import StandIn
from tests.passing import Passing

from .conftest import Api
from .test_broadcasts import ADD, TASKS, TEXT, befriend

RESULTS = "externalcontact/get_groupmsg_send_result"
LIST = "externalcontact/get_groupmsg_list_v2"
REMIND = "externalcontact/remind_groupmsg_send"
CANCEL = "externalcontact/cancel_groupmsg_send"
NOON = datetime(2026, 3, 10, 4, tzinfo=UTC).timestamp()  # in Beijing


def moment(standin: StandIn, unix: float) -> None:
    """Set domain time; it runs on from there."""
    standin.world.clock = Clock(offset=unix - time.time())


def send(api: Api, people: list[str] | None = None, **given: Any) -> str:
    answer = api.post(ADD, {"external_userid": people or [], "sender": "wanglei", **TEXT, **given})
    assert answer["errcode"] == 0, answer
    return str(answer["msgid"])


def rows(api: Api, msgid: str, userid: str = "wanglei", **given: Any) -> list[dict[str, Any]]:
    answer = api.post(RESULTS, {"msgid": msgid, "userid": userid, **given})
    assert answer["errcode"] == 0, answer
    found: list[dict[str, Any]] = answer["send_list"]
    return found


def statuses(api: Api, msgid: str, userid: str = "wanglei") -> list[int]:
    return [row["status"] for row in rows(api, msgid, userid)]


def test_nothing_is_sent_before_the_member_confirms(standin: StandIn, api: Api) -> None:
    moment(standin, NOON)
    kept, lost = befriend(standin, "wanglei", 2)
    msgid = send(api, [kept, lost])
    standin.act("delete_by_customer", userid="wanglei", external_userid=lost)
    assert rows(api, msgid) == [
        {"external_userid": kept, "userid": "wanglei", "status": 0},
        {"external_userid": lost, "userid": "wanglei", "status": 0},
    ]

    done = standin.act("confirm", msgid=msgid, userid="wanglei")["confirmed"]

    assert done == [{"msgid": msgid, "userid": "wanglei", "waiting": 0, "sent": 1, "lost": 1, "refused": 0}]
    (task,) = api.post(TASKS, {"msgid": msgid})["task_list"]
    sent, failed = rows(api, msgid)
    assert task == {"userid": "wanglei", "status": 2, "send_time": sent["send_time"]}
    assert sent == {"external_userid": kept, "userid": "wanglei", "status": 1, "send_time": task["send_time"]}
    assert failed == {"external_userid": lost, "userid": "wanglei", "status": 2}
    assert 0 <= task["send_time"] - NOON < 10
    assert standin.act("confirm", msgid=msgid)["confirmed"] == []


def test_half_again_and_deleted_friends_are_lost_too(standin: StandIn, api: Api) -> None:
    people = befriend(standin, "wanglei", 2)
    msgid = send(api, people)
    standin.act("delete_by_staff", userid="wanglei", external_userid=people[0])
    standin.act("delete_by_customer", userid="wanglei", external_userid=people[1])
    standin.act("half_add", userid="wanglei", external_userid=people[1])
    standin.act("confirm", msgid=msgid)

    assert statuses(api, msgid) == [2, 2]


def test_the_quota_is_counted_at_confirmation_and_shared(standin: StandIn, api: Api) -> None:
    moment(standin, NOON)
    standin.settings.receive_rule = "day_1"
    first, second = befriend(standin, "wanglei", 2)
    standin.act("add", userid="zhaomin", external_userid=second)
    waiting, other = send(api, [first, second]), send(api, [second], sender="zhaomin")

    standin.act("confirm", msgid=other)
    standin.act("confirm", msgid=waiting)
    assert statuses(api, other, "zhaomin") == [1]
    assert statuses(api, waiting) == [1, 3]

    moment(standin, NOON + 86_400)
    again = send(api, [first, second])
    standin.act("confirm", msgid=again)
    assert statuses(api, again) == [1, 1]


def test_who_is_lost_uses_no_quota(standin: StandIn, api: Api) -> None:
    standin.settings.receive_rule = "day_1"
    (person,) = befriend(standin, "wanglei")
    standin.act("delete_by_customer", userid="wanglei", external_userid=person)
    standin.act("confirm", msgid=send(api, [person]))

    assert standin.world.quota.left(person) == 1


def test_what_members_send_privately_counts_as_well(standin: StandIn, api: Api) -> None:
    standin.settings.receive_rule = "day_1"
    people = befriend(standin, "wanglei", 2)
    private = standin.act("send_privately", userid="wanglei", external_userids=people[:1], text="自己发的")

    msgid = send(api, people)
    standin.act("confirm", msgid=msgid)

    assert {name: private[name] for name in ("waiting", "sent", "lost", "refused")} == {
        "waiting": 0, "sent": 1, "lost": 0, "refused": 0,
    }  # fmt: skip
    assert statuses(api, msgid) == [3, 1]
    assert len(standin.ledger.of("broadcast")) == 1


def test_groups_have_a_quota_of_their_own(standin: StandIn, api: Api) -> None:
    standin.settings.receive_rule = "day_1"
    chats = [standin.act("create_chat", owner="wanglei")["chat_id"] for _ in range(4)]
    standin.act("send_privately", userid="wanglei", chat_ids=chats[:1])
    msgid = send(api, chat_type="group", chat_id_list=chats)
    standin.act("dismiss_chat", chat_id=chats[2])
    standin.act("change_owner", chat_id=chats[3], owner="zhaomin")
    standin.act("confirm", msgid=msgid)

    found = rows(api, msgid)
    assert [row["chat_id"] for row in found] == chats
    assert [row["status"] for row in found] == [3, 1, 2, 2]
    assert sorted(found[1]) == ["chat_id", "send_time", "status", "userid"]


def test_results_and_tasks_come_in_pages(standin: StandIn, api: Api) -> None:
    people = befriend(standin, "wanglei", 5)
    for person in people[:2]:
        standin.act("add", userid="zhaomin", external_userid=person)
        standin.act("talk", userid="zhaomin", external_userid=person)
    msgid = send(api, people, sender="")
    cursor, seen, pages = "", [], 0
    while pages == 0 or cursor:
        answer = api.post(RESULTS, {"msgid": msgid, "userid": "wanglei", "limit": 2, "cursor": cursor})
        seen += [row["external_userid"] for row in answer["send_list"]]
        cursor, pages = answer["next_cursor"], pages + 1
    assert (seen, pages) == (people[2:], 2)

    first = api.post(TASKS, {"msgid": msgid, "limit": 1})
    second = api.post(TASKS, {"msgid": msgid, "limit": 1, "cursor": first["next_cursor"]})
    assert [row["userid"] for row in first["task_list"] + second["task_list"]] == ["zhaomin", "wanglei"]
    assert second["next_cursor"] == ""


@pytest.mark.parametrize(
    ("path", "given", "errcode"),
    [
        (TASKS, {"msgid": ""}, 41046),
        (TASKS, {"msgid": "msgNone"}, 41047),
        (TASKS, {"limit": 1001}, 40058),
        (TASKS, {"limit": 0}, 40058),
        (TASKS, {"cursor": "nonsense"}, 50100),
        (RESULTS, {"msgid": "", "userid": "wanglei"}, 41046),
        (RESULTS, {"msgid": "msgNone", "userid": "wanglei"}, 41047),
        (RESULTS, {}, 40063),
        (RESULTS, {"userid": "nobody"}, 40003),
        (RESULTS, {"userid": "wanglei", "limit": 1001}, 40058),
        (REMIND, {"msgid": ""}, 41046),
        (REMIND, {"msgid": "msgNone"}, 41047),
        (CANCEL, {"msgid": ""}, 41046),
        (CANCEL, {"msgid": "msgNone"}, 41047),
    ],
)
def test_readers_are_refused(standin: StandIn, api: Api, path: str, given: dict[str, Any], errcode: int) -> None:
    msgid = send(api, befriend(standin, "wanglei"))

    assert api.post(path, {"msgid": msgid, **given})["errcode"] == errcode


def test_a_member_without_a_task_has_no_results(standin: StandIn, api: Api) -> None:
    assert rows(api, send(api, befriend(standin, "wanglei")), "zhaomin") == []


def test_while_it_is_dispatched_only_tasks_are_read(standin: StandIn, api: Api, passes: Passing) -> None:
    standin.settings.dispatching = 30
    msgid = send(api, befriend(standin, "wanglei"))

    body = {"msgid": msgid, "userid": "wanglei"}
    assert [api.post(path, body)["errcode"] for path in (RESULTS, REMIND, CANCEL, TASKS)] == [41063, 41063, 41063, 0]
    passes(31)
    assert [api.post(path, body)["errcode"] for path in (RESULTS, REMIND, CANCEL)] == [0, 0, 0]


def test_results_are_read_late(standin: StandIn, api: Api, passes: Passing) -> None:
    standin.settings.result_lag = 30
    msgid = send(api, befriend(standin, "wanglei"))
    standin.act("confirm", msgid=msgid)

    assert api.post(TASKS, {"msgid": msgid})["task_list"][0]["status"] == 2
    assert statuses(api, msgid) == [0]
    passes(31)
    assert statuses(api, msgid) == [1]


def test_three_reminders_in_a_day(standin: StandIn, api: Api) -> None:
    moment(standin, NOON)
    standin.settings.confirm = "never"
    msgid = send(api, befriend(standin, "wanglei"))

    assert [api.post(REMIND, {"msgid": msgid})["errcode"] for _ in range(4)] == [0, 0, 0, 41094]
    moment(standin, NOON + 86_500)
    assert api.post(REMIND, {"msgid": msgid})["errcode"] == 0
    assert len(standin.ledger.of("reminder")) == 4
    assert statuses(api, msgid) == [0]


def test_cancelling_keeps_what_was_confirmed_and_stops_the_rest(standin: StandIn, api: Api) -> None:
    (own,), (other,) = befriend(standin, "wanglei"), befriend(standin, "zhaomin")
    msgid = send(api, [own, other], sender="")
    standin.act("confirm", msgid=msgid, userid="wanglei")

    assert api.post(CANCEL, {"msgid": msgid})["errcode"] == 0

    assert standin.act("confirm", msgid=msgid)["confirmed"] == []
    assert [statuses(api, msgid, userid) for userid in ("wanglei", "zhaomin")] == [[1], [0]]
    assert [row["status"] for row in api.post(TASKS, {"msgid": msgid})["task_list"]] == [2, 0]
    assert [api.post(path, {"msgid": msgid})["errcode"] for path in (REMIND, CANCEL)] == [41093, 41093]
    assert [row["msgid"] for row in standin.ledger.of("cancellation")] == [msgid]


def test_lists_name_own_and_private_ones(standin: StandIn, api: Api) -> None:
    moment(standin, NOON)
    people = befriend(standin, "wanglei", 2)
    own = [send(api, people) for _ in range(2)]
    private = standin.act("send_privately", userid="wanglei", text="自己发的")["msgid"]
    chat = standin.act("create_chat", owner="wanglei")["chat_id"]
    group = send(api, chat_type="group", chat_id_list=[chat])
    span = {"chat_type": "single", "start_time": int(NOON), "end_time": int(NOON) + 60}

    def named(**given: Any) -> list[str]:
        return [row["msgid"] for row in api.post(LIST, {**span, **given})["group_msg_list"]]

    assert named() == [*own, private]
    assert named(filter_type=0) == own
    assert named(filter_type=1) == named(creator="wanglei") == [private]
    assert named(chat_type="group") == [group]
    assert named(start_time=int(NOON) - 200, end_time=int(NOON) - 100) == []
    first = api.post(LIST, {**span, "limit": 2})
    rest = api.post(LIST, {**span, "limit": 2, "cursor": first["next_cursor"]})
    assert [row["msgid"] for row in first["group_msg_list"] + rest["group_msg_list"]] == [*own, private]
    assert rest["next_cursor"] == ""
    row, personal = first["group_msg_list"][0], rest["group_msg_list"][0]
    assert sorted(row) == ["attachments", "create_time", "create_type", "msgid", "text"]
    assert (row["create_type"], row["text"], row["attachments"]) == (0, TEXT["text"], [])
    assert (personal["create_type"], personal["creator"]) == (1, "wanglei")
    assert isinstance(row["create_time"], int)
    standin.settings.create_time_text = True
    assert api.post(LIST, span)["group_msg_list"][0]["create_time"] == str(row["create_time"])


@pytest.mark.parametrize(
    "given",
    [
        {"chat_type": "both"},
        {"end_time": 0},
        {"end_time": 32 * 86_400},
        {"filter_type": 3},
        {"start_time": "1"},
        {"limit": 0},
    ],
)
def test_lists_refuse_other_shapes_and_long_spans(api: Api, given: dict[str, Any]) -> None:
    assert api.post(LIST, {"chat_type": "single", "start_time": 1, "end_time": 2, **given})["errcode"] == 40058


def test_a_list_page_above_a_hundred_has_fifty(standin: StandIn, api: Api) -> None:
    befriend(standin, "wanglei")
    for _ in range(101):
        standin.act("send_privately", userid="wanglei")
    span = {"chat_type": "single", "start_time": standin.world.now() - 60, "end_time": standin.world.now() + 60}

    sizes = [len(api.post(LIST, {**span, **given})["group_msg_list"]) for given in ({}, {"limit": 100}, {"limit": 101})]

    assert sizes == [50, 100, 50]


def test_a_renamed_member_keeps_the_task_and_one_who_left_cannot_confirm(standin: StandIn, api: Api) -> None:
    (own,), (other,) = befriend(standin, "wanglei"), befriend(standin, "zhaomin")
    msgid = send(api, [own, other], sender="")
    standin.act("rename_user", userid="wanglei", new_userid="wanglei2")
    standin.act("delete_user", userid="zhaomin")

    done = standin.act("confirm", msgid=msgid)["confirmed"]

    assert [row["userid"] for row in done] == ["wanglei2"]
    assert statuses(api, msgid, "wanglei2") == [1]


def test_the_truth_is_told_by_the_hidden_pages(standin: StandIn, api: Api) -> None:
    standin.settings.result_lag = 60
    people = befriend(standin, "wanglei", 2)
    msgid = send(api, people)
    control = standin.control_url
    verb = {"action": "confirm", "msgid": msgid, "userid": "wanglei"}
    assert requests.post(control + "actions", json=verb, timeout=5).json()["confirmed"][0]["sent"] == 2

    ledger = requests.get(control + "ledger", params={"kind": "broadcast"}, timeout=5).json()
    (truth,) = requests.get(control + "state", params={"part": "broadcasts"}, timeout=5).json()["broadcasts"]

    assert [(row["msgid"], row["recipients"]) for row in ledger] == [(msgid, people)]
    assert truth["tasks"][0]["results"] == dict.fromkeys(people, 1)
    assert (truth["msgid"], truth["cancelled_at"]) == (msgid, None)
    refused = requests.post(control + "actions", json={"action": "confirm", "msgid": "msgNone"}, timeout=5)
    assert (refused.status_code, refused.json()["errcode"]) == (400, 41047)


def test_tasks_outlive_a_restart(make_standin: Callable[..., StandIn], tmp_path: Path) -> None:
    until = datetime.fromtimestamp(time.time() // 60 * 60, UTC)
    given = {"scenario": "beauty", "customers": 60, "until": until, "state_file": tmp_path / "world"}
    first = make_standin(**given)
    first.settings.confirm = "never"
    sender = next(staff for staff in first.world.book.staff.values() if staff.people)
    done, waiting = (send(Api(first), sender=sender.userid) for _ in range(2))
    first.act("confirm", msgid=done)
    before = statuses(Api(first), done, sender.userid)
    used = first.world.quota.used
    first.stop()

    second = make_standin(**given)

    assert statuses(Api(second), done, sender.userid) == before
    assert second.world.quota.used == used
    assert set(statuses(Api(second), waiting, sender.userid)) == {0}
    assert second.act("confirm")["confirmed"][0]["msgid"] == waiting
