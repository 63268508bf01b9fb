"""Phrases about people. Every list that a user sees goes through `visible_to(user)`."""

from typing import TYPE_CHECKING

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery

from contacts.search import grams
from scrm.base.models import User

if TYPE_CHECKING:
    from contacts.models import Channel, Customer, Department, Follow, Notice, Staff  # noqa: F401  named in strings below


class DepartmentQuerySet(models.QuerySet["Department"]):
    def present(self) -> "DepartmentQuerySet":
        return self.filter(deleted_at__isnull=True)

    def visible_to(self, user: User) -> "DepartmentQuerySet":
        """Departments of the user's scope, children included. One that was deleted opens nothing any more."""
        if user.has_full_scope:
            return self
        if not (user.is_active and user.department_ids):
            return self.none()
        roots = self.model.objects.present().filter(pk__in=user.department_ids)
        return self.filter(path__overlap=ArraySubquery(roots.values("pk")))


class StaffQuerySet(models.QuerySet["Staff"]):
    def present(self) -> "StaffQuerySet":
        """Not left."""
        return self.filter(left_at__isnull=True)

    def at_work(self) -> "StaffQuerySet":
        """Active in the address book: may sign in and be written to."""
        return self.present().filter(status=1)

    def able_to_send(self) -> "StaffQuerySet":
        """Who can confirm a broadcast: present, activated, with the customer-contact function.

        Of the function only a full sync tells; who got a friend since the last one began has it too.
        """
        from django.apps import apps

        synced = apps.get_model("contacts", "SyncRun").objects.filter(state="done").order_by("-started_at")
        friends = apps.get_model("contacts", "Follow").objects.open().filter(staff=OuterRef("pk"))
        newer = friends.filter(added_at__gt=Subquery(synced.values("started_at")[:1]))
        proven = Q(serves_customers=True) | ~Exists(synced) | Exists(newer)
        return self.present().exclude(status__in=[2, 4, 5]).filter(proven)

    def counted(self) -> "StaffQuerySet":
        """Those whose customers count in numbers (no persona accounts)."""
        return self.filter(is_persona=False)

    def visible_to(self, user: User) -> "StaffQuerySet":
        """Members of a department in the user's scope, and the user's own WeCom account."""
        if user.has_full_scope:
            return self
        if not user.is_active:
            return self.none()
        from django.apps import apps

        departments = apps.get_model("contacts", "Department").objects.visible_to(user)
        own = Q(userid=user.wecom_userid) if user.wecom_userid else Q(pk__in=[])
        return self.filter(own | Q(department_ids__overlap=ArraySubquery(departments.values("pk"))))


class NoticeQuerySet(models.QuerySet["Notice"]):
    def visible_to(self, user: User) -> "NoticeQuerySet":
        """Messages to members in the user's sight."""
        if user.has_full_scope:
            return self
        from django.apps import apps

        return self.filter(staff__in=apps.get_model("contacts", "Staff").objects.visible_to(user))


class ChannelQuerySet(models.QuerySet["Channel"]):
    def visible_to(self, user: User) -> "ChannelQuerySet":
        """Channels carry no personal data: whoever may log in sees them."""
        return self if user.is_active else self.none()


class FollowQuerySet(models.QuerySet["Follow"]):
    def open(self) -> "FollowQuerySet":
        return self.filter(ended_at__isnull=True)

    def counted(self) -> "FollowQuerySet":
        """Without persona accounts."""
        return self.filter(staff__is_persona=False)

    def adds(self) -> "FollowQuerySet":
        """Periods that began by somebody adding somebody: no hand-over (metrics.md `adds`)."""
        return self.counted().filter(by_transfer=False)

    def losses(self) -> "FollowQuerySet":
        """Periods that the customer or the staff member ended (metrics.md `losses`)."""
        return self.counted().filter(ended_by__in=["customer", "staff"])

    def visible_to(self, user: User) -> "FollowQuerySet":
        """Periods with staff in the user's scope, who are looked up here: with their keys in hand the database knows how
        many of 300,000 periods are theirs, and finds them in an index."""
        if user.has_full_scope:
            return self
        from django.apps import apps

        staff = apps.get_model("contacts", "Staff").objects.visible_to(user).order_by("pk")
        return self.filter(staff__in=list(staff.values_list("pk", flat=True)))


class CustomerQuerySet(models.QuerySet["Customer"]):
    def added(self) -> "CustomerQuerySet":
        """Persons with at least one period of friendship: customers; the others are strangers in chats."""
        return self.filter(first_added_at__isnull=False)

    def lost(self) -> "CustomerQuerySet":
        return self.filter(lost_at__isnull=False)

    def kept(self) -> "CustomerQuerySet":
        """With an open period."""
        return self.filter(open_follows__gt=0)

    def of_channel(self, state: str) -> "CustomerQuerySet":
        """Persons whose first period came through the channel."""
        return self.filter(first_state=state, first_added_at__isnull=False)

    def named_like(self, text: str) -> "CustomerQuerySet":
        """Name contains `text` (Chinese, pinyin or initials), or the id equals it."""
        words = grams(text)
        return (
            self.filter(Q(external_userid=text) | Q(search__contains=words))
            if words
            else self.filter(external_userid=text)
        )

    def visible_to(self, user: User) -> "CustomerQuerySet":
        """Persons with a period, open or ended, with a staff member in the user's scope."""
        if user.has_full_scope:
            return self
        from django.apps import apps

        follows = apps.get_model("contacts", "Follow").objects.visible_to(user).filter(customer=OuterRef("pk"))
        return self.filter(Exists(follows))
