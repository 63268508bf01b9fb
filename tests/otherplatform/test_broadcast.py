"""A broadcast at the other platform: approved, created, confirmed by hand, and its results as that platform knows them."""

import time
from typing import Any

import pytest

from campaigns.models import Broadcast, Delivery, Dispatch
from campaigns.sending import compose, pace
from contacts.models import Follow
from scrm.base.models import User, Work
from scrm.base.work import run
from tests.otherplatform.conftest import Clock, World
from tests.otherplatform.corp import Corp

LANES = ("send", "results", "notice")


@pytest.fixture(autouse=True)
def _open_hours(settings: Any) -> None:
    settings.QUIET_HOURS = "none"
    settings.SEND_LOOKUP_DELAYS = (0.0, 0.0)
    settings.SEND_POLL_SECONDS = 30.0


@pytest.fixture
def friends(world: World, passing: Clock) -> Corp:
    """王磊 with 小林, 小梅 and a half friend; 赵敏 with 小花; 王磊 owns a chat with two of them."""
    corp = world.corp
    for key, name in (("wmLin", "小林"), ("wmMei", "𠮷梅🌸"), ("wmHalf", "半个"), ("wmHua", "小花")):
        corp.customer(key, name)
    corp.befriend("wanglei", "wmLin", told=False)
    corp.befriend("wanglei", "wmMei", told=False)
    corp.befriend("zhaomin", "wmHua", told=False)
    corp.chat("wrA", "", "wanglei", told=False)
    corp.join("wrA", "wmLin", "wmHua", told=False)
    passing.pass_(120)
    world.sync()
    corp.befriend("wanglei", "wmHalf", half=True)
    world.catch_up()
    passing.pass_(120)
    return corp


def work(rounds: int = 5) -> None:
    """What waits for a while is due a few times."""
    for _ in range(rounds):
        Work.objects.filter(lane__in=LANES, state="waiting").update(not_before="2000-01-01T00:00:00Z")
        run.run_due(LANES)


def approved(user: User, audience: dict[str, Any]) -> Broadcast:
    broadcast = compose.draft(user, name="上新", audience_=audience, text="新品上架🌸")
    broadcast.save()
    return pace.approve(broadcast, user)


def booked() -> dict[str, str]:
    found = {}
    for row in Delivery.objects.select_related("customer", "chat"):
        recipient = row.customer.external_userid if row.customer else row.chat.chat_id if row.chat else ""
        found[recipient] = row.state
    return found


def arrived(world: World) -> list[str]:
    return sorted(key for key, deliveries in world.platform.broadcasts.deliveries.items() if deliveries)


def confirm(world: World, userid: str) -> None:
    for broadcast in list(world.platform.broadcasts.all.values()):
        if userid in broadcast.audience and userid not in broadcast.confirmed and not broadcast.cancelled:
            world.platform.broadcasts.confirm(broadcast.msgid, userid)
    work()


@pytest.mark.parametrize(
    "shape", [{}, {"stringly": True, "sparse": True, "backwards": True, "short_pages": 1, "busy_every": 5}]
)
def test_what_arrived_is_booked(world: World, friends: Corp, alice: User, shape: dict[str, Any]) -> None:
    for name, value in shape.items():
        setattr(friends.quirks, name, value)
    friends.quirks.dispatching_reads, friends.quirks.trailing_page = 2, bool(shape)
    friends.customer_deletes("wanglei", "wmMei", told=False)  # the platform lists her for ever
    approved(alice, {"filter": {}})
    work()
    assert sorted(world.platform.broadcasts.all) == sorted(Dispatch.objects.values_list("msgid", flat=True))
    audiences = {
        userid: rows for each in world.platform.broadcasts.all.values() for userid, rows in each.audience.items()
    }
    assert {userid: sorted(rows) for userid, rows in audiences.items()} == {
        "wanglei": ["wmLin", "wmMei"],
        "zhaomin": ["wmHua"],
    }
    assert arrived(world) == []

    confirm(world, "wanglei")
    assert booked() == {"wmLin": "sent", "wmMei": "not_friend", "wmHua": "planned", "wmHalf": "excluded"}
    confirm(world, "zhaomin")
    assert booked() == {"wmLin": "sent", "wmMei": "not_friend", "wmHua": "sent", "wmHalf": "excluded"}
    assert arrived(world) == ["wmHua", "wmLin"]
    assert Broadcast.objects.get().state == "done"
    ended = Follow.objects.get(customer__external_userid="wmMei")
    assert (ended.ended_by, ended.ended_known_by) == ("customer", "send_result")


def test_receive_quota_and_private_sends(world: World, friends: Corp, alice: User) -> None:
    friends.quirks.receive_rule = "day_1"
    friends.quirks.mixed_times = True
    world.platform.broadcasts.send_privately("wanglei", "wmLin")
    approved(alice, {"external_userids": ["wmLin", "wmMei"]})
    work()
    confirm(world, "wanglei")
    assert booked() == {"wmLin": "over_quota", "wmMei": "sent"}
    assert [len(world.platform.broadcasts.deliveries[key]) for key in ("wmLin", "wmMei")] == [1, 1]


def test_chats_are_reached_through_their_owner(world: World, friends: Corp, alice: User) -> None:
    approved(alice, {"chat_ids": ["wrA"]})
    work()
    confirm(world, "wanglei")
    assert (booked(), arrived(world)) == ({"wrA": "sent"}, ["wrA"])
    assert Delivery.objects.get().reach == 2


def test_who_became_no_friend_before_the_task_is_left_out_by_the_platform(
    world: World, friends: Corp, alice: User
) -> None:
    friends.staff_deletes("wanglei", "wmMei", told=False)
    approved(alice, {"external_userids": ["wmLin", "wmMei"]})
    work()
    confirm(world, "wanglei")
    assert booked() == {"wmLin": "sent", "wmMei": "refused"}


def test_nobody_left_to_send_to(world: World, friends: Corp, alice: User) -> None:
    """41048: the platform refuses a task that would reach nobody."""
    friends.staff_deletes("wanglei", "wmMei", told=False)
    approved(alice, {"external_userids": ["wmMei"]})
    work()
    assert (booked(), world.platform.broadcasts.all) == ({"wmMei": "refused"}, {})


def test_cancelling_stops_a_late_press(world: World, friends: Corp, alice: User) -> None:
    broadcast = approved(alice, {"external_userids": ["wmLin", "wmHua"]})
    work()
    confirm(world, "wanglei")
    pace.cancel(broadcast, alice)
    work()
    assert booked() == {"wmLin": "sent", "wmHua": "cancelled"}
    assert arrived(world) == ["wmLin"]
    [late] = [each for each in world.platform.broadcasts.all.values() if "zhaomin" in each.audience]
    assert late.cancelled


def test_a_task_without_an_answer_is_found_again_and_not_made_twice(world: World, friends: Corp, alice: User) -> None:
    world.platform.lose_answer_of("externalcontact/add_msg_template")
    friends.quirks.stringly = True
    friends.clock = time.time
    approved(alice, {"external_userids": ["wmLin"]})
    work()
    assert len(world.platform.broadcasts.all) == 1
    confirm(world, "wanglei")
    assert (booked(), len(world.platform.broadcasts.deliveries["wmLin"])) == ({"wmLin": "sent"}, 1)
