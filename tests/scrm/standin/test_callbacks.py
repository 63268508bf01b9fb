"""Callbacks: the address check, three tries, repeats, losses, replays."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import requests
import xmltodict
from wechatpy.work.crypto import WeChatCrypto

from scrm.standin.server import StandIn

from .conftest import AES_KEY, CORP_ID, TOKEN, Receiver


@pytest.fixture
def sender(make_standin: Callable[..., StandIn], receiver: Receiver) -> StandIn:
    standin = make_standin(callback_url=receiver.url)
    standin.act("create_user", userid="wanglei", name="王磊", callback=False)
    standin.settings.callback_tries = (0.0, 0.1, 0.2)
    return standin


def test_checks_the_address_before_the_first_event(sender: StandIn, receiver: Receiver) -> None:
    sender.act("add", userid="wanglei")

    assert sender.callbacks.wait_idle(10)
    assert [item.method for item in receiver.requests] == ["GET", "POST"]
    query = receiver.requests[0].query
    crypto = WeChatCrypto(TOKEN, AES_KEY, CORP_ID)
    assert crypto.check_signature(query["msg_signature"], query["timestamp"], query["nonce"], query["echostr"])


def test_an_event_arrives_signed_and_whole(sender: StandIn, receiver: Receiver) -> None:
    added = sender.act("add", userid="wanglei", state="ch_1", at=1_717_400_001)
    assert sender.callbacks.wait_idle(10)

    (post,) = receiver.posts
    crypto = WeChatCrypto(TOKEN, AES_KEY, CORP_ID)
    text = crypto.decrypt_message(
        post.body.decode(), post.query["msg_signature"], post.query["timestamp"], post.query["nonce"]
    )
    assert xmltodict.parse(text)["xml"] == {
        "ToUserName": CORP_ID,
        "FromUserName": "sys",
        "CreateTime": "1717400001",
        "MsgType": "event",
        "Event": "change_external_contact",
        "ChangeType": "add_external_contact",
        "UserID": "wanglei",
        "ExternalUserID": added["external_userid"],
        "State": "ch_1",
        "WelcomeCode": added["welcome_code"],
    }
    envelope = xmltodict.parse(post.body)["xml"]
    assert (envelope["ToUserName"], envelope["AgentID"]) == (CORP_ID, "1000002")


def test_tries_again_with_another_envelope_until_200(sender: StandIn, receiver: Receiver) -> None:
    receiver.statuses = [500, 503]

    sender.act("add", userid="wanglei")

    assert sender.callbacks.wait_idle(10)
    first, second, third = receiver.posts
    assert len({item.query["nonce"] for item in (first, second, third)}) == 3
    assert len({item.body for item in (first, second, third)}) == 3
    assert len({receiver.text(item) for item in (first, second, third)}) == 1
    assert sender.last_callback().state == "delivered"


def test_gives_up_after_three_tries(sender: StandIn, receiver: Receiver) -> None:
    receiver.statuses = [500] * 5

    sender.act("add", userid="wanglei")

    assert sender.callbacks.wait_idle(10)
    assert len(receiver.posts) == 3
    assert sender.last_callback().state == "failed"
    assert sender.last_callback().answers == ["500", "500", "500"]


def test_no_answer_in_time_is_a_failure(sender: StandIn, receiver: Receiver) -> None:
    sender.settings.callback_timeout = 0.1
    sender.settings.callback_tries = (0.0,)
    receiver.pause = 5.0

    sender.act("add", userid="wanglei")

    assert sender.callbacks.wait_idle(10)
    assert sender.last_callback().answers == ["TimeoutError"]


def test_events_wait_until_the_address_answers(make_standin: Callable[..., StandIn], receiver: Receiver) -> None:
    right = receiver.envelope
    receiver.envelope = type(right)(token=TOKEN, aes_key="x" * 43, corp_id=CORP_ID, agent_id=1)
    standin = make_standin(callback_url=receiver.url)
    standin.act("create_user", userid="wanglei")
    time.sleep(0.2)
    assert receiver.posts == []

    receiver.envelope = right

    assert standin.callbacks.wait_idle(10)
    assert len(receiver.posts) == 1


def test_repeats_are_equal_to_the_byte(sender: StandIn, receiver: Receiver) -> None:
    sender.settings.repeats = 1.0

    sender.act("add", userid="wanglei")

    assert sender.callbacks.wait_idle(10)
    assert len(receiver.posts) == 2
    assert receiver.text(receiver.posts[0]) == receiver.text(receiver.posts[1])


def test_lost_events_never_come_but_the_world_has_changed(sender: StandIn, receiver: Receiver) -> None:
    sender.settings.lost = 1.0

    added = sender.act("add", userid="wanglei")

    assert sender.callbacks.wait_idle(10)
    assert receiver.posts == []
    assert sender.world.contacts.follow("wanglei", added["external_userid"]).userid == "wanglei"


def test_held_events_are_delivered_in_any_order_and_again(sender: StandIn, receiver: Receiver) -> None:
    sender.settings.hold = True
    ids = [sender.act("add", userid="wanglei")["callback_id"] for _ in range(3)]
    answer = requests.post(sender.control_url + "deliver", json={"ids": [*reversed(ids), ids[0]]}, timeout=5)

    assert answer.json() == {"ok": True}
    assert sender.callbacks.wait_idle(10)
    texts = [receiver.text(item) for item in receiver.posts]
    sent = {callback.id: callback.xml.decode() for callback in sender.callbacks.log}
    assert texts == [sent[ids[2]], sent[ids[1]], sent[ids[0]], sent[ids[0]]]


def test_keeps_up_with_many_events(sender: StandIn, receiver: Receiver) -> None:
    people = {sender.act("add", userid="wanglei")["external_userid"] for _ in range(300)}

    assert sender.callbacks.wait_idle(30)
    received = {xmltodict.parse(receiver.text(item))["xml"]["ExternalUserID"] for item in receiver.posts}
    assert received == people
    assert len(receiver.posts) == 300


def test_an_action_can_stay_untold(sender: StandIn, receiver: Receiver) -> None:
    result = sender.act("add", userid="wanglei", callback=False)

    assert result["callback_id"] is None
    assert sender.callbacks.wait_idle(10)
    assert receiver.posts == []


def test_text_that_would_end_a_section_is_kept(sender: StandIn, receiver: Receiver) -> None:
    sender.act("update_user", userid="wanglei", name="a]]>b<c>&")

    assert sender.callbacks.wait_idle(10)
    assert xmltodict.parse(receiver.text(receiver.posts[0]))["xml"]["Name"] == "a]]>b<c>&"
