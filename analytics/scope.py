"""Whose numbers: what the asker may see, narrowed by the filters of the question."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Q

from analytics.stats import personas
from contacts.connection import connected_at
from contacts.models import Department, Staff
from groups.models import GroupChat
from scrm.base import clock
from scrm.base.models import User

NOBODY = 0  # stands for "no staff member known" among primary keys
UNKNOWN = -1  # no row's primary key


@dataclass(frozen=True)
class Filters:
    """What a question is narrowed to; None: not narrowed.

    channel: a state, "" for people without one; group_chat: a chat_id, "" for what went to no chat; staff: a userid, ""
    for chats without an owner; department: an id, its children included.
    """

    channel: str | None = None
    group_chat: str | None = None
    staff: str | None = None
    department: int | None = None


@dataclass(frozen=True)
class Scope:
    """Filters and visibility as primary keys; None: everything.

    `chats`: those of the staff, for happenings that are a chat's; `chat`: the one asked for, for what staff did in it.
    """

    staff: list[int] | None
    chats: list[int] | None
    state: str | None
    chat: int | None = None

    @property
    def whole(self) -> bool:
        return self.staff is None and self.chats is None and self.state is None


class Asker:
    """A user who asks for many numbers at once. What is the same for all of them is looked up once: made for one page,
    not kept longer."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.counted: dict[Any, Sequence[tuple[Any, ...]]] = {}  # analytics.query: question → what was counted
        self.names: dict[str, dict[str, tuple[str, str]]] = {}  # analytics.labels: dimension → key → names
        self._scopes: dict[Filters, Scope] = {}

    @classmethod
    def of(cls, who: "User | Asker") -> "Asker":
        return who if isinstance(who, Asker) else cls(who)

    @cached_property
    def connected(self) -> dt.date | None:
        """The company day on which the corp was connected."""
        moment = connected_at()
        return clock.day_of(moment) if moment else None

    @cached_property
    def personas(self) -> list[int]:
        """Accounts that count nowhere."""
        return personas()

    def scope(self, filters: Filters) -> Scope:
        if filters not in self._scopes:
            self._scopes[filters] = scope(filters, self.user)
        return self._scopes[filters]


def scope(filters: Filters, user: User) -> Scope:
    """Staff members and chats whose rows count, exactly as `visible_to(user)` lists them."""
    narrowed = filters.staff is not None or filters.department is not None
    if user.has_full_scope and not narrowed and filters.group_chat is None:
        return Scope(None, None, filters.channel)
    staff = None if user.has_full_scope and not narrowed else _staff(filters, user)
    return Scope(staff, _chats(filters, user, staff), filters.channel, _chat(filters))


def _staff(filters: Filters, user: User) -> list[int]:
    found = Staff.objects.visible_to(user)
    if filters.department is not None:
        inside = Department.objects.filter(path__contains=[filters.department]).values_list("pk", flat=True)
        found = found.filter(department_ids__overlap=list(inside) or [filters.department])
    if filters.staff == "":
        return [NOBODY] if user.has_full_scope else []
    if filters.staff is not None:
        found = found.filter(userid=filters.staff)
    return list(found.order_by("pk").values_list("pk", flat=True))


def _chats(filters: Filters, user: User, staff: list[int] | None) -> list[int]:
    found = GroupChat.objects.visible_to(user)
    if staff is not None:
        found = found.filter(Q(owner__in=staff) | Q(owner=None) if NOBODY in staff else Q(owner__in=staff))
    if filters.group_chat is not None:
        found = found.filter(chat_id=filters.group_chat)
    return list(found.order_by("pk").values_list("pk", flat=True))


def _chat(filters: Filters) -> int | None:
    """NOBODY for what went to no chat. Whose deeds in it count is said by `staff`."""
    if not filters.group_chat:
        return None if filters.group_chat is None else NOBODY
    return GroupChat.objects.filter(chat_id=filters.group_chat).values_list("pk", flat=True).first() or UNKNOWN
