"""`customers/` word by word."""

import datetime as dt
from collections.abc import Callable

import pytest

from contacts.models import Customer, Follow, Staff, Tag
from groups.models import Stay
from scrm.base import roles
from scrm.base.models import AuditRecord, User
from scrm.base.roles import Role
from tests.api.conftest import Api, World, befriend, customer, iso, stay

pytestmark = pytest.mark.django_db

VIP = {"id": "etVip", "name": "VIP", "group": "客户等级"}


def _ids(answer: dict[str, list[dict[str, object]]]) -> list[object]:
    return [row["external_userid"] for row in answer["results"]]


def test_shows_every_field_of_a_customer(api: Api, world: World) -> None:
    assert api.get("customers/wmXiaolin/") == {
        "external_userid": "wmXiaolin",
        "name": "小林",
        "type": 1,
        "gender": 2,
        "unionid": "oXiaolin",
        "channel": {"state": "parcel", "name": "包裹卡"},
        "first_added_at": iso(world.at),
        "lost_at": None,
        "do_not_contact_at": None,
        "tags": [VIP],
        "follows": [
            {
                "userid": "wanglei",
                "added_at": iso(world.at),
                "half": False,
                "ended_at": None,
                "ended_by": None,
                "add_way": 1,
                "state": "parcel",
                "remark": "小林 杭州",
                "description": "",
                "tags": [VIP],
            }
        ],
        "group_chats": ["wrFuli"],
    }


def test_the_list_holds_the_same_rows_as_the_details(api: Api, world: World) -> None:
    page = api.get("customers/")

    assert page["next"] is None
    assert page["previous"] is None
    assert page["results"] == [api.get("customers/wmXiaolin/"), api.get("customers/wmXiaochen/")]


def test_strangers_in_chats_are_no_customers(api: Api, world: World) -> None:
    assert "wmPasserby" not in _ids(api.get("customers/"))
    api.get("customers/wmPasserby/", status=404)
    api.get("customers/wmPasserby/timeline/", status=404)


def test_shows_every_period_latest_first_and_tags_of_open_ones_only(
    api: Api, world: World, wanglei: Staff, zhaomin: Staff
) -> None:
    ended = world.at + dt.timedelta(minutes=1)
    Follow.objects.filter(customer=world.xiaolin).update(ended_at=ended, ended_by="customer")
    befriend(wanglei, world.xiaolin, ended + dt.timedelta(minutes=1), tag_ids=["etNew", "etGone"], half=True)
    befriend(zhaomin, world.xiaolin, ended + dt.timedelta(minutes=2), tag_ids=["etNew"], add_way=201)
    Tag.objects.create(tag_id="etGone", group_id=Tag.objects.get(tag_id="etVip").group_id, name="旧", deleted_at=ended)

    shown = api.get("customers/wmXiaolin/")

    assert [(row["userid"], row["ended_by"], row["half"], row["add_way"]) for row in shown["follows"]] == [
        ("zhaomin", None, False, 201),
        ("wanglei", None, True, None),
        ("wanglei", "customer", False, 1),
    ]
    assert shown["follows"][2]["ended_at"] == iso(ended)
    assert shown["tags"] == [{"id": "etNew", "name": "新客", "group": "客户等级"}]


def test_a_state_that_no_channel_has_is_no_channel(api: Api, world: World) -> None:
    Customer.objects.filter(pk=world.xiaolin.pk).update(first_state="wb:1:foreign")

    assert api.get("customers/wmXiaolin/")["channel"] is None


def test_passes_unknown_integers_of_the_platform_on(api: Api, world: World) -> None:
    Customer.objects.filter(pk=world.xiaolin.pk).update(type=77, gender=9)
    Follow.objects.filter(customer=world.xiaolin).update(add_way=4711)

    shown = api.get("customers/wmXiaolin/")

    assert (shown["type"], shown["gender"], shown["follows"][0]["add_way"]) == (77, 9, 4711)


def test_a_chat_that_was_left_is_not_shown(api: Api, world: World) -> None:
    Stay.objects.filter(customer=world.xiaolin).update(left_at=world.at, left_known_by="event")

    assert api.get("customers/wmXiaolin/")["group_chats"] == []


