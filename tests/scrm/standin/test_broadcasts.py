"""Broadcasts through the API: whom a call reaches, what it refuses, what the witness says."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from scrm.standin.server import StandIn
from tests.processes import eventually

from .conftest import Api

ADD = "externalcontact/add_msg_template"
TASKS = "externalcontact/get_groupmsg_task"
TEXT = {"text": {"content": "本周六到店有礼"}}


def befriend(standin: StandIn, userid: str, count: int = 1, **given: Any) -> list[str]:
    """New customers of one member."""
    adds = [standin.act("add", userid=userid, callback=False, **given) for _ in range(count)]
    return [added["external_userid"] for added in adds]


def accepted(standin: StandIn) -> list[dict[str, Any]]:
    return standin.ledger.of("broadcast")


def test_a_call_makes_one_task_of_its_sender(standin: StandIn, api: Api) -> None:
    people = befriend(standin, "wanglei", 3)

    answer = api.post(ADD, {"external_userid": people[:2], "sender": "wanglei", **TEXT})

    assert sorted(answer) == ["errcode", "errmsg", "fail_list", "msgid"]
    assert (answer["errcode"], answer["fail_list"], answer["msgid"][:3]) == (0, [], "msg")
    assert api.post(TASKS, {"msgid": answer["msgid"]}) == {
        "errcode": 0, "errmsg": "ok", "task_list": [{"userid": "wanglei", "status": 0}], "next_cursor": "",
    }  # fmt: skip
    (row,) = accepted(standin)
    assert (row["msgid"], row["chat_type"], row["sender"]) == (answer["msgid"], "single", "wanglei")
    assert (row["recipients"], row["by_staff"]) == (people[:2], {"wanglei": 2})
    assert row["body"] == {"sender": "wanglei", **TEXT}


def test_who_is_no_customer_of_the_sender_is_in_the_fail_list(standin: StandIn, api: Api) -> None:
    (own,) = befriend(standin, "wanglei")
    (other,) = befriend(standin, "zhaomin")
    stranger = standin.act("create_person")["external_userid"]
    half = standin.act("half_add", userid="wanglei")["external_userid"]
    (lost,) = befriend(standin, "wanglei")
    standin.act("delete_by_customer", userid="wanglei", external_userid=lost)
    (deleted,) = befriend(standin, "wanglei")
    standin.act("delete_by_staff", userid="wanglei", external_userid=deleted)
    given = [own, other, stranger, half, lost, deleted, "wmNobody", own]

    answer = api.post(ADD, {"external_userid": given, "sender": "wanglei", **TEXT})

    assert answer["fail_list"] == [other, stranger, half, deleted, "wmNobody"]
    assert accepted(standin)[0]["recipients"] == [own, lost]


def test_half_friends_may_refuse_the_whole_call(standin: StandIn, api: Api) -> None:
    standin.settings.half_refused = True
    half = standin.act("half_add", userid="wanglei")["external_userid"]
    people = befriend(standin, "wanglei")

    assert api.post(ADD, {"external_userid": [*people, half], "sender": "wanglei", **TEXT})["errcode"] == 84061
    assert accepted(standin) == []


def test_a_sender_alone_means_everybody_of_theirs(standin: StandIn, api: Api) -> None:
    people = befriend(standin, "wanglei", 3)
    befriend(standin, "zhaomin")
    standin.act("half_add", userid="wanglei")
    standin.act("delete_by_customer", userid="wanglei", external_userid=people[1])
    standin.act("delete_by_staff", userid="wanglei", external_userid=people[2])

    assert api.post(ADD, {"sender": "wanglei", **TEXT})["fail_list"] == []
    assert accepted(standin)[0]["recipients"] == people[:2]


def test_without_a_sender_each_customer_goes_to_who_talked_last(standin: StandIn, api: Api) -> None:
    standin.act("create_user", userid="sunqi")
    shared, told, gone = befriend(standin, "wanglei", 3, at=1_700_000_000)
    for person in (shared, told, gone):
        standin.act("add", userid="zhaomin", external_userid=person, at=1_700_000_100)
    standin.act("talk", userid="wanglei", external_userid=told)
    standin.act("delete_by_customer", userid="zhaomin", external_userid=gone)
    stranger = standin.act("create_person")["external_userid"]

    answer = api.post(ADD, {"external_userid": [shared, told, gone, stranger], **TEXT})

    assert answer["fail_list"] == [stranger]
    assert accepted(standin)[0]["by_staff"] == {"zhaomin": 1, "wanglei": 2}
    rows = api.post(TASKS, {"msgid": answer["msgid"]})["task_list"]
    assert rows == [{"userid": "zhaomin", "status": 0}, {"userid": "wanglei", "status": 0}]


def test_tags_narrow_the_customers(standin: StandIn, api: Api) -> None:
    gold = standin.act("create_tag", group="会员", name="金卡")["id"]
    silver = standin.act("create_tag", group="会员", name="银卡")["id"]
    dry = standin.act("create_tag", group="肤质", name="干皮")["id"]
    people = befriend(standin, "wanglei", 4)
    for person, tags in zip(people, ([gold], [silver, dry], [gold, dry], []), strict=True):
        standin.act("edit", userid="wanglei", external_userid=person, tags=tags)

    def reached(*groups: list[str]) -> Any:
        given = {"group_list": [{"tag_list": tags} for tags in groups]}
        answer = api.post(ADD, {"sender": "wanglei", "tag_filter": given, **TEXT})
        return accepted(standin)[-1]["recipients"] if answer["errcode"] == 0 else answer["errcode"]

    assert reached([gold, silver]) == people[:3]
    assert reached([gold, silver], [dry]) == people[1:3]
    assert reached(["etNone"]) == 40068
    assert reached([]) == 40058
    assert reached() == 40058


def test_groups_of_their_owner_only(standin: StandIn, api: Api) -> None:
    first, second = (standin.act("create_chat", owner="wanglei")["chat_id"] for _ in range(2))
    other = standin.act("create_chat", owner="zhaomin")["chat_id"]
    gone = standin.act("create_chat", owner="wanglei")["chat_id"]
    standin.act("dismiss_chat", chat_id=gone)
    body = {"chat_type": "group", "sender": "wanglei", **TEXT}

    named = api.post(ADD, {**body, "chat_id_list": [second, other, gone, "wrNone"]})
    everything = api.post(ADD, body)

    assert named["fail_list"] == [other, gone, "wrNone"]
    assert everything["fail_list"] == []
    assert [row["recipients"] for row in accepted(standin)] == [[second], [first, second]]


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({}, 41048),
        ({"external_userid": []}, 41048),
        ({"external_userid": ["wmNobody"], "sender": "wanglei"}, 41048),
        ({"external_userid": ["wmNobody"]}, 41048),
        ({"sender": "zhaomin"}, 41048),
        ({"chat_type": "group", "sender": "wanglei"}, 41048),
        ({"chat_type": "group", "sender": "wanglei", "chat_id_list": ["wrNone"]}, 41048),
        ({"chat_type": "group"}, 40063),
        ({"chat_type": "both", "sender": "wanglei"}, 40058),
        ({"sender": "nobody"}, 40003),
        ({"sender": "sleeper"}, 41054),
        ({"sender": "boss"}, 84074),
        ({"sender": 7}, 40058),
        ({"sender": "wanglei", "allow_select": "yes"}, 40058),
        ({"external_userid": "wmOne", "sender": "wanglei"}, 40058),
        ({"external_userid": ["wm"] * 10_001, "sender": "wanglei"}, 40058),
        ({"chat_type": "group", "chat_id_list": ["wr"] * 2001, "sender": "wanglei"}, 40058),
        ({"sender": "wanglei", "text": {"content": ""}}, 44004),
        ({"sender": "wanglei", "text": {"content": "好" * 1333 + "ab"}}, 45002),
        ({"sender": "wanglei", "attachments": [{"msgtype": "link"}] * 10}, 41064),
        ({"sender": "wanglei", "attachments": [{"msgtype": "voice", "voice": {"media_id": "m"}}]}, 41065),
        ({"sender": "wanglei", "attachments": [{"msgtype": "image", "image": {"media_id": "none"}}]}, 40007),
        ({"sender": "wanglei", "attachments": [{"msgtype": "link", "link": {"title": "t"}}]}, 40058),
    ],
)
def test_refusals_make_nothing(standin: StandIn, api: Api, body: dict[str, Any], errcode: int) -> None:
    befriend(standin, "wanglei")
    standin.act("create_user", userid="sleeper", status=4)
    standin.act("create_user", userid="boss", follows=False)

    assert api.post(ADD, {**TEXT, **body})["errcode"] == errcode
    assert accepted(standin) == []
    assert standin.world.broadcasts.sent == {}


def test_takes_the_greatest_lengths(standin: StandIn, api: Api) -> None:
    people = befriend(standin, "wanglei")
    standin.act("add_media", media_id="m1", kind="image")
    link = {"msgtype": "link", "link": {"title": "t" * 128, "desc": "d" * 512, "url": "https://a.cn"}}
    attachments = [{"msgtype": "image", "image": {"media_id": "m1"}}, *[link] * 8]
    given = [*people, *(f"wm{number}" for number in range(9_999))]

    answer = api.post(
        ADD,
        {
            "external_userid": given,
            "sender": "wanglei",
            "text": {"content": "好" * 1333 + "a"},
            "attachments": attachments,
        },
    )

    assert (answer["errcode"], len(answer["fail_list"])) == (0, 9_999)
    assert accepted(standin)[0]["attachments"] == attachments


def test_equal_bodies_have_equal_digests_whoever_receives_them(standin: StandIn, api: Api) -> None:
    first, second = befriend(standin, "wanglei", 2)
    for person, text in ((first, "甲"), (second, "甲"), (second, "乙")):
        api.post(ADD, {"external_userid": [person], "sender": "wanglei", "text": {"content": text}})

    digests = [row["digest"] for row in accepted(standin)]

    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("action", "how"), [("drop_after", "closed connection without response"), ("reset_after", "reset by peer")]
)
def test_what_ends_after_acceptance_was_accepted(standin: StandIn, api: Api, action: str, how: str) -> None:
    people = befriend(standin, "wanglei")
    body = {"external_userid": people, "sender": "wanglei", **TEXT}
    api.token  # noqa: B018 - fetched before the fault
    standin.faults.add({"api": ADD, "call": 1, "action": action}, {"api": ADD, "call": 2, "action": "drop_before"})

    for message in (how, "closed connection without response"):
        with pytest.raises(requests.ConnectionError, match=message):
            api.post(ADD, body)

    assert [row["recipients"] for row in accepted(standin)] == [people]
    assert api.post(ADD, body)["errcode"] == 0


def test_a_late_answer_comes_after_the_acceptance(standin: StandIn, api: Api) -> None:
    people = befriend(standin, "wanglei")
    params, body = {"access_token": api.token}, {"external_userid": people, "sender": "wanglei", **TEXT}
    standin.faults.add({"api": ADD, "call": 1, "action": "delay_after", "value": 20.0})

    with pytest.raises(requests.ReadTimeout):
        requests.post(standin.url + ADD, params=params, json=body, timeout=1.0)

    eventually(lambda: accepted(standin))
    assert [row["recipients"] for row in accepted(standin)] == [people]


def test_a_limit_of_calls_a_minute_for_this_path_alone(standin: StandIn, api: Api) -> None:
    people = befriend(standin, "wanglei")
    standin.settings.change({"per_minute": {ADD: 3}, "block_seconds": 60})
    body = {"external_userid": people, "sender": "wanglei", **TEXT}

    assert [api.post(ADD, body)["errcode"] for _ in range(5)] == [0, 0, 0, 45009, 45009]
    assert api.post(TASKS, {"msgid": accepted(standin)[0]["msgid"]})["errcode"] == 0
    assert len(accepted(standin)) == 3
