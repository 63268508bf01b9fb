"""Making, cancelling and reminding: what operators do with manual posts."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns import tasknotices
from campaigns.handposts import telling
from campaigns.models import Delivery, HandPost, HandPostTick
from campaigns.models.welcome import fits_in_message
from campaigns.sending import rules
from campaigns.sending.compose import GRACE
from campaigns.sending.plan import MOST_DAYS_AHEAD
from contacts.models import Staff
from groups.models import GroupChat
from scrm.base import audit, clock
from scrm.base.models import User
from scrm.base.work import enqueue

Reason = Delivery.Reason
SECOND_CLICK = dt.timedelta(minutes=1)  # within which an equal post is no other one
REMIND_AGAIN = dt.timedelta(hours=1)  # between two reminders of one post; later a reminder is no help


@dataclass(frozen=True)
class Checked:
    """A post that is not saved yet, the chats to post in, and how many chosen ones are left out: reason → number."""

    post: HandPost
    chats: list[GroupChat]
    excluded: dict[str, int]


def check(
    user: User,
    *,
    name: str,
    chat_ids: Sequence[str],
    text: str = "",
    picture_url: str = "",
    link_title: str = "",
    link_url: str = "",
    due_at: dt.datetime | None = None,
    deadline: dt.datetime | None = None,
) -> Checked:
    """A post for each chat in the user's scope that lives and whose owner is at work.

    `chat_ids`: the platform's. `due_at` default now, `deadline` default the end of that company day. Raises
    ValidationError with the fields name, chats, text, picture_url, link_title, link_url, due_at, deadline.
    """
    start = due_at or clock.now()
    post = HandPost(
        name=name.strip(), text=text, picture_url=picture_url, link_title=link_title, link_url=link_url,
        due_at=start, deadline=deadline or rules.end_of_day(start), created_by=user, created_at=clock.now(),
    )  # fmt: skip
    faults = _faults(post)
    if not chat_ids:
        faults["chats"] = [_("Choose at least one chat.")]
    if faults:
        raise ValidationError(faults)
    chats, post.excluded = _choose(user, chat_ids)
    if not chats:
        why = {"why": _why(post.excluded)}
        raise ValidationError({"chats": [_("Nobody can post in any of these chats: %(why)s.") % why]})
    return Checked(post, chats, post.excluded)


def make(user: User, **given: Any) -> HandPost:
    """Makes a post of what `check` takes, with a tick for each chat. Raises what that raises."""
    return keep(check(user, **given))


def is_second_click(checked: Checked) -> bool:
    """Whether its maker has made the same post just now: its owners would have everything to do twice. In the caller's
    transaction, which holds the maker: of two requests at once the second sees the first's post."""
    post = checked.post
    User.objects.select_for_update(no_key=True).get(pk=post.created_by_id)
    own = HandPost.objects.standing().filter(created_by=post.created_by, name=post.name, text=post.text)
    return own.filter(created_at__gt=post.created_at - SECOND_CLICK).exists()


def keep(checked: Checked) -> HandPost:
    """Saves what was checked; owners are told when it is due."""
    post = checked.post
    with transaction.atomic():
        post.save()
        HandPostTick.objects.bulk_create(
            (HandPostTick(post=post, chat=chat, staff_id=chat.owner_id) for chat in checked.chats),  # type: ignore[misc]
            batch_size=1000,
        )
        enqueue(HandPost.WORK_SOURCE, post.pk, telling.LANE, f"handpost:{post.pk}")
        audit.record(
            "handpost.make", user=post.created_by, subject=str(post), post=post.pk, chats=len(checked.chats),
            excluded=checked.excluded,
        )  # fmt: skip
    return post


