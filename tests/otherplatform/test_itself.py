"""The other platform answers as the documents say, before anything leans on it."""

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from wechatpy.work.crypto import WeChatCrypto

from tests.otherplatform import vector
from tests.otherplatform.broadcasts import Sent
from tests.otherplatform.callbacks import Channel, as_xml, deliver, signature
from tests.otherplatform.corp import Corp
from tests.otherplatform.server import App, Platform, serving

CLOCK = 1_780_000_000


class Caller:
    """A client of three lines, with one token."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.token = self("gettoken", corpid="wwother", corpsecret="s1")["access_token"]

    def __call__(self, path: str, body: dict[str, Any] | None = None, **query: object) -> Any:
        query |= {"access_token": getattr(self, "token", "")}
        url = f"{self.platform.address}/cgi-bin/{path}?{urlencode(query)}"
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        with urllib.request.urlopen(url, data, timeout=5) as response:
            return json.loads(response.read())


@pytest.fixture
def corp() -> Corp:
    corp = Corp("wwother", clock=lambda: CLOCK)
    corp.hire("wanglei", "王磊")
    corp.hire("zhaomin", "赵敏")
    corp.customer("wm1", "小林")
    corp.customer("wm2", "𠮷田🌸")
    return corp


@pytest.fixture
def call(corp: Corp) -> Iterator[Caller]:
    platform = Platform(corp, [App("s1", 1000002), App("s2", 1000003)])
    with serving(platform):
        yield Caller(platform)


def test_published_vector_opens() -> None:
    crypto = WeChatCrypto(vector.TOKEN, vector.AES_KEY, vector.CORP_ID)
    echo = crypto.check_signature(vector.ECHO_SIGNATURE, vector.ECHO_TIMESTAMP, vector.ECHO_NONCE, vector.ECHO_SEALED)
    assert echo == vector.ECHO
    parts = (vector.TOKEN, vector.TIMESTAMP, vector.NONCE, vector.SEALED)
    assert signature(*parts) == vector.SIGNATURE


def test_callback_opens_and_is_sealed_anew_at_each_try(corp: Corp) -> None:
    corp.befriend("wanglei", "wm2", state="ch_1")
    [event] = corp.events
    channel = Channel(vector.TOKEN, WeChatCrypto(vector.TOKEN, vector.AES_KEY, "").key, "wwother", 7)
    tries = []

    def refuse(query: dict[str, str], body: bytes) -> int:
        tries.append((query, body))
        return 500

    lost = deliver(corp, channel, refuse)
    crypto = WeChatCrypto(vector.TOKEN, vector.AES_KEY, "wwother")
    opened = {
        crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
        for query, body in tries
    }
    assert lost == [event]
    assert len({body for _, body in tries}) == 3
    assert opened == {as_xml(corp, event)}


def test_one_token_per_app_and_refusals_with_hints(corp: Corp, call: Caller) -> None:
    again = call("gettoken", corpid="wwother", corpsecret="s1")["access_token"]
    other = call("gettoken", corpid="wwother", corpsecret="s2")["access_token"]
    assert again == call.token != other
    answer = call("externalcontact/get", external_userid="wmNobody")
    assert answer["errcode"] == 40096
    assert re.fullmatch(
        r"invalid external userid, hint: \[\d+\], from ip: 127\.0\.0\.1, more info at "
        r"https://open\.work\.weixin\.qq\.com/devtool/query\?e=40096",
        answer["errmsg"],
    )
    call.platform.revoke_tokens()
    assert call("getcallbackip")["errcode"] == 40014


def test_member_without_customers_is_84061_and_one_way_friends_stay(corp: Corp, call: Caller) -> None:
    assert call("externalcontact/list", userid="wanglei")["errcode"] == 84061
    corp.befriend("wanglei", "wm1")
    corp.befriend("zhaomin", "wm1")
    corp.customer_deletes("wanglei", "wm1")
    corp.staff_deletes("zhaomin", "wm1")
    assert call("externalcontact/list", userid="wanglei")["external_userid"] == ["wm1"]
    assert call("externalcontact/list", userid="zhaomin")["errcode"] == 84061
    detail = call("externalcontact/get", external_userid="wm1")
    assert [each["userid"] for each in detail["follow_user"]] == ["wanglei"]


def test_pages_end_with_an_empty_one(corp: Corp, call: Caller) -> None:
    corp.quirks.short_pages, corp.quirks.trailing_page = 1, True
    corp.befriend("wanglei", "wm1")
    corp.befriend("wanglei", "wm2")
    cursor, pages = "", []
    while True:
        body = {"userid_list": ["wanglei"], "cursor": cursor}
        answer = call("externalcontact/batch/get_by_user", body)
        pages.append([each["external_contact"]["name"] for each in answer["external_contact_list"]])
        cursor = answer["next_cursor"]
        if not cursor:
            break
    assert pages == [["小林"], ["𠮷田🌸"], []]


def test_readings_lag_behind_a_deed(corp: Corp, call: Caller) -> None:
    corp.chat("wr1", "", "wanglei")
    corp.quirks.late_reads = 1
    corp.join("wr1", "wm1")
    members = [
        [
            each["userid"]
            for each in call("externalcontact/groupchat/get", {"chat_id": "wr1"})["group_chat"]["member_list"]
        ]
        for _ in range(2)
    ]
    assert members == [["wanglei"], ["wanglei", "wm1"]]


def test_quirks_of_an_answer(corp: Corp, call: Caller) -> None:
    corp.befriend("wanglei", "wm1")
    corp.quirks.sparse = corp.quirks.stringly = True
    detail = call("externalcontact/get", external_userid="wm1")
    assert detail["errcode"] == 0
    assert detail["external_contact"]["type"] == "1"
    assert "remark" not in detail["follow_user"][0]
    assert "next_cursor" not in detail
    corp.quirks.busy_every = 1
    assert call("getcallbackip")["errcode"] == -1


def test_welcome_code_serves_once(corp: Corp, call: Caller) -> None:
    code = corp.befriend("wanglei", "wm1")
    body = {"welcome_code": code, "text": {"content": "您好"}}
    answers = [call("externalcontact/send_welcome_msg", body)["errcode"] for _ in range(2)]
    assert answers == [0, 41051]
    corp.clock = lambda: CLOCK + 21
    assert call("externalcontact/send_welcome_msg", body)["errcode"] == 41050


def test_broadcast_waits_for_its_member_and_tells_each_outcome(corp: Corp, call: Caller) -> None:
    for each in ("wm1", "wm2", "wm3", "wm4"):
        corp.customer(each, each)
    for each in ("wm1", "wm2", "wm3"):
        corp.befriend("wanglei", each)
    corp.befriend("wanglei", "wm4", half=True)
    corp.customer_deletes("wanglei", "wm2")
    corp.quirks.receive_rule = "day_1"
    call.platform.broadcasts.send_privately("wanglei", "wm3")
    made = call(
        "externalcontact/add_msg_template",
        {
            "external_userid": ["wm1", "wm2", "wm3", "wm4"],
            "sender": "wanglei",
            "text": {"content": "到店有礼"},
        },
    )
    assert made["fail_list"] == ["wm4"]
    tasks = call("externalcontact/get_groupmsg_task", {"msgid": made["msgid"]})["task_list"]
    assert tasks == [{"userid": "wanglei", "status": 0}]
    call.platform.broadcasts.confirm(made["msgid"], "wanglei")
    asked = {"msgid": made["msgid"], "userid": "wanglei"}
    results = call("externalcontact/get_groupmsg_send_result", asked)["send_list"]
    assert {each["external_userid"]: each["status"] for each in results} == {
        "wm1": Sent.DONE,
        "wm2": Sent.NO_FRIEND,
        "wm3": Sent.OVER_QUOTA,
    }
    assert call.platform.broadcasts.deliveries["wm1"] == [(made["msgid"], CLOCK)]
    assert call("externalcontact/cancel_groupmsg_send", asked)["errcode"] == 0
    assert call("externalcontact/remind_groupmsg_send", asked)["errcode"] == 41093
