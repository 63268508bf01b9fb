"""Staff, departments, tags, channels, welcomes, callbacks: word by word."""

from collections.abc import Callable

import pytest

from contacts.models import Channel, Department, Follow, Staff, Tag, TagGroup
from scrm.base.models import AuditRecord, User, Work
from scrm.wecom.models import Callback
from tests.api.conftest import Api, World, befriend, iso, receive

pytestmark = pytest.mark.django_db


def test_shows_staff_with_their_customers(api: Api, world: World, wanglei: Staff) -> None:
    befriend(wanglei, world.xiaochen, world.at)
    Follow.objects.filter(customer=world.xiaolin).update(ended_at=world.at, ended_by="staff")
    row = {
        "userid": "wanglei", "name": "王磊", "departments": [2], "status": 1, "customers": 1, "serves_customers": True,
        "left_at": None,
    }  # fmt: skip

    assert api.get("staff/wanglei/") == row
    assert api.get("staff/")["results"][0] == row
    api.get("staff/nobody/", status=404)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"department": "1"}, ["wanglei", "zhaomin"]),
        ({"department": "3"}, ["zhaomin"]),
        ({"department": "9"}, []),
        ({"present": "true"}, ["wanglei"]),
        ({"present": "false"}, ["zhaomin"]),
    ],
)
def test_filters_staff(api: Api, world: World, query: dict[str, str], expected: list[str]) -> None:
    Staff.objects.filter(userid="zhaomin").update(left_at=world.at)

    assert [row["userid"] for row in api.get("staff/", query)["results"]] == expected


def test_shows_departments_that_exist(api: Api, world: World) -> None:
    Department.objects.filter(pk=3).update(deleted_at=world.at)

    assert api.get("departments/")["results"] == [
        {"id": 1, "name": "总部", "parent_id": 0},
        {"id": 2, "name": "销售", "parent_id": 1},
    ]


def test_shows_tags_in_their_groups(api: Api, world: World) -> None:
    group = TagGroup.objects.create(group_id="egGone", name="旧组", deleted_at=world.at)
    Tag.objects.create(tag_id="etGone", group=group, name="旧", deleted_at=world.at)

    assert api.get("tags/")["results"] == [
        {
            "group_id": "egLevel",
            "name": "客户等级",
            "tags": [{"id": "etNew", "name": "新客"}, {"id": "etVip", "name": "VIP"}],
        }
    ]


def test_shows_channels_with_their_adds(api: Api, world: World) -> None:
    (row,) = api.get("channels/")["results"]

    assert (row["state"], row["name"], row["adds"]) == ("parcel", "包裹卡", 1)


def test_makes_a_channel(api: Api) -> None:
    row = api.post("channels/", {"name": "门店", "state": "store-1"}, status=201)

    assert (row["state"], row["name"], row["adds"]) == ("store-1", "门店", 0)
    assert Channel.objects.get().state == "store-1"
    assert AuditRecord.objects.get().deed == "channel.create"


def test_makes_up_a_state_that_codes_can_carry(api: Api) -> None:
    states = {api.post("channels/", {"name": "门店"}, status=201)["state"] for _ in range(3)}

    assert len(states) == 3
    assert all(0 < len(state) <= 30 for state in states)


@pytest.mark.parametrize(
    ("body", "attr", "code"),
    [
        ({}, "name", "required"),
        ({"name": ""}, "name", "blank"),
        ({"name": "x" * 61}, "name", "max_length"),
        ({"name": "a\x00"}, "name", "null_characters_not_allowed"),
        ({"name": "店", "state": "has blank"}, "state", "invalid"),
        ({"name": "店", "state": "x" * 31}, "state", "max_length"),
        ({"name": "店", "state": "parcel"}, "state", "unique"),
        ({"name": "店", "adds": 5}, "adds", "unknown_field"),
        ({"name": "店", "created_at": "2020-01-01"}, "created_at", "unknown_field"),
    ],
)
def test_refuses_a_channel(api: Api, world: World, body: dict[str, object], attr: str, code: str) -> None:
    answer = api.post("channels/", body, status=400)

    assert [(error["attr"], error["code"]) for error in answer["errors"]] == [(attr, code)]
    assert Channel.objects.count() == 1
    assert not AuditRecord.objects.exists()


def test_shows_welcomes_newest_first_without_their_code(api: Api, world: World) -> None:
    rows = api.get("welcomes/")["results"]

    assert [(row["external_userid"], row["outcome"], row["reason"]) for row in rows] == [
        ("wmXiaochen", "expired", "41050"),
        ("wmXiaolin", "sent", None),
    ]
    assert (rows[1]["userid"], rows[1]["state"], rows[1]["latency_ms"]) == ("wanglei", "parcel", 700)
    assert rows[1]["happened_at"] == iso(world.at)
    assert "code" not in rows[1]
    assert [row["id"] for row in api.get("welcomes/", {"outcome": "sent"})["results"]] == [rows[1]["id"]]
    assert api.get("welcomes/", {"userid": "zhaomin", "channel": "parcel"})["results"] == []


def test_shows_callbacks_newest_first(api: Api, world: World) -> None:
    failed = receive(world.at, "wmXiaochen", state="quarantined", digest=b"2")
    Work.objects.filter(source_id=failed.pk).update(error="boom", attempts=3)

    rows = api.get("callbacks/")["results"]

    assert [row["id"] for row in rows] == [failed.pk, world.callback.pk]
    assert rows[0] == {
        "id": failed.pk,
        "received_at": iso(Callback.objects.get(pk=failed.pk).received_at),
        "happened_at": iso(world.at),
        "event": "change_external_contact",
        "change_type": "add_external_contact",
        "entity": "contact:wmXiaochen",
        "repeats": 0,
        "state": "failed",
        "attempts": 3,
        "error": "boom",
    }
    assert api.get(f"callbacks/{failed.pk}/") == {**rows[0], "raw": "<xml></xml>"}
    api.get("callbacks/999999/", status=404)
    api.get("callbacks/99999999999999999999/", status=404)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"state": "done"}, 1),
        ({"state": "failed"}, 0),
        ({"event": "change_external_contact"}, 1),
        ({"change_type": "del_follow_user"}, 0),
        ({"entity": "contact:wmXiaolin"}, 1),
        ({"received_after": "2999-01-01"}, 0),
        ({"received_before": "2999-01-01"}, 1),
    ],
)
def test_filters_callbacks(api: Api, world: World, query: dict[str, str], count: int) -> None:
    assert len(api.get("callbacks/", query)["results"]) == count


def test_replays_a_callback_and_writes_down_who_did(api: Api, world: World) -> None:
    Work.objects.update(state="quarantined", error="boom", attempts=3)

    row = api.post(f"callbacks/{world.callback.pk}/replay/")

    assert (row["id"], row["state"], row["error"]) == (world.callback.pk, "waiting", None)
    assert Work.objects.get().state == "waiting"
    record = AuditRecord.objects.get()
    assert (record.deed, record.subject, record.username) == ("callback.replay", str(world.callback.pk), "alice")
    api.post("callbacks/999999/replay/", status=404)


@pytest.mark.parametrize("scope", ["read", "write"])
def test_replaying_needs_an_administering_token(
    alice: User, api_of: Callable[..., Api], world: World, scope: str
) -> None:
    api_of(alice, scope).post(f"callbacks/{world.callback.pk}/replay/", status=403)

    assert Work.objects.get().state == "done"
