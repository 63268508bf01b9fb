"""What a member of staff has to do today, as the task page shows it."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Broadcast, Dispatch, HandPost, HandPostTick, Reminder
from contacts.models import Staff
from scrm.base import clock

LATE_SHOWN = dt.timedelta(days=2)  # how long a post that is not finished stays on the page after its deadline
PREVIEW = 120  # characters of a broadcast's text
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
# Reminders that WeCom has sent, or may have.
_NUDGED = Q(reminders__state__in=[Reminder.State.SENT, Reminder.State.UNKNOWN])


@dataclass(frozen=True)
class Task:
    """A broadcast task in WeCom's own client, to be confirmed or confirmed today."""

    number: int
    name: str
    text: str
    extras: str
    recipients: str
    at: dt.datetime | None  # created, or confirmed
    deadline: dt.datetime
    left: str
    late: bool
    reminded: int
    sent: int


@dataclass(frozen=True)
class Tick:
    number: int
    chat: str
    people: int
    state: str
    at: dt.datetime | None
    late: bool


@dataclass(frozen=True)
class Post:
    """A manual post with this member's chats."""

    number: int
    name: str
    text: str
    picture_url: str
    link_title: str
    link_url: str
    due_at: dt.datetime
    deadline: dt.datetime
    left: str
    late: bool
    ticks: list[Tick] = field(default_factory=list)

    @property
    def done(self) -> int:
        return sum(tick.state == HandPostTick.State.DONE for tick in self.ticks)

    @property
    def open(self) -> int:
        return sum(tick.state == HandPostTick.State.TODO for tick in self.ticks)


@dataclass(frozen=True)
class ToDo:
    """Everything on the page: `waiting` and `confirmed` tasks; posts that are `due`, come `later` today, are `finished`."""

    waiting: list[Task]
    confirmed: list[Task]
    due: list[Post]
    later: list[Post]
    finished: list[Post]


def of(staff: Staff, now: dt.datetime) -> ToDo:
    """The member's own tasks and nobody else's. Names no customer."""
    today = clock.day_start(clock.day_of(now))
    posts = list(_posts(staff, now, today))
    begun = [post for post in posts if post.due_at <= now]
    return ToDo(
        waiting=[
            _task(row, row.sent_at, now) for row in _dispatches(staff).waiting().order_by("broadcast__confirm_by")
        ],
        confirmed=[
            _task(row, row.confirmed_at, now)
            for row in _dispatches(staff)
            .filter(state=Dispatch.State.CONFIRMED, confirmed_at__gte=today)
            .order_by("-confirmed_at")
        ],
        due=[post for post in begun if post.open],
        later=[post for post in posts if post.due_at > now],
        finished=[post for post in begun if not post.open],
    )


def span(seconds: float) -> str:
    """A span in two words at most: `2 天 3 小时`, `3 小时 20 分`, `12 分钟`."""
    if seconds >= _DAY:
        return _("%(days)d d %(hours)d h") % {"days": seconds // _DAY, "hours": seconds % _DAY // _HOUR}
    if seconds >= _HOUR:
        return _("%(hours)d h %(minutes)d min") % {"hours": seconds // _HOUR, "minutes": seconds % _HOUR // _MINUTE}
    return _("%(n)s min") % {"n": int(max(seconds, _MINUTE) // _MINUTE)}


def left(deadline: dt.datetime, now: dt.datetime) -> str:
    """How long there is until a deadline, or since."""
    seconds = (deadline - now).total_seconds()
    words = _("%(span)s left") if seconds > 0 else _("%(span)s late")
    return words % {"span": span(abs(seconds))}


def _dispatches(staff: Staff):  # type: ignore[no-untyped-def]
    rows = Dispatch.objects.filter(staff=staff).exclude(broadcast__state=Broadcast.State.CANCELLED)
    return rows.with_broadcast().annotate(nudges=Count("reminders", filter=_NUDGED))


def _task(row: Dispatch, at: dt.datetime | None, now: dt.datetime) -> Task:
    broadcast = row.broadcast
    text = " ".join(broadcast.text.split())
    return Task(
        number=row.pk,
        name=broadcast.name,
        text=f"{text[:PREVIEW]}…" if len(text) > PREVIEW else text,
        extras=_extras(broadcast),
        recipients=_recipients(row),
        at=at,
        deadline=broadcast.confirm_by,
        left=left(broadcast.confirm_by, now),
        late=broadcast.confirm_by <= now,
        reminded=row.nudges,  # type: ignore[attr-defined]  # annotated
        sent=row.count_sent,
    )


def _recipients(row: Dispatch) -> str:
    if row.broadcast.to_chats:
        return ngettext("%(n)d group chat", "%(n)d group chats", row.recipients) % {"n": row.recipients}
    return ngettext("%(n)d customer", "%(n)d customers", row.recipients) % {"n": row.recipients}


def _extras(broadcast: Broadcast) -> str:
    """What comes with the text: `图片、链接`."""
    words = {
        "image": _("picture"), "link": _("link"), "miniprogram": _("mini program"), "video": _("video"), "file": _("file"),
    }  # fmt: skip
    kinds = [str(attachment.get("msgtype", "")) for attachment in broadcast.attachments]
    return "、".join(words.get(kind, kind) for kind in kinds)


def _posts(staff: Staff, now: dt.datetime, today: dt.datetime) -> Iterator[Post]:
    """Posts of today, and late ones of the last days that are not finished; the most urgent first."""
    tomorrow = clock.day_start(clock.day_of(now) + dt.timedelta(days=1))
    shown = Q(post__due_at__gte=today) | Q(post__deadline__gt=now - LATE_SHOWN)
    ticks = (
        HandPostTick.objects.standing()
        .filter(shown, staff=staff, post__due_at__lt=tomorrow)
        .select_related("post", "chat")
        .order_by("post__deadline", "post", "chat__name", "pk")
    )
    posts: dict[int, Post] = {}
    for tick in ticks:
        post = posts.setdefault(tick.post_id, _post(tick.post, now))
        post.ticks.append(_tick(tick))
    yield from (post for post in posts.values() if post.open or post.due_at >= today)


def _post(row: HandPost, now: dt.datetime) -> Post:
    return Post(
        number=row.pk, name=row.name, text=row.text, picture_url=row.picture_url, link_title=row.link_title,
        link_url=row.link_url, due_at=row.due_at, deadline=row.deadline, left=left(row.deadline, now),
        late=row.deadline <= now,
    )  # fmt: skip


def _tick(row: HandPostTick) -> Tick:
    return Tick(
        number=row.pk, chat=row.chat.name or _("chat without a name"), people=row.chat.people, state=row.state,
        at=row.done_at, late=row.is_late,
    )  # fmt: skip
