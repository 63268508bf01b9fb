"""The demo's manual posts: five a day in the biggest chats, ticked as owners tick."""

import datetime as dt
from typing import Any

from campaigns.models import HandPost, HandPostTick
from contacts.models import Staff
from groups.models import GroupChat
from scrm.base import clock
from scrm.base.models import User
from scrm.site.demo import handposts
from scrm.site.demo.operator import operator


def test_a_day_is_five_posts_in_the_biggest_chats_ticked_by_most(
    alice: User, wanglei: Staff, zhaomin: Staff, settings: Any
) -> None:
    morning = clock.day_start(clock.today()) + dt.timedelta(hours=8)
    settings.CLOCK_OFFSET += (morning - clock.now()).total_seconds()
    for number in range(60):
        owner = zhaomin if number % 2 else wanglei
        GroupChat.objects.create(chat_id=f"wr{number}", owner=owner, external_people=number)

    assert len(handposts.make_day(alice, clock.today(), chats=50)) == 5
    assert handposts.make_day(alice, clock.today(), chats=50) == []
    assert HandPostTick.objects.count() == 250
    assert set(HandPostTick.objects.values_list("chat__external_people", flat=True)) == set(range(10, 60))

    assert handposts.tick_like_owners(clock.now()) == 0
    settings.CLOCK_OFFSET += 3.5 * 3600  # 11:30: the first is over, the second begins
    first = handposts.tick_like_owners(clock.now())
    assert 25 <= first <= 50
    assert handposts.tick_like_owners(clock.now()) == 0
    assert HandPostTick.objects.filter(state="done").count() == first
    assert set(HandPostTick.objects.filter(state="done").values_list("post", flat=True)) == {
        HandPost.objects.order_by("due_at")[0].pk
    }


def test_times_that_have_passed_are_left_out(alice: User, wanglei: Staff, settings: Any) -> None:
    GroupChat.objects.create(chat_id="wr1", owner=wanglei)
    evening = clock.day_start(clock.today()) + dt.timedelta(hours=19)
    settings.CLOCK_OFFSET += (evening - clock.now()).total_seconds()

    assert [post.name for post in handposts.make_day(alice, clock.today())] == ["晚安预告"]


def test_only_a_scenario_with_slots_lives(alice: User, wanglei: Staff, settings: Any) -> None:
    GroupChat.objects.create(chat_id="wr1", owner=wanglei)
    morning = clock.day_start(clock.today()) + dt.timedelta(hours=8)
    settings.CLOCK_OFFSET += (morning - clock.now()).total_seconds()

    handposts.live("")
    handposts.live("empty")
    assert not HandPost.objects.exists()

    handposts.live("beauty")
    handposts.live("beauty")
    assert HandPost.objects.filter(created_by=operator()).count() == 5
