"""Answers without end, packed bombs, cut and dripping ones, pages instead of JSON: a clear state, memory flat, nobody lost."""

import gzip
import itertools
import json
import time
import zlib
from collections.abc import Iterable
from typing import Any

import pytest
from django.utils.translation import gettext, gettext_lazy

import groups.sync
from contacts import sync
from contacts.models import Customer, Department, Follow, Staff, Tag, TagGroup
from groups.models import GroupChat, Stay
from scrm.base.models import Work
from scrm.base.work import run
from scrm.wecom import wire
from scrm.wecom.api import contacts, messages
from scrm.wecom.client import client
from scrm.wecom.errors import Unreachable
from tests.memory import forget_most, most
from tests.scrm.wecom.scripted import Raw, Scripted, refuse

READ = "externalcontact/get"
MIB = 1024 * 1024
LONG = json.dumps({"errcode": 0, "external_contact_list": ["x" * 1000] * 200}).encode()


def bomb() -> Iterable[bytes]:
    """Some 400 KiB that unpack to 400 MiB."""
    packer = zlib.compressobj(9, wbits=31)
    for _ in range(400):
        yield packer.compress(b"0" * MIB)
    yield packer.flush()


def without_end() -> Iterable[bytes]:
    yield b'{"errcode": 0, "external_contact_list": ["'
    yield from itertools.repeat(b"x" * 65536)


