"""Phrases about welcomes and broadcasts. Every list that a user sees goes through `visible_to(user)`."""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When

from contacts.models import Department, Staff
from scrm.base.models import User

if TYPE_CHECKING:
    from campaigns.models import (  # noqa: F401  named below
        Broadcast,
        Delivery,
        Dispatch,
        HandPost,
        HandPostTick,
        Welcome,
        WelcomeRule,
    )


def _own_or_without_outsiders(user: User, part: str, of: str) -> Q:
    """One's own, and what no `part` (a model that names its staff and, as `of`, the whole) has outside one's scope."""
    from django.apps import apps

    parts = apps.get_model("campaigns", part).objects.filter(**{of: OuterRef("pk")})
    return Q(created_by=user.pk) | Q(~Exists(parts.exclude(staff__in=Staff.objects.visible_to(user))))


_BEST_RULE = """
SELECT r.*, EXISTS (SELECT FROM campaigns_welcomeattachment a WHERE a.rule_id = r.id) AS has_attachments
FROM campaigns_welcomerule r
LEFT JOIN contacts_channel c ON c.id = r.channel_id LEFT JOIN contacts_staff s ON s.id = r.staff_id
WHERE r.active AND (r.channel_id IS NULL OR (c.state = %(state)s AND c.state <> ''))
  AND (r.staff_id IS NULL OR s.userid = %(userid)s)
ORDER BY r.channel_id NULLS LAST, r.staff_id NULLS LAST, r.id LIMIT 1
"""


class WelcomeRuleQuerySet(models.QuerySet["WelcomeRule"]):
    def best_for(self, *, state: str, userid: str) -> "WelcomeRule | None":
        """The most exact active rule: channel and staff, channel, staff, default."""
        given = {"state": state, "userid": userid}
        best: WelcomeRule | None = next(iter(self.raw(_BEST_RULE, given)), None)
        return best

    def visible_to(self, user: User) -> "WelcomeRuleQuerySet":
        """Rules carry no personal data: whoever may log in sees them."""
        return self if user.is_active else self.none()


class WelcomeQuerySet(models.QuerySet["Welcome"]):
    def visible_to(self, user: User) -> "WelcomeQuerySet":
        if user.has_full_scope:
            return self
        return self.filter(userid__in=Staff.objects.visible_to(user).values("userid"))


def _within(user: User) -> "models.QuerySet[User]":
    """Users who see some departments, and none that `user` doesn't."""
    departments = Department.objects.visible_to(user).values_list("pk", flat=True)
    narrow = User.objects.filter(sees_all=False, is_superuser=False, department_ids__contained_by=list(departments))
    return narrow.exclude(department_ids=[])


class BroadcastQuerySet(models.QuerySet["Broadcast"]):
    def open(self) -> "BroadcastQuerySet":
        """Of which something may still be sent."""
        return self.filter(state__in=["planned", "running", "paused"])

    def visible_to(self, user: User) -> "BroadcastQuerySet":
        """One's own, those in which staff of one's scope take part, and for who approves those of makers whose whole scope
        lies in one's own: drafts have no staff yet."""
        if user.has_full_scope:
            return self
        from django.apps import apps

        dispatches = apps.get_model("campaigns", "Dispatch").objects.visible_to(user).filter(broadcast=OuterRef("pk"))
        seen = Q(created_by=user.pk) | Q(Exists(dispatches))
        if user.has_perm("campaigns.approve_broadcast"):
            seen |= Q(created_by__in=_within(user))
        return self.filter(seen) if user.is_active else self.none()

    def wholly_visible_to(self, user: User) -> "BroadcastQuerySet":
        """Of the visible ones one's own, and those in which nobody outside one's scope takes part: who stops a broadcast
        stops it for everybody."""
        if user.has_full_scope:
            return self
        return self.visible_to(user).filter(_own_or_without_outsiders(user, "Dispatch", "broadcast"))


