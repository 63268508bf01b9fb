"""Phrases about chats and stays. Every list that a user sees goes through `visible_to(user)`."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from contacts.models import Staff
from contacts.querysets import StaffQuerySet
from scrm.base.models import User

if TYPE_CHECKING:
    from groups.models import GroupChat, Stay  # noqa: F401  named in strings below


NEARLY_FULL = 0.85  # of what codes let in (platform.md 14)


def nearly_full(capacity: int) -> Q:
    return Q(people__gte=capacity * NEARLY_FULL)


class GroupChatQuerySet(models.QuerySet["GroupChat"]):
    def living(self) -> "GroupChatQuerySet":
        """Not dismissed."""
        return self.filter(dismissed_at__isnull=True)

    def perhaps_living(self) -> "GroupChatQuerySet":
        """Living ones, and those that are only out of the app's sight as far as anybody has told."""
        return self.filter(Q(dismissed_at__isnull=True) | Q(dismissed_known_by="sync"))

    def nearly_full(self, capacity: int) -> "GroupChatQuerySet":
        """Living ones that will soon let nobody in."""
        return self.living().filter(nearly_full(capacity))

    def owners(self) -> StaffQuerySet:
        """The staff members who own them."""
        return Staff.objects.filter(pk__in=self.order_by().values("owner"))

    def visible_to(self, user: User) -> "GroupChatQuerySet":
        """Chats whose owner is in the user's scope."""
        return self if user.has_full_scope else self.filter(owner__in=Staff.objects.visible_to(user))


class StayQuerySet(models.QuerySet["Stay"]):
    def present(self) -> "StayQuerySet":
        return self.filter(left_at__isnull=True)

    def external(self) -> "StayQuerySet":
        """Own staff never count."""
        return self.filter(customer__isnull=False)

    def joins(self) -> "StayQuerySet":
        """Stays that began before our eyes (metrics.md `joins`)."""
        return self.external().filter(counted=True)

    def leaves(self) -> "StayQuerySet":
        """Stays ended by quitting or in a way unknown; not by removal, not by dismissal (metrics.md `leaves`)."""
        return self.external().filter(left_at__isnull=False).exclude(quit_scene=1).exclude(left_known_by="dismissed")

    def visible_to(self, user: User) -> "StayQuerySet":
        return self if user.has_full_scope else self.filter(chat__owner__in=Staff.objects.visible_to(user))
