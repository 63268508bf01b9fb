"""`group-chats/` and members word by word."""

import datetime as dt

import pytest

from contacts.models import Customer, Follow, Staff
from groups.models import GroupChat, Stay
from tests.api.conftest import Api, World, iso, stay

pytestmark = pytest.mark.django_db


def test_shows_every_field_of_a_chat(api: Api, world: World) -> None:
    chat = {
        "chat_id": "wrFuli",
        "name": "福利群",
        "owner": "wanglei",
        "type": "benefits",
        "member_count": 3,
        "created_at": iso(world.at),
        "dismissed_at": None,
        "notice": "周三秒杀",
        "tags": [],
    }

    assert api.get("group-chats/wrFuli/") == chat
    assert api.get("group-chats/")["results"][0] == chat
    api.get("group-chats/wrNone/", status=404)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"owner": "zhaomin"}, ["wrOther"]),
        ({"type": "benefits"}, ["wrFuli"]),
        ({"dismissed": "true"}, []),
        ({"dismissed": "false"}, ["wrFuli", "wrOther"]),
        ({"q": "福利"}, ["wrFuli"]),
        ({"q": "wrOther"}, ["wrOther"]),
    ],
)
def test_filters_chats(api: Api, world: World, query: dict[str, str], expected: list[str]) -> None:
    assert [row["chat_id"] for row in api.get("group-chats/", query)["results"]] == expected


def test_a_chat_that_is_known_by_its_id_only_is_shown(api: Api) -> None:
    GroupChat.objects.create(chat_id="wrBare")

    assert api.get("group-chats/wrBare/") == {
        "chat_id": "wrBare", "name": "", "owner": None, "type": None, "member_count": 0, "created_at": None,
        "dismissed_at": None, "notice": "", "tags": [],
    }  # fmt: skip


def test_shows_every_stay_latest_first(api: Api, world: World, zhaomin: Staff) -> None:
    left = world.at + dt.timedelta(minutes=1)
    Stay.objects.filter(customer=world.xiaolin).update(left_at=left, left_known_by="diff", quit_scene=0)
    again = left + dt.timedelta(minutes=1)
    stay(world.fuli, again, customer=world.xiaolin, join_scene=1, invited_by="wanglei", state="code1")
    stay(world.fuli, again + dt.timedelta(days=400), staff=zhaomin)  # in the future, as the platform said
    GroupChat.objects.update(admin_userids=["zhaomin"])

    rows = api.get("group-chats/wrFuli/members/")["results"]

    assert [(row["member_id"], row["kind"], row["role"]) for row in rows] == [
        ("zhaomin", "staff", "admin"),
        ("wmXiaolin", "customer", "member"),
        ("wmPasserby", "stranger", "member"),
        ("wmXiaolin", "customer", "member"),
        ("wanglei", "staff", "owner"),
    ]
    assert rows[1] == {
        "member_id": "wmXiaolin", "kind": "customer", "joined_at": iso(again), "left_at": None, "left_known_by": None,
        "join_scene": 1, "quit_scene": None, "invited_by": "wanglei", "state": "code1", "role": "member",
    }  # fmt: skip
    assert (rows[3]["left_at"], rows[3]["left_known_by"], rows[3]["quit_scene"]) == (iso(left), "diff", 0)


def test_present_true_and_false_part_the_stays(api: Api, world: World) -> None:
    Stay.objects.filter(customer=world.xiaolin).update(left_at=world.at, left_known_by="event")

    def members(present: str) -> list[str]:
        rows = api.get("group-chats/wrFuli/members/", {"present": present})["results"]
        return [row["member_id"] for row in rows]

    assert members("true") == ["wmPasserby", "wanglei"]
    assert members("false") == ["wmXiaolin"]


def test_a_stranger_who_is_added_is_a_customer_from_then_on(api: Api, world: World, wanglei: Staff) -> None:
    Customer.objects.filter(pk=world.passerby.pk).update(first_added_at=world.at)
    Follow.objects.create(staff=wanglei, customer=world.passerby, added_at=world.at)

    kinds = {row["member_id"]: row["kind"] for row in api.get("group-chats/wrFuli/members/")["results"]}

    assert kinds["wmPasserby"] == "customer"


def test_members_of_one_moment_are_paged_without_loss(api: Api, world: World) -> None:
    people = [Customer.objects.create(external_userid=f"wm{n}") for n in range(9)]
    for person in people:
        stay(world.fuli, world.at, customer=person)

    found, address = [], "group-chats/wrFuli/members/?page_size=2&present=true"
    while address:
        page = api.get(address)
        found += [row["member_id"] for row in page["results"]]
        address = page["next"]

    assert sorted(found) == sorted(
        ["wanglei", "wmXiaolin", "wmPasserby", *(person.external_userid for person in people)]
    )
