"""The brake stands before everything that a customer could notice."""

from collections.abc import Callable
from typing import Any

import pytest

from scrm.base.models import User
from scrm.wecom import brake
from scrm.wecom.api import contacts, messages, welcome
from scrm.wecom.brake import NoRecipients, SendingStopped
from tests.scrm.wecom.scripted import Scripted

BODY = {"text": {"content": "本周六到店有礼"}}

SENDS: list[Callable[[], object]] = [
    lambda: welcome.send("code", "您好", external_userid="wm1"),
    lambda: messages.add_single_task("wanglei", ["wm1"], BODY),
    lambda: messages.add_group_task("wanglei", ["wr1"], BODY),
]


@pytest.mark.parametrize("send", SENDS)
def test_nothing_leaves_while_sending_is_off(platform: Scripted, settings: Any, send: Callable[[], object]) -> None:
    settings.SENDING = "off"

    with pytest.raises(SendingStopped):
        send()

    assert platform.asked == []


@pytest.mark.parametrize("send", SENDS)
def test_nothing_leaves_while_the_red_button_is_pressed(platform: Scripted, send: Callable[[], object]) -> None:
    alice = User.objects.create_superuser("alice")
    brake.press(user=alice)
    with pytest.raises(SendingStopped) as held:
        send()
    assert (held.value.mode, platform.asked) == ("stopped", [])

    brake.release(user=alice)
    send()

    assert len([asked for asked in platform.asked if asked.api != "gettoken"]) == 1


@pytest.mark.parametrize("send", SENDS)
def test_only_the_allowlist_is_written_to(platform: Scripted, settings: Any, send: Callable[[], object]) -> None:
    settings.SENDING = "allowlist"
    settings.SENDING_ALLOWLIST = frozenset({"wm2"})
    with pytest.raises(SendingStopped):
        send()
    settings.SENDING_ALLOWLIST = frozenset({"wm1", "wr1"})

    send()

    assert len([asked for asked in platform.asked if asked.api != "gettoken"]) == 1


def test_one_recipient_off_the_list_stops_a_broadcast(platform: Scripted, settings: Any) -> None:
    settings.SENDING = "allowlist"
    settings.SENDING_ALLOWLIST = frozenset({"wm1"})

    with pytest.raises(SendingStopped):
        messages.add_single_task("wanglei", ["wm1", "wm2"], BODY)

    assert platform.asked == []


def test_an_empty_allowlist_lets_nothing_through(settings: Any) -> None:
    settings.SENDING = "allowlist"
    settings.SENDING_ALLOWLIST = frozenset()

    assert brake.allows(["wm1"]) is False
    assert brake.allows([]) is False


def test_reads_and_marks_go_on_while_sending_is_off(platform: Scripted, settings: Any) -> None:
    settings.SENDING = "off"

    contacts.mark_tags("wanglei", "wm1", add=["et1"])

    assert platform.count("externalcontact/mark_tag") == 1


@pytest.mark.parametrize("recipients", [[], [""], ["wm1", ""], "wm1"])
def test_a_broadcast_without_named_recipients_is_refused(platform: Scripted, settings: Any, recipients: Any) -> None:
    settings.SENDING = "on"

    with pytest.raises(NoRecipients):
        messages.add_single_task("wanglei", recipients, BODY)
    with pytest.raises(NoRecipients):
        messages.add_group_task("wanglei", recipients, BODY)

    assert platform.asked == []


def test_a_body_can_not_widen_the_recipients(platform: Scripted, settings: Any) -> None:
    settings.SENDING = "on"
    platform.script["externalcontact/add_msg_template"] = [{"errcode": 0, "msgid": "msg1", "fail_list": ["wm2"]}]

    task = messages.add_single_task("wanglei", ["wm1", "wm2"], {**BODY, "external_userid": [], "sender": ""})

    assert (task.msgid, task.refused) == ("msg1", ("wm2",))
    body = platform.asked[-1].body
    assert (body["chat_type"], body["external_userid"], body["sender"]) == ("single", ["wm1", "wm2"], "wanglei")


def test_more_recipients_than_one_call_takes_are_refused(platform: Scripted, settings: Any) -> None:
    settings.SENDING = "on"

    with pytest.raises(ValueError, match="10000"):
        messages.add_single_task("wanglei", [f"wm{n}" for n in range(10_001)], BODY)

    assert platform.asked == []
