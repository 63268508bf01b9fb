"""Manual posts of the demo: five a day in the biggest chats, ticked as owners tick (stand-in.md §2, §4)."""

import datetime as dt
import random

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from campaigns import handposts
from campaigns.models import HandPost, HandPostTick
from groups.models import GroupChat
from scrm.base import clock
from scrm.base.logs import story
from scrm.base.models import User
from scrm.site.demo.operator import operator
from scrm.standin.scenarios.profiles import PROFILES

CHATS = 120  # the "A" chats
TIME_TO_POST = dt.timedelta(hours=2)
POSTS = (
    (dt.time(9, 30), "早安打卡", "姐妹们早上好！今天的护肤小知识：防晒要在出门前 15 分钟涂。在群里回复「打卡」，满 7 天送小样一份。"),
    (dt.time(11, 30), "午间互动", "午休时间到！你现在最想解决的皮肤问题是哪个？1 出油 2 干燥 3 敏感 4 痘印，回复数字，宠粉官一对一解答。"),
    (dt.time(15, 30), "下午茶抽奖", "下午茶时间，手气王领面膜！16:00 发口令红包，手气最佳送补水面膜一盒。"),
    (dt.time(18, 30), "买家秀", "今天的买家秀来啦！晒出你的空瓶照，点赞最多的三位各送 30 元无门槛券。"),
    (dt.time(21, 0), "晚安预告", "明天 10:00 上新预告：早 C 晚 A 套装首发，群内专属价，先把闹钟定好。晚安！"),
)  # fmt: skip
TICKED = 0.85 * 0.90 + 0.03  # done and ticked, and ticked without being done
HALF_WITHIN = 25.0  # minutes after which half of those who tick have ticked; the spread is that of confirmations


def live(scenario: str) -> None:
    """Keeps today's posts made and ticked; called again and again."""
    if scenario not in PROFILES or not PROFILES[scenario].slots:
        return
    user = operator()
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # one maker at a time
        made = make_day(user, clock.today())
    ticked = tick_like_owners(clock.now())
    if made:
        story.info(_("📌 %(who)s planned %(count)d manual posts") % {"who": user, "count": len(made)})
    if ticked:
        story.info(_("✔️ owners ticked %(count)d chats") % {"count": ticked})


def make_day(user: User, day: dt.date, *, chats: int = CHATS) -> list[HandPost]:
    """Makes the posts of a company day whose time has not come yet. Doing it twice makes none twice."""
    made = []
    chosen: list[str] = []
    for time, name, text in POSTS:
        due_at = dt.datetime.combine(day, time, clock.zone()).astimezone(dt.UTC)
        if due_at < clock.now() or HandPost.objects.filter(due_at=due_at, name=name).exists():
            continue
        chosen = chosen or _biggest(user, chats)
        if chosen:
            deadline = due_at + TIME_TO_POST
            made.append(handposts.make(user, name=name, text=text, chat_ids=chosen, due_at=due_at, deadline=deadline))
    return made


def tick_like_owners(now: dt.datetime, *, seed: int = 1) -> int:
    """Ticks what owners would have ticked by now; called every minute or so. Returns how many. The same for a seed."""
    count = 0
    todo = HandPostTick.objects.todo().filter(post__due_at__lte=now, post__deadline__gt=now - TIME_TO_POST)
    for tick in todo.select_related("post", "staff"):
        draws = random.Random(f"{seed}:{tick.pk}")
        ticks, minutes = draws.random() < TICKED, draws.lognormvariate(0, 1.2) * HALF_WITHIN
        if ticks and tick.post.due_at + dt.timedelta(minutes=minutes) <= now:
            handposts.tick(tick.pk, tick.staff, HandPostTick.State.DONE)
            count += 1
    return count


def _biggest(user: User, most: int) -> list[str]:
    rows = GroupChat.objects.visible_to(user).living().filter(owner__left_at__isnull=True, owner__status=1)
    return list(rows.order_by(F("external_people").desc(), "pk").values_list("chat_id", flat=True)[:most])
