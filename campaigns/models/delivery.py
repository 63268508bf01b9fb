"""Deliveries: one recipient of one broadcast each, frozen when it is approved."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from campaigns.models.broadcast import Broadcast
from campaigns.models.dispatch import Dispatch
from campaigns.querysets import DeliveryQuerySet
from contacts.models import Customer, Staff
from groups.models import GroupChat
from scrm.base.partitions import Monthly

PARTITIONS = Monthly("campaigns_delivery", "plan_date")


class Delivery(models.Model):
    """A person or a chat in a broadcast's audience, with the reason where nothing will be sent.

    Partitioned by month of `plan_date`. Until its result is known a row says `planned`; that it is being sent, waits
    for the staff member or is unknown is said by its dispatch (`DeliveryQuerySet.with_progress`). `reach`: people
    reached, external members for a chat.
    """

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        EXCLUDED = "excluded", _("excluded")
        SENDING = "sending", _("being created")
        WAITING = "waiting", _("waits for the staff member")
        SENT = "sent", _("sent")
        NOT_FRIEND = "not_friend", _("not a friend any more")
        OVER_QUOTA = "over_quota", _("has received enough")
        REFUSED = "refused", _("refused by WeCom")
        UNCONFIRMED = "unconfirmed", _("not confirmed in time")
        CANCELLED = "cancelled", _("cancelled")
        UNKNOWN = "unknown", _("no answer")

    class Reason(models.TextChoices):
        """Why nothing was sent. Of several that hold the planner gives the first in this order."""

        UNKNOWN = "unknown", _("no such customer or chat in your scope")  # counted only, there is no row
        DUPLICATE = "duplicate", _("gets the same message already")
        DO_NOT_CONTACT = "do_not_contact", _("does not want to be contacted")
        LOST = "lost", _("no friend any more")
        DISMISSED = "dismissed", _("the chat was dismissed")
        HALF = "half", _("only half added")
        NO_STAFF = "no_staff", _("no staff member can send")
        RECEIVE_RULE = "receive_rule", _("has received as many as WeCom allows")
        CAP = "cap", _("has received as many as we allow")
        QUIET_HOURS = "quiet_hours", _("quiet hours")
        STAFF_LEFT = "staff_left", _("the staff member left after planning")
        NOT_TAKEN = "not_taken", _("WeCom did not take this recipient")
        REFUSED = "refused", _("WeCom refused the whole task")
        TOO_LATE = "too_late", _("could not be created before the deadline")
        BY_USER = "by_user", _("cancelled by a colleague")

    id = models.BigAutoField(primary_key=True)
    plan_date = models.DateField()
    broadcast = models.ForeignKey(Broadcast, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+")
    dispatch = models.ForeignKey(
        Dispatch, on_delete=models.DO_NOTHING, db_constraint=False, null=True, related_name="+"
    )
    staff = models.ForeignKey(Staff, on_delete=models.DO_NOTHING, db_constraint=False, null=True, related_name="+")
    customer = models.ForeignKey(
        Customer, on_delete=models.DO_NOTHING, db_constraint=False, null=True, related_name="+"
    )
    chat = models.ForeignKey(GroupChat, on_delete=models.DO_NOTHING, db_constraint=False, null=True, related_name="+")
    state = models.CharField(_("state"), max_length=11, choices=State, default=State.PLANNED)
    reason = models.CharField(_("reason"), max_length=14, choices=Reason, blank=True, default="")
    sent_at = models.DateTimeField(_("sent"), null=True)
    reach = models.PositiveIntegerField(_("people reached"), default=0)
    changed_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[DeliveryQuerySet] = DeliveryQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")

    def __str__(self) -> str:
        return f"{self.broadcast_id} → {self.customer_id or self.chat_id}"
