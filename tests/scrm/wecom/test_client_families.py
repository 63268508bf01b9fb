"""Each family of calls against the stand-in over HTTP: small dataclasses come back, raw dicts don't."""

import datetime as dt
from typing import Any

import pytest

from scrm.wecom import errors
from scrm.wecom.api import access, contacts, departments, group_chats, staff, tags, welcome
from scrm.wecom.errors import WecomError
from scrm.wecom.schemas import ContactDetail, DepartmentInfo, FollowInfo, GroupChatDetail, MemberInfo, StaffInfo
from tests.scrm.wecom.scripted import Scripted

AT = 1_717_400_001
MOMENT = dt.datetime.fromtimestamp(AT, dt.UTC)


@pytest.fixture
def corp(standin: Any) -> Any:
    """Two departments, 王磊 with the customer 小林, 赵敏 without anybody."""
    standin.act("create_party", name="销售", party_id=2, order=7)
    standin.act("create_user", userid="wanglei", name="王磊", departments=[2], position="顾问")
    standin.act("create_user", userid="zhaomin", name="赵敏", departments=[2], status=4)
    standin.act("add", userid="wanglei", external_userid="wm1", state="ch_1", name="小林", gender=2, at=AT)
    return standin


def test_departments(corp: Any) -> None:
    assert DepartmentInfo(id=2, name="销售", parent_id=1, order=7) in departments.fetch_all()


def test_staff_of_a_department(corp: Any) -> None:
    wanglei, zhaomin = sorted(staff.fetch_department(2), key=lambda member: member.userid)

    assert wanglei == StaffInfo(
        userid="wanglei",
        name="王磊",
        departments=(2,),
        main_department=2,
        position="顾问",
        status=1,
        alias="",
        avatar="",
    )
    assert zhaomin.status == 4


def test_one_staff_member(corp: Any) -> None:
    assert staff.fetch_one("wanglei").name == "王磊"
    with pytest.raises(WecomError) as caught:
        staff.fetch_one("nobody")
    assert caught.value.gone is True


def test_who_may_have_customers(corp: Any) -> None:
    assert set(staff.fetch_follow_users()) == {"wanglei", "zhaomin"}


def test_a_contact_with_its_follow(corp: Any) -> None:
    detail = contacts.fetch("wm1")

    assert (detail.external_userid, detail.name, detail.type, detail.gender) == ("wm1", "小林", 1, 2)
    (follow,) = detail.follows
    assert (follow.userid, follow.created_at, follow.state, follow.add_way) == ("wanglei", MOMENT, "ch_1", 1)


def test_a_contact_that_nobody_has_is_gone(corp: Any) -> None:
    with pytest.raises(WecomError) as caught:
        contacts.fetch("wm-unknown")

    assert (caught.value.gone, caught.value.permanent) == (True, True)


def test_the_list_of_a_staff_member_without_contacts_is_empty(corp: Any) -> None:
    assert contacts.fetch_list("wanglei") == ("wm1",)
    assert contacts.fetch_list("zhaomin") == ()


def test_pages_of_contacts_follow_the_cursor(corp: Any) -> None:
    for number in range(2, 6):
        corp.act("add", userid="wanglei", external_userid=f"wm{number}")

    first = contacts.fetch_page(["wanglei", "zhaomin"], limit=3)
    second = contacts.fetch_page(["wanglei", "zhaomin"], first.next_cursor, limit=3)

    assert (len(first.contacts), len(second.contacts), second.next_cursor) == (3, 2, "")
    assert {row.external_userid for row in first.contacts + second.contacts} == {f"wm{n}" for n in range(1, 6)}
    assert {follow.userid for row in first.contacts for follow in row.follows} == {"wanglei"}


def test_tags_are_put_on_and_taken_off_one_follow(corp: Any) -> None:
    tag = corp.act("create_tag", name="高", group="意向", order=3)

    contacts.mark_tags("wanglei", "wm1", add=[tag["id"]])
    marked = contacts.fetch("wm1").follows[0].tag_ids
    paged = contacts.fetch_page(["wanglei"]).contacts[0].follows[0].tag_ids
    contacts.mark_tags("wanglei", "wm1", remove=[tag["id"]])

    assert marked == paged == (tag["id"],)
    assert contacts.fetch("wm1").follows[0].tag_ids == ()


def test_the_tag_library(corp: Any) -> None:
    tag = corp.act("create_tag", name="高", group="意向", order=3)

    (group,) = [group for group in (tags.fetch_all() or []) if group.name == "意向"]

    assert group.group_id == tag["group_id"]
    assert [(entry.tag_id, entry.name, entry.order, entry.deleted) for entry in group.tags] == [
        (tag["id"], "高", 3, False)
    ]


