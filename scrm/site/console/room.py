"""How much room is left: chats that fill up, spare places for the next days, accounts that come near WeCom's limit."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Sum
from django.db.models.functions import Greatest
from django.urls import reverse

from analytics.query import measure
from analytics.scope import Asker
from contacts.models import Follow, Staff
from groups.models import GroupChat
from groups.querysets import nearly_full
from scrm.base import clock

SHOWN_CHATS = 5
SHOWN_ACCOUNTS = 4
NEARLY_FULL = 0.9  # of an account, platform.md 23
PACE_DAYS = 7
YEAR = 365


def capacity(asker: Asker, joins: float | None) -> dict[str, Any]:
    """Chats that are nearly full, the room that codes still have and how long it lasts at `joins` a day (None: not
    known), the fullest chats and the fullest accounts."""
    whole = settings.CHAT_SCAN_CAPACITY
    living = GroupChat.objects.visible_to(asker.user).living()
    sums = living.aggregate(
        living=Count("pk"), nearly_full=Count("pk", filter=nearly_full(whole)),
        free=Sum(Greatest(whole - F("people"), 0), default=0), people=Sum("people", default=0),
    )  # fmt: skip
    free = sums["free"]
    return {
        "capacity": whole,
        **sums,
        "lasts_hours": free / joins * 24 if joins else None,
        "lasts_days": int(free / joins) if joins else None,
        "fullest": list(living.select_related("owner").order_by("-people", "pk")[:SHOWN_CHATS]),
        "link": f"{reverse('admin:groups_groupchat_changelist')}?view=nearly_full",
        **_accounts(asker),
    }


def _accounts(asker: Asker) -> dict[str, Any]:
    """Accounts by how many friends they have, with the days until they are full at the last week's pace."""
    whole = settings.STAFF_CAPACITY
    friends = dict(
        Follow.objects.open().visible_to(asker.user).order_by().values_list("staff").annotate(Count("pk"))
    )  # one-way friends take room too, but nobody tells how many of them were removed
    fullest = sorted(friends, key=lambda staff: (-friends[staff], staff))[:SHOWN_ACCOUNTS]
    rows = Staff.objects.in_bulk(fullest)
    today = clock.today()
    points = measure("adds", start=today - dt.timedelta(days=PACE_DAYS), end=today, by="staff", user=asker)
    paces = {point.key: (point.value or 0) / PACE_DAYS for point in points}
    return {
        "account_capacity": whole,
        "accounts_nearly_full": sum(count >= whole * NEARLY_FULL for count in friends.values()),
        "accounts": [
            {
                "staff": rows[staff],
                "friends": friends[staff],
                "kind": "bad" if friends[staff] >= whole else "warn" if friends[staff] >= whole * NEARLY_FULL else "",
                "days": _days(whole - friends[staff], paces.get(rows[staff].userid, 0)),
            }
            for staff in fullest
        ],
    }


def _days(room: int, pace: float) -> int | None:
    """Days until an account is full; None for more than a year."""
    days = int(max(room, 0) / pace) if pace else YEAR
    return days if days < YEAR else None
