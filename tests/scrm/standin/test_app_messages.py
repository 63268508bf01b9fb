"""App messages: to whom, how long, how many, and what is dropped without a word."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from scrm.standin.server import StandIn

from .conftest import AGENT_ID, Api

PATH = "message/send"
CARD = {"title": "今日任务", "description": "3 个群待确认", "url": "https://scrm.example.com/t"}
NOTICE = {
    "card_type": "text_notice",
    "main_title": {"title": "今日任务", "desc": "3 个群待确认"},
    "card_action": {"type": 1, "url": "https://scrm.example.com/t"},
}


def message(kind: str = "textcard", content: object = None, touser: str = "wanglei", **more: Any) -> dict[str, Any]:
    return {
        "touser": touser, "msgtype": kind, "agentid": AGENT_ID, kind: CARD if content is None else content, **more
    }  # fmt: skip


def text(content: str = "您好", **more: Any) -> dict[str, Any]:
    return message("text", {"content": content}, **more)


def test_reaches_whom_it_names_and_names_whom_it_does_not_reach(standin: StandIn, api: Api) -> None:
    standin.act("create_user", userid="gone", status=2, callback=False)

    answer = api.post(PATH, message(touser="wanglei|nobody|ZhaoMin|gone"))

    assert (answer["errcode"], answer["invaliduser"]) == (0, "nobody|gone")
    (effect,) = standin.ledger.of("app_message")
    assert (effect["received"], effect["invalid"]) == (["wanglei", "zhaomin"], ["nobody", "gone"])
    assert (effect["msgtype"], effect["content"], effect["msgid"]) == ("textcard", CARD, answer["msgid"])
    shown = requests.get(standin.control_url + "ledger", params={"kind": "app_message"}, timeout=5).json()
    assert [row["received"] for row in shown] == [["wanglei", "zhaomin"]]


def test_nobody_who_can_be_reached_is_a_refusal(standin: StandIn, api: Api) -> None:
    assert api.post(PATH, message(touser="nobody"))["errcode"] == 81013
    assert api.post(PATH, message(touser=""))["errcode"] == 40063
    assert api.post(PATH, message(touser="|".join(f"u{n}" for n in range(1001))))["errcode"] == 40032
    assert standin.ledger.of("app_message") == []


def test_everybody_and_departments_are_reached_too(standin: StandIn, api: Api) -> None:
    standin.act("create_party", name="销售", party_id=2, callback=False)
    standin.act("create_user", userid="lijing", departments=[2], callback=False)

    api.post(PATH, text(touser="@all"))
    api.post(PATH, text(touser="", toparty="2|9"))

    assert [row["received"] for row in standin.ledger.of("app_message")] == [
        ["wanglei", "zhaomin", "lijing"], ["lijing"]
    ]  # fmt: skip


def test_only_the_tokens_own_app_sends(standin: StandIn, api: Api) -> None:
    assert api.post(PATH, {**text(), "agentid": 1000009})["errcode"] == 301002
    assert api.post(PATH, {**text(), "agentid": str(AGENT_ID)})["errcode"] == 40058


@pytest.mark.parametrize(
    ("kind", "content", "errcode"),
    [
        ("voice_of_god", {}, 40008),
        ("text", {"content": ""}, 44004),
        ("text", {"content": "好" * 683}, 45002),
        ("markdown", {"content": "a" * 2049}, 45002),
        ("textcard", {**CARD, "title": "好" * 43}, 45002),
        ("textcard", {**CARD, "description": "a" * 513}, 45002),
        ("textcard", {**CARD, "url": ""}, 40063),
        ("textcard", {**CARD, "url": "javascript:1"}, 40058),
        ("textcard", {**CARD, "btntxt": "查看更多吧"}, 45002),
        ("image", {"media_id": "unknown"}, 40007),
        ("template_card", {**NOTICE, "card_type": "other"}, 40058),
        ("template_card", {**NOTICE, "main_title": {}}, 40058),
        ("template_card", {**NOTICE, "card_action": None}, 40058),
        ("template_card", {**NOTICE, "card_action": {"type": 1}}, 40058),
        ("template_card", {**NOTICE, "jump_list": [{"title": "a"}] * 4}, 40058),
        ("template_card", {**NOTICE, "horizontal_content_list": [{"keyname": "a"}] * 7}, 40058),
        ("template_card", {**NOTICE, "task_id": "a b"}, 40058),
        ("template_card", {**NOTICE, "card_type": "button_interaction"}, 40058),
    ],
)
def test_refuses_content_without_form(
    standin: StandIn, api: Api, kind: str, content: dict[str, Any], errcode: int
) -> None:
    assert api.post(PATH, message(kind, content))["errcode"] == errcode
    assert standin.ledger.of("app_message") == []


def test_takes_content_of_the_greatest_length(api: Api) -> None:
    longest = {"title": "a" * 128, "description": "d" * 512, "url": "https://a.cn/" + "u" * 2035, "btntxt": "查看详情"}
    rows = [{"keyname": "群", "value": str(number)} for number in range(6)]

    assert api.post(PATH, text("a" * 2048))["errcode"] == 0
    assert api.post(PATH, message("textcard", longest))["errcode"] == 0
    assert api.post(PATH, message("template_card", {**NOTICE, "horizontal_content_list": rows}))["errcode"] == 0


def test_a_card_to_answer_has_a_response_code_and_a_task_once(api: Api) -> None:
    card = {**NOTICE, "card_type": "button_interaction", "task_id": "task-1", "button_list": [{"text": "好"}]}

    first, second = api.post(PATH, message("template_card", card)), api.post(PATH, message("template_card", card))

    assert (first["errcode"], bool(first["response_code"])) == (0, True)
    assert second["errcode"] == 40058
    assert "response_code" not in api.post(PATH, message("template_card", NOTICE))


def test_the_thirty_first_in_a_minute_is_dropped_without_a_word(standin: StandIn, api: Api) -> None:
    answers = [api.post(PATH, text(f"第 {number} 条"))["errcode"] for number in range(31)]
    api.post(PATH, text(touser="wanglei|zhaomin"))

    assert answers == [0] * 31
    rows = standin.ledger.of("app_message")
    assert [row["received"] for row in rows[29:]] == [["wanglei"], [], ["zhaomin"]]
    assert [row["dropped"] for row in rows[29:]] == [[], ["wanglei"], ["wanglei"]]


def test_a_checked_repeat_is_not_shown_again(standin: StandIn, api: Api) -> None:
    given: list[dict[str, Any]] = [{"enable_duplicate_check": 1}, {"enable_duplicate_check": 1}, {}]
    for more in given:
        assert api.post(PATH, text(**more))["errcode"] == 0
    api.post(PATH, text("别的", enable_duplicate_check=1))

    assert [row["received"] for row in standin.ledger.of("app_message")] == [["wanglei"], [], ["wanglei"], ["wanglei"]]
    assert standin.ledger.of("app_message")[1]["duplicates"] == ["wanglei"]
    refused: list[dict[str, Any]] = [{"enable_duplicate_check": 2}, {"duplicate_check_interval": 14_401}, {"safe": 3}]
    for wrong in refused:
        assert api.post(PATH, text(**wrong))["errcode"] == 40058
