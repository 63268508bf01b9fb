"""Events and answers that no platform should send: nothing fails over and over, nobody is lost by them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts import sync
from contacts.models import Customer, Department, Follow, Staff, Tag, TagGroup
from groups.models import GroupChat, Stay
from scrm.base.models import Work
from scrm.base.work import run
from scrm.wecom import schemas
from scrm.wecom.api import contacts, departments, group_chats, staff, tags
from scrm.wecom.callback import inbox
from scrm.wecom.callback.envelope import BadEnvelope, Envelope
from scrm.wecom.callback.events import UnreadableEvent, parse
from scrm.wecom.errors import Unreachable
from scrm.wecom.schemas import ContactPage, GroupChatPage
from tests.corp import Corp
from tests.scrm.wecom.scripted import Scripted

QUICK = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
ENVELOPE = Envelope.of("TokenForTests", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "ww1234567890abcdef")

KINDS = {
    "change_external_contact": ["add_external_contact", "add_half_external_contact", "del_follow_user", "edit_it", ""],
    "change_external_chat": ["create", "update", "dismiss", ""],
    "change_contact": ["create_user", "update_user", "delete_user", "create_party"],
    "change_external_tag": ["create", "delete"],
}
FIELDS = [
    "UserID", "ExternalUserID", "ChatId", "NewUserID", "WelcomeCode", "State", "UpdateDetail", "CurMemVer", "LastMemVer",
    "JoinScene", "QuitScene", "MemChangeCnt", "CreateTime", "Department", "MainDepartment", "Status", "Name", "Source",
]  # fmt: skip
ODD = [
    "", " ", "0", "-1", "9999999999", "1" + "0" * 30, "1.5", "٣", "²", "nan", "w" * 10_000, "w" * 65, "a\tb\nc", "'\"%_",
    "𠮷😀", "\u202e", "del_member", "add_member", "1795000000", "2,3", "99999999999999999999,1", "<a><b/></a>",
    "<Item>wm1</Item><Item/>", "<![CDATA[<![CDATA[x]]>",
]  # fmt: skip


def event(kind: str, change: str, fields: dict[str, str]) -> bytes:
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return (
        f"<xml><MsgType>event</MsgType><Event>{kind}</Event><ChangeType>{change}</ChangeType>{inner}"
        f"<MemChangeList>{''.join(f'<Item>{value}</Item>' for value in fields.values())}</MemChangeList></xml>"
    ).encode()


@st.composite
def odd_events(draw: st.DrawFn) -> bytes:
    kind = draw(st.sampled_from(sorted(KINDS)))
    fields = draw(st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(ODD), max_size=10))
    return event(kind, draw(st.sampled_from(KINDS[kind])), fields)


@QUICK
@given(st.one_of(st.binary(max_size=300), odd_events().map(lambda xml: ENVELOPE.seal(xml).encode())), st.data())
def test_an_envelope_is_opened_or_refused(sealed: bytes, data: st.DataObject) -> None:
    """Random bytes, and good envelopes with some bytes changed, cut or doubled."""
    at = data.draw(st.integers(0, len(sealed)))
    damaged = sealed[:at] + data.draw(st.binary(max_size=40)) + sealed[at + data.draw(st.integers(0, 40)) :]
    text = damaged.decode("latin-1")
    signature = ENVELOPE.signature("1", "n", text)
    for body in (damaged, b"<xml><Encrypt>" + damaged + b"</Encrypt></xml>"):
        for given_signature in (signature, "é" * 40, ""):
            try:
                ENVELOPE.open_body(body, signature=given_signature, timestamp="1", nonce="n")
            except BadEnvelope:
                continue


@QUICK
@given(
    st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
)
def test_an_inner_text_is_read_or_unreadable(raw: bytes) -> None:
    for message in (raw, b"<xml><Event>e</Event><A>" + raw + b"</A></xml>"):
        for encoded in (message, message.decode("latin-1").encode("utf-16"), b"\xef\xbb\xbf" + message):
            try:
                parse(encoded)
            except UnreadableEvent:
                continue


@pytest.mark.parametrize(
    "xml",
    [
        b"<xml><Event>e</Event>" + b"<a>" * 20_000 + b"</a>" * 20_000 + b"</xml>",
        b"<xml><Event>e</Event>" + b"<a/>" * 15_000 + b"</xml>",
        b"<xml><Event>e</Event><a " + b" ".join(b"b%d='c'" % number for number in range(6_000)) + b"/></xml>",
        b"<xml><Event>" + b"&amp;" * 12_000 + b"</Event></xml>",
        b'<?xml version="1.0" encoding="GBK"?><xml><Event>\xc4\xe3</Event></xml>',
        b'<?xml version="1.0" encoding="no-such"?><xml><Event>e</Event></xml>',
    ],
    ids=["deep", "many", "attributes", "references", "gbk", "unknown encoding"],
)
def test_64_kib_of_the_worst_are_stored_once(committed: None, xml: bytes) -> None:
    inbox.store(xml)
    run.run_due()

    assert not Work.objects.filter(state__in=["waiting", "leased"]).exists()


def test_no_odd_event_fails_in_a_lane(corp: Corp) -> None:
    @settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(odd_events())
    def keep(xml: bytes) -> None:
        inbox.store(xml)

    keep()
    for kind, changes in KINDS.items():
        for odd in ODD:
            inbox.store(event(kind, changes[0], dict.fromkeys(FIELDS, odd)))
            inbox.store(event(kind, changes[1], {"UserID": "wanglei", "ExternalUserID": "wmLin", "ChatId": "wrA"} | dict.fromkeys(FIELDS[3:], odd)))  # fmt: skip
    run.run_due()

    failed = Work.objects.exclude(lane=inbox.INBOX_LANE).filter(state__in=["quarantined", "leased"])
    refused = failed.filter(lane="mirror:chat", error__contains="(40050)")  # an id that the platform takes for none
    assert list(failed.exclude(pk__in=refused).values_list("lane", "state", "error")) == []
    assert not Work.objects.filter(attempts__gt=3).exists()


# -- what the platform answers -----------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["\x00", "\ud800", "w" * 10_000, "9" * 5_000, 10**30, -(10**30), float("inf"), "²", "--5"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
SHAPES: list[Any] = [
    schemas.DepartmentInfo, schemas.StaffInfo, schemas.FollowInfo, schemas.TagInfo, schemas.TagGroupInfo,
    schemas.MemberInfo, schemas.GroupChatDetail, schemas.GroupChatEntry, schemas.Identity, schemas.AppMessage,
    schemas.MessageRecord, schemas.StaffTask, schemas.MessageResult,
]  # fmt: skip
NAMES = [
    "id", "name", "parentid", "order", "userid", "department", "main_department", "status", "tags", "tag_id", "createtime",
    "tag", "create_time", "invitor", "join_time", "join_scene", "member_list", "admin_list", "chat_id", "type", "text",
    "attachments", "msgid", "invaliduser", "send_time", "group_id", "external_userid", "remark_mobiles",
]  # fmt: skip


@QUICK
@given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8))
def test_no_answer_breaks_a_shape(raw: dict[str, Any]) -> None:
    for shape in SHAPES:
        json.dumps(repr(shape.from_wecom(raw))).encode()
    detail = schemas.ContactDetail.from_wecom(raw, [raw])
    for value in (detail.name, detail.external_userid, *(word for follow in detail.follows for word in follow.tag_ids)):
        assert "\x00" not in value and value.encode().decode() == value
    assert all(abs(number) < 2**31 for number in (detail.type, detail.gender))


NO_LIST = [5, "none", {}, {"a": []}, True]
# By API: its list, what asks for it, and what an answer without the list is: it may be left out when it is empty.
LISTS: dict[str, tuple[str, Callable[[], Any], Any]] = {
    "department/list": ("department", departments.fetch_all, []),
    "user/list": ("userlist", lambda: staff.fetch_department(1), []),
    "externalcontact/get_follow_user_list": ("follow_user", staff.fetch_follow_users, ()),
    "externalcontact/get_corp_tag_list": ("tag_group", tags.fetch_all, None),
    "externalcontact/batch/get_by_user": (
        "external_contact_list", lambda: contacts.fetch_page(["wanglei"]), ContactPage((), "", proof=False),
    ),
    "externalcontact/groupchat/list": ("group_chat_list", group_chats.fetch_page, GroupChatPage((), "")),
}  # fmt: skip
# What is asked for by its id is never left out.
WHOLE: dict[str, tuple[Callable[[], Any], list[dict[str, Any]]]] = {
    "externalcontact/get": (
        lambda: contacts.fetch("wmLin"), [{}, {"external_contact": None, "follow_user": None}, {"external_contact": {}}],
    ),
    "externalcontact/groupchat/get": (
        lambda: group_chats.fetch("wrA"), [{}, {"group_chat": {}}, {"group_chat": {"member_list": "none"}}],
    ),
    "externalcontact/list": (lambda: contacts.fetch_list("wanglei"), [{}, {"external_userid": "wmLin"}]),
    "user/get": (lambda: staff.fetch_one("wanglei"), [{}, {"userid": 5}, {"errcode": {}}, {"errcode": 1e400}]),
}  # fmt: skip


@pytest.mark.parametrize("api", WHOLE)
def test_an_answer_without_its_main_part_is_none(platform: Scripted, api: str) -> None:
    """Else nobody told of would be read as nobody there."""
    ask, halves = WHOLE[api]
    for half in halves:
        platform.script = {api: [half]}
        with pytest.raises(Unreachable):
            ask()


@pytest.mark.parametrize("api", LISTS)
def test_a_list_that_is_left_out_is_empty_and_one_that_is_none_no_answer(platform: Scripted, api: str) -> None:
    name, ask, empty = LISTS[api]
    for left_out in ({}, {name: None}):
        platform.script = {api: [left_out]}
        assert ask() == empty
    for odd in NO_LIST:
        platform.script = {api: [{name: odd}]}
        with pytest.raises(Unreachable):
            ask()


def test_a_sync_survives_lists_that_are_left_out_and_ends_nothing_by_them(platform: Scripted, settings: Any) -> None:
    settings.FRESH_READ_SECONDS = 0
    for userid, person in (("wanglei", "wmLin"), ("zhaomin", "wmLi")):
        member = Staff.objects.create(userid=userid, serves_customers=True)
        Follow.objects.create(
            staff=member, customer=Customer.objects.create(external_userid=person), added_at="2026-11-01T00:00:00Z"
        )
    Tag.objects.create(tag_id="etVip", group=TagGroup.objects.create(group_id="eg1", name="等级"), name="VIP")
    GroupChat.objects.create(chat_id="wrA", first_read_at="2026-11-01T00:00:00Z", created_at="2026-11-01T00:00:00Z")
    shown = {"external_contact": {"external_userid": "wmLi", "type": 1}, "follow_info": {"userid": "zhaomin", "createtime": 1793462400}}  # fmt: skip
    platform.script = {
        "department/list": [{"department": [{"id": 1, "name": "总部"}]}],
        "externalcontact/get_follow_user_list": [{"follow_user": ["wanglei", "zhaomin"]}],
        "externalcontact/batch/get_by_user": [{"external_contact_list": [shown], "next_cursor": "c"}, {}],
        "user/get": [{"userid": "wanglei"}, {"userid": "zhaomin"}],
        "externalcontact/groupchat/get": [{"group_chat": {"chat_id": "wrA", "member_list": []}}],
    }
    done = sync.run_inline(sync.start())

    assert (done.state, [step.error for step in done.steps.exclude(error="")]) == ("done", [])
    assert Follow.objects.filter(ended_at=None).count() == 2
    assert Tag.objects.get().deleted_at is None
    assert GroupChat.objects.get().dismissed_at is None


def test_a_half_answer_ends_no_friendship_and_empties_no_chat(platform: Scripted) -> None:
    member = Staff.objects.create(userid="wanglei", serves_customers=True)
    customer = Customer.objects.create(external_userid="wmLin")
    Follow.objects.create(staff=member, customer=customer, added_at="2026-11-01T00:00:00Z")
    chat = GroupChat.objects.create(chat_id="wrA", owner=member)
    Department.objects.create(id=1, name="总部", path=[1])
    Stay.objects.create(chat=chat, member_id="wmLin", customer=customer, joined_at="2026-11-01T00:00:00Z")
    inbox.store(
        event("change_external_contact", "edit_external_contact", {"ExternalUserID": "wmLin", "UserID": "wanglei"})
    )
    inbox.store(event("change_external_chat", "update", {"ChatId": "wrA"}))
    inbox.store(event("change_contact", "update_party", {"Id": "1"}))
    run.run_due()

    assert Follow.objects.get().ended_at is None
    assert Stay.objects.get().left_at is None
    assert Department.objects.get().deleted_at is None
