"""Broadcasts (企业群发): what is to be said to whom. The platform sends nothing itself: staff members confirm."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from campaigns.models.welcome import fits_in_message
from campaigns.querysets import BroadcastQuerySet


class Broadcast(models.Model):
    """One message to a chosen audience. Its moves between states are verbs of `campaigns.sending.pace`.

    `audience` holds one of `external_userids` (list), `chat_ids` (list), `filter` (see `campaigns.sending.audience`).
    `excluded` ({reason: n}) and `planned` are frozen with the deliveries, `plan_date` names their partition.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        APPROVED = "approved", _("approved")
        PLANNED = "planned", _("planned")
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        DONE = "done", _("done")
        CANCELLED = "cancelled", _("cancelled")

    class To(models.TextChoices):
        CUSTOMERS = "single", _("customers")
        CHATS = "group", _("group chats")

    class StaffChoice(models.TextChoices):
        OWNER = "owner", _("the staff member who has known the customer longest")
        LATEST = "latest", _("the staff member who added the customer last")
        LEAST_LOADED = "least_loaded", _("the staff member with the fewest messages that day")

    name = models.CharField(_("name"), max_length=60)
    to = models.CharField(_("to"), max_length=6, choices=To)
    audience = models.JSONField(_("audience"))
    staff_choice = models.CharField(_("sent by"), max_length=12, choices=StaffChoice, default=StaffChoice.OWNER)
    text = models.TextField(_("text"), blank=True, validators=[fits_in_message])
    attachments = models.JSONField(_("attachments"), default=list, blank=True)  # the platform's objects
    digest = models.CharField(max_length=64)  # campaigns.sending.content.digest
    create_at = models.DateTimeField(_("tasks are created at"))  # domain time, as the two that follow
    confirm_by = models.DateTimeField(_("to be confirmed by"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    stop_reason = models.CharField(_("why it stopped"), max_length=300, blank=True)

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("created by")
    )  # whose scope the audience is taken from
    created_at = models.DateTimeField(_("created"))
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("approved by")
    )
    approved_at = models.DateTimeField(_("approved"), null=True)
    resumed_at = models.DateTimeField(null=True)  # the database's clock; failures before it were looked at by a person
    plan_date = models.DateField(null=True)
    planned = models.PositiveIntegerField(_("planned"), default=0)
    excluded = models.JSONField(_("excluded"), default=dict)
    finished_at = models.DateTimeField(_("finished"), null=True)
    changed_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[BroadcastQuerySet] = BroadcastQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("broadcast")
        verbose_name_plural = _("broadcasts")
        ordering = ["-id"]
        permissions = [("approve_broadcast", _("Can approve, pause and cancel broadcasts"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(confirm_by__gt=F("create_at")), name="broadcast_confirmed_after_creation"
            )
        ]
        indexes = [models.Index(fields=["digest", "create_at"], name="broadcast_content")]  # the same content again

    def __str__(self) -> str:
        return self.name

    @property
    def to_chats(self) -> bool:
        return self.to == self.To.CHATS

    @property
    def is_open(self) -> bool:
        """Whether anything of it may still be sent."""
        return self.state in OPEN_STATES


OPEN_STATES = (Broadcast.State.PLANNED, Broadcast.State.RUNNING, Broadcast.State.PAUSED)
