"""Phrases about welcomes."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q

from contacts.models import Staff
from scrm.base.models import User

if TYPE_CHECKING:
    from campaigns.models import Welcome, WelcomeRule  # noqa: F401  named in strings below


class WelcomeRuleQuerySet(models.QuerySet["WelcomeRule"]):
    def best_for(self, *, state: str, userid: str) -> "WelcomeRule | None":
        """The most exact active rule: channel and staff, channel, staff, default."""
        channel = Q(channel__isnull=True) | (Q(channel__state=state) if state else Q(pk__in=[]))
        staff = Q(staff__isnull=True) | Q(staff__userid=userid)
        return (
            self.filter(channel & staff, active=True)
            .order_by(F("channel").asc(nulls_last=True), F("staff").asc(nulls_last=True), "pk")
            .first()
        )

    def visible_to(self, user: User) -> "WelcomeRuleQuerySet":
        """Rules carry no personal data: whoever may log in sees them."""
        return self if user.is_active else self.none()


class WelcomeQuerySet(models.QuerySet["Welcome"]):
    def visible_to(self, user: User) -> "WelcomeQuerySet":
        if user.has_full_scope:
            return self
        return self.filter(userid__in=Staff.objects.visible_to(user).values("userid"))
