"""Who has to confirm what today, and who has not: WeCom sends nothing before the staff member does."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns.models import OPEN_STATES, Broadcast, Dispatch
from campaigns.querysets import DispatchQuerySet
from campaigns.sending import remind
from scrm.base import clock
from scrm.base.models import User
from scrm.site.console.work_words import broadcast_page
from scrm.site.h5 import todo

SHOWN = 6
State = Dispatch.State


@dataclass
class Slot:
    """Tasks of today that are created in the same minute."""

    at: dt.datetime
    tasks: int = 0
    confirmed: int = 0
    expired: int = 0
    waiting: int = 0

    @property
    def kind(self) -> str:
        """Its colour: bad where some expired, pri while some wait, ok when all have confirmed, "" before it begins."""
        if self.expired:
            return "bad"
        if self.waiting:
            return "pri"
        return "ok" if self.confirmed == self.tasks else ""


def confirmations(user: User) -> dict[str, Any]:
    """Today's slots, the tasks that wait (the nearest deadline first) and what comes next, in the user's scope."""
    dispatches = Dispatch.objects.visible_to(user)
    slots = _slots(dispatches)
    waiting = dispatches.waiting().filter(broadcast__state__in=OPEN_STATES)
    sums = waiting.aggregate(
        tasks=Count("pk"), staff=Count("staff", distinct=True), people=Sum("recipients", filter=Q(broadcast__to="single")),
        chats=Sum("recipients", filter=Q(broadcast__to="group")),
    )  # fmt: skip
    return {
        "slots": slots,
        "confirmed": sum(slot.confirmed for slot in slots),
        "expired": sum(slot.expired for slot in slots),
        "due": sum(slot.confirmed + slot.expired + slot.waiting for slot in slots),
        "waiting": sums,
        "tasks": _tasks(waiting) if sums["tasks"] else [],
        "next": None if sums["tasks"] else _next(user),
        "may_remind": user.has_perm("campaigns.approve_broadcast"),
        "all": _list(),
    }


def _slots(dispatches: QuerySet[Dispatch]) -> list[Slot]:
    start, end = clock.day_start(clock.today()), clock.day_start(clock.today() + dt.timedelta(days=1))
    rows = (
        dispatches.filter(broadcast__create_at__gte=start, broadcast__create_at__lt=end)
        .exclude(state__in=[State.CANCELLED, State.REFUSED])
        .order_by("broadcast__create_at")
        .values_list("broadcast__create_at", "state")
        .annotate(Count("pk"))
    )
    found: dict[dt.datetime, Slot] = {}
    for at, state, count in rows:
        minute = at.replace(second=0, microsecond=0)
        slot = found.setdefault(minute, Slot(minute))
        slot.tasks += count
        slot.confirmed += count if state == State.CONFIRMED else 0
        slot.expired += count if state == State.UNCONFIRMED else 0
        slot.waiting += count if state == State.SENT else 0
    return list(found.values())


def _tasks(waiting: DispatchQuerySet) -> list[dict[str, Any]]:
    now = clock.now()
    rows = waiting.with_broadcast().order_by("broadcast__confirm_by", "sent_at", "pk")[:SHOWN]
    used = remind.used(tasks := list(rows))
    return [
        {
            "dispatch": row,
            "page": broadcast_page(row.broadcast_id),
            "to": _recipients(row),
            "deadline": row.broadcast.confirm_by,
            "left": todo.left(row.broadcast.confirm_by, now),
            "hurry": row.broadcast.confirm_by - now < dt.timedelta(minutes=30),
            "nudges": used.get(row.pk, 0),
            "can_nudge": used.get(row.pk, 0) < remind.MOST,
        }
        for row in tasks
    ]


def _recipients(dispatch: Dispatch) -> str:
    words = _("%(n)d group chats") if dispatch.broadcast.to_chats else _("%(n)d customers")
    return words % {"n": dispatch.recipients}


def _next(user: User) -> dict[str, Any] | None:
    coming = Broadcast.objects.visible_to(user).open().filter(create_at__gt=clock.now()).defer("audience")
    row = coming.order_by("create_at", "pk").first()
    return {"broadcast": row, "page": broadcast_page(row.pk)} if row else None


def todos(user: User) -> list[dict[str, Any]]:
    """Drafts that wait for this user, and what stopped by itself: `{"text", "detail", "link", "kind"}`."""
    if not user.has_perm("campaigns.approve_broadcast"):
        return []
    open_ = Q(state=Broadcast.State.DRAFT, confirm_by__gt=clock.now())
    counts = Broadcast.objects.visible_to(user).aggregate(
        drafts=Count("pk", filter=open_),
        stopped=Count("pk", filter=Q(state=Broadcast.State.PAUSED) & ~Q(stop_reason="")),
    )
    found = []
    if counts["stopped"]:
        found.append({
            "text": _("%(n)d broadcasts paused by themselves") % {"n": counts["stopped"]},
            "detail": _("Too many tasks were refused or got no answer. Read the errors, then resume or cancel."),
            "link": _list("?view=open"), "kind": "bad",
        })  # fmt: skip
    if counts["drafts"]:
        found.append({
            "text": _("%(n)d drafts of broadcasts wait for approval") % {"n": counts["drafts"]},
            "detail": _("Nothing is created before somebody approves."),
            "link": _list("?view=draft"), "kind": "warn",
        })  # fmt: skip
    return found


def _list(query: str = "") -> str:
    return reverse("admin:campaigns_broadcast_changelist") + query
