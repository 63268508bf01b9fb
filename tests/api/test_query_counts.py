"""No resource asks the database more often for more rows; how often stands in query_counts.json."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Broadcast, Delivery, Dispatch, Welcome
from contacts.models import Channel, Department, Staff, Tag, TagGroup
from groups.models import GroupChat
from scrm.base.models import User
from tests.api.conftest import Api, World, befriend, broadcast, customer, receive, stay

pytestmark = pytest.mark.django_db

COUNTS: dict[str, dict[str, int]] = json.loads((Path(__file__).parent / "query_counts.json").read_text())
PATHS = [
    "customers/", "customers/?userid=wanglei&tag=etVip&group_chat=wrFuli&q=小", "customers/wmXiaolin/",
    "customers/wmXiaolin/timeline/", "staff/", "staff/?department=1", "staff/wanglei/", "departments/", "tags/",
    "group-chats/", "group-chats/wrFuli/", "group-chats/wrFuli/members/", "channels/", "welcomes/", "broadcasts/",
    "broadcasts/1/", "broadcasts/1/deliveries/", "broadcasts/1/deliveries/?state=planned&userid=wanglei", "callbacks/",
    "callbacks/?state=done",
]  # fmt: skip


def _grow(world: World, wanglei: Staff) -> None:
    """Ten times as many rows of every kind."""
    group = TagGroup.objects.get()
    first = Broadcast.objects.get(pk=1)
    assert first.plan_date is not None
    for number in range(10):
        Tag.objects.create(tag_id=f"et{number}", group=group, name="标签")
        TagGroup.objects.create(group_id=f"eg{number}", name="组")
        Channel.objects.create(state=f"s{number}", name="渠道")
        Department.objects.create(id=10 + number, name="部", parent_id=2, path=[1, 2, 10 + number])
        staff = Staff.objects.create(userid=f"staff{number}", name="员工", department_ids=[2])
        chat = GroupChat.objects.create(chat_id=f"wr{number}", name="群", owner=staff)
        person = customer(f"wm{number}", "小客", world.at, state=f"s{number}")
        befriend(staff, person, world.at, tag_ids=["etVip", f"et{number}"])
        befriend(wanglei, person, world.at, state="parcel", tag_ids=["etVip"])
        befriend(staff, world.xiaolin, world.at, state=f"s{number}")
        stay(chat, world.at, customer=person)
        stay(world.fuli, world.at, customer=person)
        stay(chat, world.at, customer=world.xiaolin)
        receive(world.at, f"wm{number}", digest=b"many%d" % number)
        Welcome.objects.create(
            code=f"C{number}", userid="wanglei", external_userid="wmXiaolin", happened_at=world.at, received_at=world.at
        )
        broadcast(100 + number, first.created_by, [f"wm{number}", "wmXiaolin"], name="群发", text=f"{number}")
        task = Dispatch.objects.create(
            broadcast=first, staff=staff, number=0, digest="x", recipients=1, count_excluded=number % 2
        )
        Delivery.objects.create(
            plan_date=first.plan_date, broadcast=first, dispatch=task, staff=staff, customer=person,
            state="excluded" if number % 2 else "planned",
        )  # fmt: skip


def _count(api: Api, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        api.get(path)
    return len(queries)


@pytest.mark.parametrize("path", PATHS)
def test_asks_as_often_for_many_rows_as_for_few(
    alice: User,
    bob: User,
    api_of: Callable[..., Api],
    world: World,
    broadcasts: list[Broadcast],
    wanglei: Staff,
    path: str,
) -> None:
    callers = {"all": api_of(alice)} | ({} if path.startswith("callbacks") else {"scoped": api_of(bob)})
    for caller in callers.values():
        caller.get("tags/")  # notes the token's use
    few = {name: _count(caller, path) for name, caller in callers.items()}
    _grow(world, wanglei)

    many = {name: _count(caller, path) for name, caller in callers.items()}

    assert many == few
    assert many == COUNTS.get(path)


def test_every_pinned_path_is_asked() -> None:
    assert list(COUNTS) == PATHS
