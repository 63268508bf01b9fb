"""The follow ledger: who was whose friend, from when to when, and how we know."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from contacts.models.customer import Customer
from contacts.models.staff import Staff
from contacts.querysets import FollowQuerySet


class Follow(models.Model):
    """One period of friendship between a staff member and a customer. A re-add is a new row.

    Presence in a list or a detail never reopens a period: the platform keeps listing customers who deleted us.
    """

    class EndedBy(models.TextChoices):
        CUSTOMER = "customer", _("customer")
        STAFF = "staff", _("staff member")
        TRANSFER = "transfer", _("hand-over")
        STAFF_LEFT = "staff_left", _("staff member left")

    class KnownBy(models.TextChoices):
        EVENT = "event", _("event")
        READ = "read", _("read")
        SYNC = "sync", _("sync")
        SEND_RESULT = "send_result", _("send result")
        HISTORY = "history", _("history")

    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="follows", verbose_name=_("staff member"))
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="follows", db_index=False, verbose_name=_("customer")
    )  # follow_of_customer begins with it
    added_at = models.DateTimeField(_("added"))
    added_known_by = models.CharField(max_length=12, choices=KnownBy, default=KnownBy.EVENT)
    listed_at = models.DateTimeField(null=True)  # createtime of the platform's list: its own date for the start
    by_transfer = models.BooleanField(_("by hand-over"), default=False)  # add_way 201/202: no add in any number
    half = models.BooleanField(_("half added"), default=False)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_by = models.CharField(_("ended by"), max_length=10, choices=EndedBy, blank=True)
    ended_known_by = models.CharField(max_length=12, choices=KnownBy, blank=True)

    add_way = models.IntegerField(_("way of adding"), null=True)  # the platform's integer, also unknown ones
    state = models.CharField(_("state"), max_length=128, blank=True)
    oper_userid = models.CharField(max_length=64, blank=True)
    remark = models.CharField(_("remark"), max_length=256, blank=True)
    description = models.TextField(_("description"), blank=True)
    tag_ids = ArrayField(models.CharField(max_length=64), default=list, blank=True, verbose_name=_("tags"))
    changed_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[FollowQuerySet] = FollowQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("follow")
        verbose_name_plural = _("follows")
        constraints = [
            models.UniqueConstraint(
                fields=["staff", "customer"], condition=Q(ended_at__isnull=True), name="follow_one_open_period"
            ),
            models.UniqueConstraint(fields=["staff", "customer", "added_at"], name="follow_once_per_start"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by="") | Q(ended_at__gte=F("added_at")) & ~Q(ended_by=""),
                name="follow_ends_after_it_began",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-added_at"], include=["ended_at", "staff"], name="follow_of_customer"),
            models.Index(fields=["added_at"], name="follow_added"),  # adds of a day
            models.Index(
                fields=["ended_at"], name="follow_ended", condition=Q(ended_at__isnull=False)
            ),  # losses of a day
            models.Index(fields=["changed_at"], name="follow_changed"),  # which days are dirty
            models.Index(fields=["state", "added_at"], name="follow_state"),
            GinIndex(fields=["tag_ids"], name="follow_tags"),
        ]

    def __str__(self) -> str:
        return f"{self.staff_id} → {self.customer_id}"


class FollowEvidence(models.Model):
    """What an event said about a friendship. Rows are only added; the periods are computed from all of them."""

    class Kind(models.TextChoices):
        ADDED = "added", _("added")
        HALF_ADDED = "half_added", _("half added")
        ENDED = "ended", _("ended")

    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="evidence")
    kind = models.CharField(max_length=12, choices=Kind)
    at = models.DateTimeField()
    ended_by = models.CharField(max_length=10, choices=Follow.EndedBy, blank=True)
    known_by = models.CharField(max_length=12, choices=Follow.KnownBy, default=Follow.KnownBy.EVENT)
    state = models.CharField(max_length=128, blank=True)
    callback_id = models.BigIntegerField(null=True)  # no foreign key: raw callbacks are pruned earlier

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["staff", "customer", "kind", "at", "ended_by"], name="follow_evidence_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%F %T}"
