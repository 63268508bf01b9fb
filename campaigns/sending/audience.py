"""Whom a broadcast is for: named customers, named chats, or a filter of customers; always within its maker's scope."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from campaigns.models import Broadcast
from campaigns.sending.content import storable
from contacts.models import Customer, Follow, Staff
from contacts.querysets import StaffQuerySet
from groups.models import GroupChat
from scrm.base.models import User

LISTS = {"external_userids": Broadcast.To.CUSTOMERS, "chat_ids": Broadcast.To.CHATS}
MOST_NAMED = 500_000  # of a list; more is somebody's error

# Keys of a filter. Customers must meet all of them; within a list one is enough.
_WORDS = ("userids", "tags", "channels")
_TIMES = ("added_after", "added_before")


@dataclass(frozen=True)
class Audience:
    """The rows a broadcast is for, and how many named ones are no rows: named twice, or unknown in this scope.

    `size`: how many rows; `senders`: the staff who may be asked to send.
    """

    rows: QuerySet[Any]
    senders: StaffQuerySet
    size: int
    doubled: int = 0
    unknown: int = 0


def check(audience: Any) -> Broadcast.To:
    """Which kind of recipients an audience names. Raises ValidationError (key `audience`) with what is wrong with it."""
    try:
        return _check(audience)
    except _Wrong as wrong:
        raise ValidationError({"audience": str(wrong)}) from None


class _Wrong(ValueError):
    """What is wrong, in words."""


def _check(audience: Any) -> Broadcast.To:
    if not isinstance(audience, Mapping) or len(audience) != 1:
        raise _Wrong(_("Give exactly one of external_userids, chat_ids and filter."))
    key, value = next(iter(audience.items()))
    if key in LISTS:
        if not isinstance(value, list) or not all(map(_is_id, value)):
            raise _Wrong(_("%(key)s must be a list of ids.") % {"key": key})
        if not value:
            raise _Wrong(_("Nobody is chosen: an empty audience is never sent to."))
        if len(value) > MOST_NAMED:
            raise _Wrong(_("At most %(most)d recipients by name; use a filter for more.") % {"most": MOST_NAMED})
        return LISTS[key]
    if key == "segment":
        raise _Wrong(_("There are no segments yet: name the customers or give a filter."))
    if key != "filter":
        raise _Wrong(_("Give exactly one of external_userids, chat_ids and filter."))
    _check_filter(value)
    return Broadcast.To.CUSTOMERS


def _check_filter(chosen: Any) -> None:
    if not isinstance(chosen, Mapping):
        raise _Wrong(_("filter must be an object."))
    for key, value in chosen.items():
        if key in _WORDS:
            if not isinstance(value, list) or not value or not all(map(_is_id, value)):
                raise _Wrong(_("%(key)s must be a list of ids.") % {"key": key})
        elif key in _TIMES:
            if not isinstance(value, str) or not _time(value):
                raise _Wrong(_("%(key)s must be a time with its offset.") % {"key": key})
        else:
            raise _Wrong(_("A filter has no %(key)s.") % {"key": key})


def _is_id(item: Any) -> bool:
    return isinstance(item, str) and item != "" and storable(item)


def _time(text: str) -> dt.datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def within(audience: Mapping[str, Any], user: User) -> Mapping[str, Any]:
    """An audience without the customers and chats by name that the user may not see: who copies a broadcast of which
    only a part is theirs is told of no others."""
    key, value = next(iter(audience.items()))
    if user.has_full_scope or key not in LISTS:
        return audience
    seen = set(_named(key, value, user).values_list("chat_id" if key == "chat_ids" else "external_userid", flat=True))
    return {key: [name for name in value if name in seen]}


def of(broadcast: Broadcast) -> Audience:
    """The audience of a broadcast, as its maker may see it now."""
    user = broadcast.created_by
    key, value = next(iter(broadcast.audience.items()))
    senders = Staff.objects.visible_to(user)
    if key == "filter":
        if "userids" in value:
            senders = senders.filter(userid__in=value["userids"])
        found = _filtered(value).visible_to(user)
        return Audience(found, senders, found.count())
    named = Counter(value)
    rows = _named(key, named, user)
    size = rows.count()
    return Audience(rows, senders, size, doubled=named.total() - len(named), unknown=len(named) - size)


def _named(key: str, names: Iterable[str], user: User) -> QuerySet[Any]:
    """The chats or customers of these ids in the user's scope."""
    if key == "chat_ids":
        return GroupChat.objects.filter(chat_id__in=list(names)).visible_to(user)
    return Customer.objects.filter(external_userid__in=list(names)).visible_to(user)


def _filtered(chosen: Mapping[str, Any]) -> Any:
    """Customers who have an open friendship that meets the filter (times: their first friendship)."""
    rows = Customer.objects.kept()
    friendship = Q()
    if "userids" in chosen:
        friendship &= Q(staff__userid__in=chosen["userids"])
    if "tags" in chosen:
        friendship &= Q(tag_ids__overlap=chosen["tags"])
    if friendship:
        rows = rows.filter(Exists(Follow.objects.open().filter(friendship, customer=OuterRef("pk"))))
    if "channels" in chosen:
        rows = rows.filter(first_state__in=chosen["channels"])
    if "added_after" in chosen:
        rows = rows.filter(first_added_at__gte=_time(chosen["added_after"]))
    if "added_before" in chosen:
        rows = rows.filter(first_added_at__lt=_time(chosen["added_before"]))
    return rows