BOMB = b"".join(bomb())
HOSTILE = {
    "cut": Raw(lambda: [LONG[:70_000]]),
    "cut, its length told": Raw(lambda: [LONG[:70_000]], length=len(LONG)),
    "a page": Raw(lambda: [b"<html><body>502 Bad Gateway</body></html>"], {"Content-Type": "text/html"}),
    "20 MB": Raw(lambda: [b'{"errcode": 0, "external_contact_list": ["', *[b"x" * MIB] * 20, b'"]}']),
    "without end": Raw(without_end),
    "a bomb": Raw(lambda: [BOMB], {"Content-Encoding": "gzip"}),
    "a bomb in a bomb": Raw(lambda: [gzip.compress(BOMB)], {"Content-Encoding": "gzip, gzip"}),
    "no gzip": Raw(lambda: [LONG], {"Content-Encoding": "gzip"}),
    "half a gzip": Raw(lambda: [gzip.compress(LONG)[:-900]], {"Content-Encoding": "gzip"}),
    "nested": Raw(lambda: [b'{"errcode": 0, "a": ' + b"[" * 200_000]),
    "nothing": Raw(list, length=0),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_answer_fills_memory_or_is_taken_for_one(platform: Scripted, kind: str) -> None:
    client().read(READ)
    platform.script[READ] = [HOSTILE[kind], {"errcode": 0, "name": "小林"}]
    forget_most()
    before = most()

    with pytest.raises(Unreachable) as caught:
        client().read(READ)

    assert most() - before < 4 * wire.MOST_BYTES
    assert caught.value.maybe_done
    assert "token" not in str(caught.value)
    assert client().read(READ)["name"] == "小林"


def test_packed_answers_are_read(platform: Scripted) -> None:
    packed = gzip.compress(LONG)
    platform.script[READ] = [Raw(lambda: [packed[:300], packed[300:]], {"Content-Encoding": "gzip"}, len(packed))]

    assert len(client().read(READ)["external_contact_list"]) == 200


@pytest.mark.parametrize("limit", [None, 1.0], ids=["its own limit", "the caller's limit"])
def test_an_answer_in_drops_takes_no_longer_than_a_whole_one(
    platform: Scripted, monkeypatch: pytest.MonkeyPatch, limit: float | None
) -> None:
    monkeypatch.setattr(wire, "ANSWER_SECONDS", 1.0)
    client().read(READ)
    platform.script[READ] = [Raw(lambda: itertools.repeat(b" "), pause=0.1)]
    begun = time.monotonic()

    with pytest.raises(Unreachable, match=gettext("no answer in time")):
        client().read(READ, timeout=limit)

    assert time.monotonic() - begun < 10.0, "the drops never end"


def one_of_each() -> dict[str, set[Any]]:
    """A member with two friends, a tag, a chat with somebody in it."""
    member = Staff.objects.create(userid="wanglei", name="王磊", serves_customers=True)
    Department.objects.create(id=1, name="总部", path=[1])
    for person in ("wmLin", "wmMei"):
        customer = Customer.objects.create(external_userid=person)
        Follow.objects.create(staff=member, customer=customer, added_at="2026-11-01T00:00:00Z")
    Tag.objects.create(tag_id="etVip", group=TagGroup.objects.create(group_id="eg1", name="等级"), name="VIP")
    chat = GroupChat.objects.create(chat_id="wrA", owner=member, first_read_at="2026-11-01T00:00:00Z")
    GroupChat.objects.update(created_at="2026-11-01T00:00:00Z")
    Stay.objects.create(chat=chat, member_id="wmLin", customer=customer, joined_at="2026-11-01T00:00:00Z")
    return there()


def there() -> dict[str, set[Any]]:
    return {
        "staff": set(Staff.objects.present().values_list("userid", flat=True)),
        "departments": set(Department.objects.present().values_list("pk", flat=True)),
        "tags": set(Tag.objects.filter(deleted_at=None).values_list("tag_id", flat=True)),
        "friends": set(Follow.objects.open().values_list("customer__external_userid", flat=True)),
        "chats": set(GroupChat.objects.living().values_list("chat_id", flat=True)),
        "members": set(Stay.objects.present().values_list("member_id", flat=True)),
    }


GOOD: dict[str, Any] = {
    "department/list": {"department": [{"id": 1, "name": "总部"}]},
    "user/list": {"userlist": [{"userid": "wanglei", "name": "王磊", "department": [1]}]},
    "externalcontact/get_follow_user_list": {"follow_user": ["wanglei"]},
    "externalcontact/get_corp_tag_list": {
        "tag_group": [{"group_id": "eg1", "group_name": "等级", "tag": [{"id": "etVip", "name": "VIP"}]}]
    },
    "externalcontact/batch/get_by_user": {
        "external_contact_list": [
            {"external_contact": {"external_userid": person, "type": 1},
             "follow_info": {"userid": "wanglei", "createtime": 1793462400}}
            for person in ("wmLin", "wmMei")
        ]
    },
    "externalcontact/groupchat/list": {"group_chat_list": [{"chat_id": "wrA", "status": 0}]},
    "externalcontact/groupchat/get": {
        "group_chat": {"chat_id": "wrA", "name": "群", "owner": "wanglei",
                       "member_list": [{"userid": "wmLin", "type": 2, "join_time": 1793462400}]}
    },
}  # fmt: skip


FRIENDS = GOOD["externalcontact/batch/get_by_user"]


@pytest.mark.parametrize("kind", ["cut", "a page", "20 MB", "a bomb"])
def test_a_sync_waits_for_a_platform_in_its_right_mind_and_loses_nobody(platform: Scripted, kind: str) -> None:
    before = one_of_each()
    begun = sync.start()
    forget_most()
    memory = most()

    platform.script = {api: [HOSTILE[kind]] for api in GOOD}
    for api, answer in GOOD.items():  # one after the other comes to its senses
        run.run_due(["sync"])
        told = sync.progress(begun)
        assert (told.state, there()) == ("running", before), api
        assert told.waiting, api
        platform.script[api] = [answer]
        Work.objects.filter(lane="sync", state="waiting").update(not_before="2000-01-01T00:00:00Z")
    assert most() - memory < 8 * wire.MOST_BYTES

    run.run_due(["sync"])
    begun.refresh_from_db()
    assert (begun.state, begun.error) == ("done", "")
    assert there() == before


# -- lists without an end ------------------------------------------------------------------------------------------------


def circle(**page: Any) -> list[Any]:
    """The page again and again, with three cursors in turn."""
    turn = itertools.cycle("abc")
    return [lambda asked: {**page, "next_cursor": next(turn)}]


def test_a_list_without_an_end_is_no_answer(platform: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contacts, "MAX_FOLLOW_PAGES", 7)
    monkeypatch.setattr(messages, "MOST_PAGES", 7)
    platform.script = {
        "externalcontact/get": circle(external_contact={"external_userid": "wmLin"}, follow_user=[]),
        "externalcontact/get_groupmsg_task": circle(task_list=[{"userid": "wanglei", "status": 0}]),
    }

    for ask in (lambda: contacts.fetch("wmLin"), lambda: messages.fetch_tasks("msg")):
        with pytest.raises(Unreachable, match=gettext("the platform's list has no end")):
            ask()

    assert [platform.count(api) for api in platform.script] == [7, 7]


CURSOR_REFUSED = [lambda asked: refuse(50100) if asked.body["cursor"] else {**FRIENDS, "next_cursor": "a"}]
ENDLESS = {
    "customers in a circle": ("externalcontact/batch/get_by_user", circle(**FRIENDS), gettext_lazy("WeCom gives the same page of customers again and again.")),
    "customers with a cursor that is refused": ("externalcontact/batch/get_by_user", CURSOR_REFUSED, gettext_lazy("WeCom gives the same page of customers again and again.")),
    "chats in a circle": ("externalcontact/groupchat/list", circle(**GOOD["externalcontact/groupchat/list"]), gettext_lazy("WeCom gives the same page of chats again and again.")),
}  # fmt: skip


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_sync_of_a_list_without_an_end_fails_and_takes_nobody(
    platform: Scripted, settings: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    settings.STAFF_CAPACITY = 300  # three pages
    monkeypatch.setattr(groups.sync, "MOST_PAGES", 12)
    before, (api, endless, words) = one_of_each(), ENDLESS[kind]
    platform.script = {name: [answer] for name, answer in GOOD.items()} | {api: endless}
    begun = sync.start()

    run.run_due(["sync"])

    begun.refresh_from_db()
    assert begun.state == "failed"
    assert str(words) in begun.error
    assert platform.count(api) <= 30
    assert there() == before
