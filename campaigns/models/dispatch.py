"""Dispatches: one API call each, which makes one task for one staff member."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from campaigns.models.broadcast import Broadcast
from campaigns.querysets import DispatchQuerySet
from contacts.models import Staff


class Dispatch(models.Model):
    """A call that creates a task for `staff`. *sending* is committed before the call, *sent* with the msgid after it.

    A call without an answer is *unknown*: looked up on the platform before anything is sent again. *unread* is over
    without anybody knowing what became of it: the platform refuses to say, `error` tells why. The counts are cached from the deliveries by the verbs that write those. Times of the platform and of plans are domain time,
    `lost_at` is the database's clock.
    """

    WORK_SOURCE = "dispatch"

    class State(models.TextChoices):
        PLANNED = "planned", _("not created yet")
        SENDING = "sending", _("being created")
        UNKNOWN = "unknown", _("no answer, being looked up")
        SENT = "sent", _("waits for the staff member")
        CONFIRMED = "confirmed", _("confirmed")
        UNCONFIRMED = "unconfirmed", _("not confirmed in time")
        REFUSED = "refused", _("refused by WeCom")
        CANCELLED = "cancelled", _("cancelled")
        UNREAD = "unread", _("WeCom does not tell its result")

    broadcast = models.ForeignKey(
        Broadcast, on_delete=models.CASCADE, related_name="dispatches", verbose_name=_("broadcast")
    )
    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+", verbose_name=_("staff member"))
    number = models.PositiveIntegerField(_("part"))  # 0, 1, … of one staff member
    digest = models.CharField(max_length=64)
    recipients = models.PositiveIntegerField(_("recipients"))
    state = models.CharField(_("state"), max_length=11, choices=State, default=State.PLANNED, db_default=State.PLANNED)
    msgid = models.CharField(max_length=80, default="", db_default="")
    attempts = models.PositiveIntegerField(_("attempts"), default=0, db_default=0)
    attempted_at = models.DateTimeField(_("tried"), null=True)
    lost_at = models.DateTimeField(null=True)  # when the answer was missed
    looks = models.PositiveIntegerField(default=0, db_default=0)  # how often the platform was asked for the lost task
    sent_at = models.DateTimeField(_("created"), null=True)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)
    settled_at = models.DateTimeField(null=True)  # nothing will change any more
    cancel_asked_at = models.DateTimeField(null=True)  # taken back on the platform, answer or not
    polled_at = models.DateTimeField(_("results read"), null=True)
    error = models.CharField(_("error"), max_length=300, default="", db_default="")
    errcode = models.IntegerField(_("error code"), null=True)

    count_sent = models.PositiveIntegerField(default=0, db_default=0)
    count_not_friend = models.PositiveIntegerField(default=0, db_default=0)
    count_over_quota = models.PositiveIntegerField(default=0, db_default=0)
    count_refused = models.PositiveIntegerField(default=0, db_default=0)
    count_unconfirmed = models.PositiveIntegerField(default=0, db_default=0)
    count_cancelled = models.PositiveIntegerField(default=0, db_default=0)
    count_excluded = models.PositiveIntegerField(default=0, db_default=0)  # found unfit between plan and call
    reach = models.PositiveIntegerField(default=0, db_default=0)  # people reached (metrics.md group_reach)
    changed_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[DispatchQuerySet] = DispatchQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("dispatch")
        verbose_name_plural = _("dispatches")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["broadcast", "staff", "number"], name="dispatch_once_per_part"),
            # while the answer to a call is missing nobody may create a like task: the look-up could not tell them apart
            models.UniqueConstraint(
                fields=["staff", "digest"],
                condition=Q(state__in=["sending", "unknown"]),
                name="dispatch_one_open_per_content",
            ),
            models.UniqueConstraint(fields=["msgid"], condition=~Q(msgid=""), name="dispatch_once_per_msgid"),
        ]
        indexes = [
            models.Index(fields=["staff", "state"], name="dispatch_of_staff"),
            models.Index(fields=["sent_at"], name="dispatch_sent"),
            # few of all: what is to be created or waits is looked for all the time
            models.Index(
                fields=["state"], condition=Q(state__in=["planned", "sending", "unknown", "sent"]), name="dispatch_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.broadcast_id}/{self.staff_id}/{self.number}"

    @property
    def entity(self) -> str:
        return f"staff:{self.staff_id}"

    @property
    def userids(self) -> set[str]:
        """Under which the platform may tell of its staff member, renamed meanwhile or not."""
        return {self.staff.userid, *self.staff.former_userids}

    @property
    def open_count(self) -> int:
        """Recipients whose result is not known yet."""
        closed: int = sum(getattr(self, f"count_{state}") for state in FINAL_COUNTS)
        return max(0, self.recipients - closed)


FINAL_COUNTS = ("sent", "not_friend", "over_quota", "refused", "unconfirmed", "cancelled", "excluded")


class Reminder(models.Model):
    """One nudge of the platform to confirm a task: at most three in 24 hours (wecom-api.md §10.3, 41094)."""

    WORK_SOURCE = "reminder"

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        REFUSED = "refused", _("refused")
        UNKNOWN = "unknown", _("no answer, may have arrived")

    dispatch = models.ForeignKey(Dispatch, on_delete=models.CASCADE, related_name="reminders")
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField(_("asked"))  # domain time
    error = models.CharField(_("error"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.dispatch_id} {self.asked_at:%F %T}"
