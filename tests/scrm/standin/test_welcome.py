"""Welcomes: twenty seconds, once, within the lengths."""

from __future__ import annotations

import pytest

from scrm.standin.server import StandIn
from tests.passing import Passing

from .conftest import Api

PATH = "externalcontact/send_welcome_msg"
TEXT = {"text": {"content": "您好"}}


@pytest.fixture
def code(standin: StandIn) -> str:
    return str(standin.act("add", userid="wanglei", state="ch_1")["welcome_code"])


def test_a_code_works_once_and_the_ledger_says_for_whom(standin: StandIn, api: Api, code: str) -> None:
    assert api.post(PATH, {"welcome_code": code, **TEXT})["errcode"] == 0
    assert api.post(PATH, {"welcome_code": code, **TEXT})["errcode"] == 41051

    (effect,) = standin.ledger.of("welcome")
    assert (effect["code"], effect["userid"], effect["text"]) == (code, "wanglei", "您好")


def test_a_code_dies_after_its_life(standin: StandIn, api: Api, passes: Passing) -> None:
    standin.settings.welcome_life = 20
    code = standin.act("add", userid="wanglei")["welcome_code"]
    passes(21)

    assert api.post(PATH, {"welcome_code": code, **TEXT})["errcode"] == 41050
    assert standin.ledger.of("welcome") == []


def test_unknown_and_missing_codes_are_told_apart(api: Api) -> None:
    assert api.post(PATH, {"welcome_code": "nonsense", **TEXT})["errcode"] == 41050
    assert api.post(PATH, TEXT)["errcode"] == 41049


def test_staff_who_spoke_first_end_the_code(standin: StandIn, api: Api) -> None:
    added = standin.act("add", userid="wanglei")
    standin.act("start_chat", userid="wanglei", external_userid=added["external_userid"])

    assert api.post(PATH, {"welcome_code": added["welcome_code"], **TEXT})["errcode"] == 41051


def test_a_native_welcome_leaves_no_code(standin: StandIn) -> None:
    standin.act("native_welcome", userid="wanglei")

    assert standin.act("add", userid="wanglei")["welcome_code"] is None
    assert "WelcomeCode" not in standin.last_callback().fields


def test_another_app_that_sends_now_may_be_waited_for(standin: StandIn, api: Api) -> None:
    standin.settings.welcome_busy = 1.0
    code = standin.act("add", userid="wanglei")["welcome_code"]

    assert api.post(PATH, {"welcome_code": code, **TEXT})["errcode"] == 41096
    assert api.post(PATH, {"welcome_code": code, **TEXT})["errcode"] == 0


@pytest.mark.parametrize(
    ("content", "errcode"),
    [
        ({}, 44004),
        ({"text": {"content": ""}, "attachments": []}, 44004),
        ({"text": {"content": "好" * 1334}}, 45002),
        ({"attachments": [{"msgtype": "link", "link": {"title": "t", "url": "https://a.cn"}}] * 10}, 41064),
        ({"attachments": [{"msgtype": "voice", "voice": {}}]}, 41065),
        ({"attachments": [{"msgtype": "link", "link": {"title": "好" * 43, "url": "https://a.cn"}}]}, 40058),
        ({"attachments": [{"msgtype": "link", "link": {"title": "t"}}]}, 40058),
        ({"attachments": [{"msgtype": "link", "image": {}}]}, 40058),
        ({"attachments": [{"msgtype": "image", "image": {"media_id": "none"}}]}, 40007),
        ({"attachments": [{"msgtype": "image", "image": {"pic_url": "https://elsewhere.cn/a.png"}}]}, 40007),
        ({"attachments": [{"msgtype": "miniprogram", "miniprogram": {"title": "t", "appid": "wx1"}}]}, 40058),
    ],
)
def test_refused_content_leaves_the_code_usable(
    standin: StandIn, api: Api, code: str, content: dict[str, object], errcode: int
) -> None:
    assert api.post(PATH, {"welcome_code": code, **content})["errcode"] == errcode
    assert standin.ledger.of("welcome") == []
    assert api.post(PATH, {"welcome_code": code, **TEXT})["errcode"] == 0


def test_takes_every_kind_of_attachment_at_its_greatest_length(standin: StandIn, api: Api, code: str) -> None:
    standin.act("add_media", media_id="m1")
    cover = {"title": "t" * 64, "pic_media_id": "m1", "appid": "wx1", "page": "p"}
    attachments = [
        {"msgtype": "image", "image": {"media_id": "m1"}},
        {"msgtype": "image", "image": {"pic_url": "https://wework.qpic.cn/wwpic/1/0"}},
        {"msgtype": "link", "link": {"title": "t" * 128, "desc": "d" * 512, "url": "https://a.cn", "picurl": ""}},
        {"msgtype": "miniprogram", "miniprogram": cover},
        {"msgtype": "video", "video": {"media_id": "m1"}},
        {"msgtype": "file", "file": {"media_id": "m1"}},
    ]

    body = {"welcome_code": code, "text": {"content": "a" * 4000}, "attachments": attachments}

    assert api.post(PATH, body)["errcode"] == 0
    assert standin.ledger.of("welcome")[0]["attachments"] == attachments