def test_a_remark_changes_the_given_fields_only(corp: Any) -> None:
    contacts.remark("wanglei", "wm1", remark="小林-杭州", remark_mobiles=["13800000001"])
    contacts.remark("wanglei", "wm1", description="喜欢护手霜")

    (follow,) = contacts.fetch("wm1").follows
    assert (follow.remark, follow.description) == ("小林-杭州", "喜欢护手霜")
    assert follow.remark_mobiles == ("13800000001",)


def test_a_chat_with_its_members(corp: Any) -> None:
    chat_id = corp.act("create_chat", owner="wanglei", name="福利群", notice="欢迎", admins=["zhaomin"], at=AT)[
        "chat_id"
    ]
    corp.act("join", chat_id=chat_id, members=["wm1"], scene=3, state="grp_7", at=AT)

    chat = group_chats.fetch(chat_id)

    assert (chat.name, chat.owner, chat.created_at, chat.notice) == ("福利群", "wanglei", MOMENT, "欢迎")
    assert chat.admins == ("zhaomin",)
    assert chat.member_version != ""
    (member,) = [member for member in chat.members if member.member_id == "wm1"]
    assert (member.type, member.join_scene, member.state, member.joined_at) == (2, 3, "grp_7", MOMENT)
    assert member.name == "小林"


def test_pages_of_chats_follow_the_cursor(corp: Any) -> None:
    ids = {corp.act("create_chat", owner="wanglei", name=f"群{n}")["chat_id"] for n in range(3)}

    first = group_chats.fetch_page(limit=2)
    second = group_chats.fetch_page(first.next_cursor, limit=2)

    assert {entry.chat_id for entry in first.chats + second.chats} == ids
    assert second.next_cursor == ""
    assert group_chats.fetch_page(owners=["zhaomin"]).chats == ()


def test_a_welcome_is_accepted_once(corp: Any) -> None:
    code = corp.act("add", userid="wanglei", external_userid="wm9")["welcome_code"]

    welcome.send(code, "您好", external_userid="wm9")
    with pytest.raises(WecomError) as caught:
        welcome.send(code, "您好", external_userid="wm9")

    assert (caught.value.code, caught.value.permanent) == (errors.ALREADY_WELCOMED, True)
    assert [(sent["external_userid"], sent["text"]) for sent in corp.welcomes()] == [("wm9", "您好")]


def test_addresses_of_the_platform(corp: Any) -> None:
    assert len(access.fetch_callback_ips()) > 0


def test_more_than_500_follows_come_in_pages(platform: Scripted) -> None:
    platform.script["externalcontact/get"] = [
        {
            "errcode": 0,
            "external_contact": {"external_userid": "wm1"},
            "follow_user": [{"userid": "a"}],
            "next_cursor": "n",
        },
        {"errcode": 0, "external_contact": {"external_userid": "wm1"}, "follow_user": [{"userid": "b"}]},
    ]

    detail = contacts.fetch("wm1")

    assert [follow.userid for follow in detail.follows] == ["a", "b"]
    assert [asked.query.get("cursor") for asked in platform.asked if asked.api != "gettoken"] == [None, "n"]


def test_missing_and_unknown_fields_are_no_trouble() -> None:
    follow = {
        "userid": "wanglei",
        "add_way": 777,
        "novelty": {},
        "tags": [{"type": 2, "tag_name": "own"}, {"tag_id": "et1"}],
    }

    detail = ContactDetail.from_wecom({"external_userid": "wm1", "name": None, "type": 9}, [follow])

    assert (detail.name, detail.type, detail.gender, detail.unionid) == ("", 9, 0, "")
    assert detail.follows == (
        FollowInfo(
            userid="wanglei",
            remark="",
            description="",
            created_at=None,
            tag_ids=("et1",),
            remark_mobiles=(),
            remark_corp_name="",
            oper_userid="",
            add_way=777,
            state="",
        ),
    )


def test_an_empty_chat_is_a_chat() -> None:
    chat = GroupChatDetail.from_wecom({"chat_id": "wr1", "create_time": 10**15, "member_list": None})

    assert (chat.chat_id, chat.name, chat.created_at, chat.members, chat.admins) == ("wr1", "", None, (), ())


def test_the_inviter_of_a_member_is_a_userid() -> None:
    member = MemberInfo.from_wecom({"userid": "wm1", "type": "2", "join_time": AT, "invitor": {"userid": "wanglei"}})

    assert (member.type, member.invited_by, member.joined_at) == (2, "wanglei", MOMENT)
