"""The membership ledger: one row per stay."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from contacts.models import Customer, Staff
from groups.models.chat import GroupChat
from groups.querysets import StayQuerySet


class Stay(models.Model):
    """One person's time in a chat, from joining to leaving. A rejoin is a new row.

    Exactly one of `customer` (external persons, strangers too) and `staff` is set.
    """

    class KnownBy(models.TextChoices):
        EVENT = "event", _("event")
        DIFF = "diff", _("comparison")
        SYNC = "sync", _("sync")
        DISMISSED = "dismissed", _("chat dismissed")
        FIRST_READ = "first_read", _("first read")
        HISTORY = "history", _("history")

    chat = models.ForeignKey(GroupChat, on_delete=models.CASCADE, related_name="stays", verbose_name=_("group chat"))
    member_id = models.CharField(max_length=64)  # external_userid or userid
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, null=True, related_name="stays", db_index=False, verbose_name=_("customer")
    )  # stay_of_customer begins with it
    staff = models.ForeignKey(
        Staff, on_delete=models.PROTECT, null=True, related_name="stays", verbose_name=_("staff member")
    )
    joined_at = models.DateTimeField(_("joined"))
    joined_known_by = models.CharField(max_length=10, choices=KnownBy)
    read_joined_at = models.DateTimeField(null=True)  # join_time of the platform's list, the stay's name to it
    # False: was there when the chat was first read, which is no join in any number
    counted = models.BooleanField(default=True)
    left_at = models.DateTimeField(_("left"), null=True, blank=True)
    left_known_by = models.CharField(_("known by"), max_length=10, choices=KnownBy, blank=True)
    left_after = models.DateTimeField(null=True)  # last proof of presence: a leave found by comparison came after it
    join_scene = models.IntegerField(_("way of joining"), null=True)  # the platform's integer, also unknown ones
    quit_scene = models.IntegerField(_("way of leaving"), null=True)  # 0 left, 1 removed
    invited_by = models.CharField(_("invited by"), max_length=64, blank=True)
    state = models.CharField(_("state"), max_length=64, blank=True)
    nickname = models.CharField(_("nickname"), max_length=128, blank=True)
    changed_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[StayQuerySet] = StayQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("stay")
        verbose_name_plural = _("stays")
        constraints = [
            models.UniqueConstraint(
                fields=["chat", "member_id"], condition=Q(left_at__isnull=True), name="stay_one_open"
            ),
            models.UniqueConstraint(fields=["chat", "member_id", "joined_at"], name="stay_once_per_start"),
            models.CheckConstraint(
                condition=Q(customer__isnull=False, staff__isnull=True) | Q(customer__isnull=True, staff__isnull=False),
                name="stay_of_customer_or_staff",
            ),
            models.CheckConstraint(
                condition=Q(left_at__isnull=True, left_known_by="")
                | Q(left_at__gte=F("joined_at")) & ~Q(left_known_by=""),
                name="stay_ends_after_it_began",
            ),
        ]
        indexes = [
            models.Index(
                fields=["customer", "joined_at"], include=["left_at", "chat", "counted"], name="stay_of_customer"
            ),
            models.Index(fields=["chat", "-joined_at", "-id"], name="stay_of_chat"),
            models.Index(fields=["joined_at"], name="stay_joined"),
            models.Index(fields=["left_at"], name="stay_left", condition=Q(left_at__isnull=False)),
            models.Index(fields=["changed_at"], name="stay_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} @ {self.chat_id}"


class StayEvidence(models.Model):
    """What an event said about a membership. Rows are only added; the stays are computed from all of them."""

    class Kind(models.TextChoices):
        JOINED = "joined", _("joined")
        LEFT = "left", _("left")

    chat = models.ForeignKey(GroupChat, on_delete=models.CASCADE, related_name="evidence")
    member_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=8, choices=Kind)
    at = models.DateTimeField()
    scene = models.IntegerField(null=True)  # JoinScene or QuitScene
    version = models.CharField(max_length=64, blank=True)  # CurMemVer of the event
    callback_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chat", "member_id", "kind", "at"], name="stay_evidence_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.member_id} {self.at:%F %T}"