class DispatchQuerySet(models.QuerySet["Dispatch"]):
    def with_broadcast(self) -> "DispatchQuerySet":
        """With the broadcast and the staff member; without the audience, which may name half a million."""
        return self.select_related("broadcast", "staff").defer("broadcast__audience")

    def waiting(self) -> "DispatchQuerySet":
        """Tasks that a staff member has still to confirm."""
        return self.filter(state="sent")

    def failing(self) -> "DispatchQuerySet":
        """Refused by the platform, or without an answer, since somebody last let their broadcast go on."""
        resumed = F("broadcast__resumed_at")
        fresh = Q(state="refused", changed_at__gt=resumed) | Q(state="unknown", lost_at__gt=resumed)
        return self.filter(Q(broadcast__resumed_at=None) | fresh, state__in=["refused", "unknown"])

    def due(self, moment: dt.datetime) -> "DispatchQuerySet":
        """Those to be created by now that are not, in broadcasts that run."""
        return self.filter(
            state__in=["planned", "sending", "unknown"],
            broadcast__state__in=["planned", "running"],
            broadcast__create_at__lte=moment,
        )

    def unsettled(self) -> "DispatchQuerySet":
        """Those whose results may still change."""
        return self.filter(settled_at__isnull=True)

    def visible_to(self, user: User) -> "DispatchQuerySet":
        return self if user.has_full_scope else self.filter(staff__in=Staff.objects.visible_to(user))


# What a planned delivery's dispatch says of it.
_PROGRESS = {
    "sending": "sending", "unknown": "unknown", "unread": "unknown", "sent": "waiting", "confirmed": "waiting",
}  # fmt: skip


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def of(self, broadcast: "Broadcast") -> "DeliveryQuerySet":
        """Those of one broadcast; drafts have none."""
        return (
            self.none()
            if broadcast.plan_date is None
            else self.filter(broadcast=broadcast, plan_date=broadcast.plan_date)
        )

    def with_progress(self) -> "DeliveryQuerySet":
        """Adds `progress`: the state as users read it, that of the dispatch while the result is open."""
        open_ = [
            When(state="planned", dispatch__state=dispatch, then=Value(shown)) for dispatch, shown in _PROGRESS.items()
        ]
        return self.annotate(progress=Case(*open_, default=F("state"), output_field=models.CharField()))

    def in_progress(self, state: str) -> "DeliveryQuerySet":
        """Those whose `progress` is `state`. The row's own state, asked for too, spares most rows the look at a dispatch."""
        stored = "planned" if state in _PROGRESS.values() else state
        return self.with_progress().filter(state=stored, progress=state)  # type: ignore[misc]  # annotated

    def visible_to(self, user: User) -> "DeliveryQuerySet":
        """Those of staff in one's scope; of one's own broadcasts also those whom nobody could write to."""
        if user.has_full_scope:
            return self
        nobodys = Q(staff__isnull=True, broadcast__created_by=user.pk)
        return self.filter(Q(staff__in=Staff.objects.visible_to(user)) | nobodys) if user.is_active else self.none()


class HandPostQuerySet(models.QuerySet["HandPost"]):
    def standing(self) -> "HandPostQuerySet":
        """Not cancelled."""
        return self.filter(cancelled_at__isnull=True)

    def visible_to(self, user: User) -> "HandPostQuerySet":
        """One's own, and those in which staff of one's scope take part."""
        if user.has_full_scope:
            return self
        from django.apps import apps

        ticks = apps.get_model("campaigns", "HandPostTick").objects.visible_to(user).filter(post=OuterRef("pk"))
        return self.filter(Q(created_by=user.pk) | Exists(ticks)) if user.is_active else self.none()

    def wholly_visible_to(self, user: User) -> "HandPostQuerySet":
        """One's own, and those in which nobody outside one's scope takes part: who cancels a post does so for everybody."""
        if user.has_full_scope:
            return self
        return self.visible_to(user).filter(_own_or_without_outsiders(user, "HandPostTick", "post"))


class HandPostTickQuerySet(models.QuerySet["HandPostTick"]):
    def standing(self) -> "HandPostTickQuerySet":
        """Of posts that were not cancelled, without chats that were dismissed before anything was posted."""
        return self.filter(post__cancelled_at__isnull=True).exclude(state="todo", chat__dismissed_at__isnull=False)

    def todo(self) -> "HandPostTickQuerySet":
        """Neither posted nor skipped yet."""
        return self.standing().filter(state="todo")

    def visible_to(self, user: User) -> "HandPostTickQuerySet":
        return self if user.has_full_scope else self.filter(staff__in=Staff.objects.visible_to(user))