@pytest.mark.parametrize("external_userid", ["wm_-a.b@c", "wm~x", "wm%x", "wm 1", "中文"])
def test_finds_ids_with_odd_characters(api: Api, world: World, wanglei: Staff, external_userid: str) -> None:
    from urllib.parse import quote

    befriend(wanglei, customer(external_userid, "怪", world.at), world.at)

    assert api.get(f"customers/{quote(external_userid)}/")["external_userid"] == external_userid


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"userid": "wanglei"}, ["wmXiaolin", "wmOld"]),
        ({"userid": "wanglei", "lost": "false"}, ["wmXiaolin"]),
        ({"userid": "zhaomin"}, ["wmXiaochen"]),
        ({"userid": "nobody"}, []),
        ({"tag": "etVip"}, ["wmXiaolin"]),
        ({"tag": "etNew"}, []),
        ({"channel": "parcel"}, ["wmXiaolin"]),
        ({"group_chat": "wrFuli"}, ["wmXiaolin"]),
        ({"lost": "true"}, ["wmOld"]),
        ({"lost": "false"}, ["wmXiaolin", "wmXiaochen"]),
        ({"do_not_contact": "true"}, ["wmOld"]),
        ({"do_not_contact": "false"}, ["wmXiaolin", "wmXiaochen"]),
        ({"q": "小林"}, ["wmXiaolin"]),
        ({"q": "xiaolin"}, ["wmXiaolin"]),
        ({"q": "wmXiaochen"}, ["wmXiaochen"]),
        ({"q": "小", "userid": "zhaomin"}, ["wmXiaochen"]),
    ],
)
def test_filters(api: Api, world: World, wanglei: Staff, query: dict[str, str], expected: list[str]) -> None:
    lost = customer("wmOld", "老王", world.at, lost_at=world.at, do_not_contact_at=world.at)
    befriend(wanglei, lost, world.at, ended_at=world.at, ended_by="customer", tag_ids=["etNew"])

    assert _ids(api.get("customers/", query)) == expected


def test_added_after_includes_its_moment_and_added_before_does_not(api: Api, world: World, wanglei: Staff) -> None:
    later = world.at + dt.timedelta(seconds=1)
    befriend(wanglei, customer("wmLater", "后来", later), later)

    assert _ids(api.get("customers/", {"added_after": iso(later)})) == ["wmLater"]
    assert _ids(api.get("customers/", {"added_before": iso(later)})) == ["wmXiaolin", "wmXiaochen"]
    assert _ids(api.get(f"customers/?added_after={iso(later)}")) == ["wmLater"]  # the + not escaped
    assert _ids(api.get("customers/", {"added_after": "2000-01-01", "added_before": "2000-01-02"})) == []


def test_every_time_names_its_offset(api: Api, world: World) -> None:
    shown = api.get("customers/wmXiaolin/")

    assert shown["first_added_at"].endswith("+08:00")
    assert dt.datetime.fromisoformat(shown["first_added_at"]) == world.at


def test_lists_a_person_in_several_chats_once(api: Api, world: World) -> None:
    stay(world.other_chat, world.at + dt.timedelta(seconds=1), customer=world.xiaolin)

    assert _ids(api.get("customers/")) == ["wmXiaolin", "wmXiaochen"]
    assert api.get("customers/wmXiaolin/")["group_chats"] == ["wrFuli", "wrOther"]


def test_numbers_in_remarks_are_masked_without_the_right_to_reveal(
    bob: User, api: Api, api_of: Callable[..., Api], world: World
) -> None:
    Follow.objects.filter(customer=world.xiaolin).update(remark="杭州 13812345678", description="13812345678")

    def read(caller: Api) -> list[tuple[str, str]]:
        rows = [*caller.get("customers/?q=wmXiaolin")["results"], caller.get("customers/wmXiaolin/")]
        return [(follow["remark"], follow["description"]) for row in rows for follow in row["follows"]]

    assert read(api_of(bob)) == [("杭州 138****5678", "138****5678")] * 2
    assert AuditRecord.objects.filter(deed="customer.reveal").count() == 0
    roles.give(bob, Role.MANAGER)
    full = [("杭州 13812345678", "13812345678")] * 2
    assert [read(api_of(bob)), read(api)] == [full, full]
    noted = AuditRecord.objects.filter(deed="customer.reveal").order_by("pk")
    assert [(row.username, row.detail) for row in noted] == [("bob", {"through": "API"}), ("alice", {"through": "API"})]
