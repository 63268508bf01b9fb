"""Telling owners that a manual post is due: the lane `handpost`, once for each post."""

import datetime as dt

from django.utils.translation import gettext as _

from campaigns import tasknotices
from campaigns.models import HandPost, HandPostTick
from contacts.models import Staff
from contacts.renaming import mergings
from scrm.base import clock
from scrm.base.models import User
from scrm.base.work import Claim, lane

LANE = "handpost"
LONGEST_WAIT = 600.0  # seconds: a clock may have been changed meanwhile


def connect() -> None:
    mergings.append(_merge)


@lane(LANE, queue="sending", lease=30)
def tell_owners(claim: Claim) -> None:
    """Writes the cards when the time has come; who has ticked everything before gets none."""
    post = HandPost.objects.filter(pk__in=claim.source_ids(HandPost.WORK_SOURCE)).first()
    now = clock.now()
    if post is None or post.cancelled_at is not None:
        claim.ignored(reason="cancelled")
    elif post.deadline <= now:
        claim.ignored(reason="too late")
    elif post.due_at > now:
        claim.again(_real(post.due_at - now), reason="not due yet")
    else:
        with claim.writing():
            tasknotices.tell(
                with_chats_left(post),
                key=f"handpost:{post.pk}",
                title=_("Something to post in your chats"),
                text=words(post),
                until=post.deadline,
            )
            claim.done()


def with_chats_left(post: HandPost, user: User | None = None) -> list[Staff]:
    """Members who have not ticked all their chats of this post; with a user those in their scope."""
    ticks = HandPostTick.objects.todo().filter(post=post)
    todo = ticks.visible_to(user) if user else ticks
    return list(Staff.objects.at_work().filter(pk__in=todo.values("staff")).order_by("pk"))


def words(post: HandPost) -> str:
    """What a card says of a post; the same for all its owners, so that one call reaches them."""
    given = {"name": post.name, "time": tasknotices.moment(post.deadline)}
    return _("“%(name)s”, to be posted by hand by %(time)s. Tick each chat when it is done.") % given


def _real(span: dt.timedelta) -> float:
    """Seconds of the machine that a span of domain time takes, never more than LONGEST_WAIT."""
    return min(max(clock.real_seconds(span), 0.05), LONGEST_WAIT)


def _merge(double: Staff, into: Staff) -> None:
    """Chats of a staff row that turns out to be another row's person (platform.md 25)."""
    HandPostTick.objects.filter(staff=double).update(staff=into)
