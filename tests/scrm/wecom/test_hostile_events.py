"""Events and answers that no platform should send: nothing fails over and over, nobody is lost by them."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.models import Customer, Department, Follow, Staff
from groups.models import GroupChat, Stay
from scrm.base.models import Work
from scrm.base.work import run
from scrm.wecom import schemas
from scrm.wecom.api import contacts, departments, group_chats, staff, tags
from scrm.wecom.callback import inbox
from scrm.wecom.callback.envelope import BadEnvelope, Envelope
from scrm.wecom.callback.events import UnreadableEvent, parse
from scrm.wecom.errors import Unreachable
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


HALF: list[dict[str, Any]] = [
    {}, {"external_contact": None, "follow_user": None}, {"external_contact": [], "follow_user": {}},
    {"group_chat": {}}, {"group_chat": {"member_list": "none"}}, {"department": {}}, {"tag_group": 5},
    {"external_userid": "wmLin"}, {"errcode": 1e400}, {"errcode": {}},
]  # fmt: skip


@pytest.mark.parametrize("half", HALF, ids=range(len(HALF)))
def test_an_answer_without_its_main_part_is_none(platform: Scripted, half: dict[str, Any]) -> None:
    """Else nobody told of would be read as nobody there."""
    platform.script = {key: [half] for key in ("externalcontact/get", "externalcontact/groupchat/get", "department/list", "externalcontact/list", "externalcontact/get_corp_tag_list", "externalcontact/get_follow_user_list", "user/list", "user/get", "externalcontact/batch/get_by_user", "externalcontact/groupchat/list")}  # fmt: skip
    for ask in (
        lambda: contacts.fetch("wmLin"), lambda: group_chats.fetch("wrA"), departments.fetch_all, tags.fetch_all,
        lambda: contacts.fetch_page(["wanglei"]), group_chats.fetch_page, lambda: staff.fetch_one("wanglei"),
        lambda: staff.fetch_department(1), staff.fetch_follow_users, lambda: contacts.fetch_list("wanglei"),
    ):  # fmt: skip
        with pytest.raises(Unreachable):
            ask()


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