def cancel(post: HandPost, user: User) -> bool:
    """Takes it off the task pages; what was posted stays posted. False when it was cancelled before. Raises
    PermissionDenied where staff outside the user's scope take part in somebody else's post."""
    if not HandPost.objects.wholly_visible_to(user).filter(pk=post.pk).exists():
        raise PermissionDenied
    with transaction.atomic():
        rows = HandPost.objects.standing().filter(pk=post.pk)
        if not rows.update(cancelled_at=clock.now(), cancelled_by=user):
            return False
        audit.record("handpost.cancel", user=user, subject=str(post), post=post.pk)
    return True


def remind(post: HandPost, user: User) -> int:
    """Sends those who have chats left another card, of somebody else's post those in the user's scope; at most one an
    hour. Returns how many members will get it."""
    now = clock.now()
    with transaction.atomic():
        whose = None if post.created_by_id == user.pk else user
        staff = telling.with_chats_left(post, whose) if post.cancelled_at is None and post.due_at <= now else []
        reminded = tasknotices.tell(
            staff,
            key=f"handpost:{post.pk}:{int(now.timestamp() // REMIND_AGAIN.total_seconds())}",
            title=_("Not all chats are ticked yet"),
            text=telling.words(post),
            until=now + REMIND_AGAIN,
        )
        if reminded:
            audit.record("handpost.remind", user=user, subject=str(post), post=post.pk, staff=reminded)
    return reminded


def _choose(user: User, chat_ids: Sequence[str]) -> tuple[list[GroupChat], dict[str, int]]:
    """The chats in which it can be posted, and why not in the others."""
    named = Counter(chat_ids)
    rows = GroupChat.objects.filter(chat_id__in=list(named)).visible_to(user).order_by("owner", "name", "pk")
    at_work = set(Staff.objects.at_work().values_list("pk", flat=True))
    chats, left_out, found = [], Counter[str](), 0
    for chat in rows:
        found += 1
        if chat.dismissed_at:
            left_out[Reason.DISMISSED.value] += 1
        elif chat.owner_id not in at_work:
            left_out[Reason.NO_STAFF.value] += 1
        else:
            chats.append(chat)
    left_out[Reason.DUPLICATE.value] = named.total() - len(named)
    left_out[Reason.UNKNOWN.value] = len(named) - found
    return chats, {reason: count for reason, count in sorted(left_out.items()) if count}


def _why(left_out: dict[str, int]) -> str:
    return "; ".join(f"{Reason(reason).label}: {count}" for reason, count in left_out.items())


def _faults(post: HandPost) -> dict[str, Any]:
    faults: dict[str, Any] = {}
    if not post.name:
        faults["name"] = [_("Give the post a name.")]
    elif len(post.name) > 60:
        faults["name"] = [_("At most 60 characters.")]
    if not (post.text.strip() or post.picture_url or post.link_url):
        faults["text"] = [_("Write a text, or give a picture or a link.")]
    try:
        fits_in_message(post.text)
    except ValidationError as error:
        faults["text"] = error.messages
    for field in ("picture_url", "link_url"):
        if not _is_address(getattr(post, field)):
            faults[field] = [_("This is no address: it begins with http:// or https://.")]
    if len(post.link_title) > 128:
        faults["link_title"] = [_("At most %(most)d characters.") % {"most": 128}]
    return faults | _faults_of_times(post)


def _faults_of_times(post: HandPost) -> dict[str, Any]:
    now = clock.now()
    if post.due_at < now - GRACE:
        return {"due_at": [_("This time has passed.")]}
    if post.due_at > now + dt.timedelta(days=MOST_DAYS_AHEAD):
        return {"due_at": [_("At most %(days)d days ahead.") % {"days": MOST_DAYS_AHEAD}]}
    if post.deadline <= max(post.due_at, now):
        return {"deadline": [_("Staff need time to post: choose a time after the beginning.")]}
    return {}


def _is_address(text: str) -> bool:
    if not text:
        return True
    try:
        URLValidator(schemes=["http", "https"])(text)
    except ValidationError:
        return False
    return len(text) <= 2048
