"""What the app has to say to a member of staff: a row before it is attempted, sent once or not at all."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from contacts.querysets import NoticeQuerySet
from scrm.wecom.cards import TemplateCard, TextCard


class Notice(models.Model):
    """One message of our app to one member. `key` names what it is about: a second one of that key is not made."""

    WORK_SOURCE = "notice"

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("not sent")
        UNKNOWN = "unknown", _("no answer")  # may have arrived: never repeated, a second reminder is worse than none

    staff = models.ForeignKey("contacts.Staff", on_delete=models.CASCADE, verbose_name=_("staff member"))
    kind = models.CharField(_("kind"), max_length=20)
    key = models.CharField(_("about"), max_length=120)
    title = models.CharField(_("title"), max_length=128)
    description = models.CharField(_("text"), max_length=512, blank=True)
    url = models.CharField(_("address"), max_length=2048)
    button = models.CharField(_("button"), max_length=8, blank=True)
    rows = models.JSONField(_("rows"), default=list, blank=True)  # [[name, value], …] of a template card
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    error = models.CharField(_("reason"), max_length=300, blank=True)
    msgid = models.CharField(max_length=128, blank=True)
    created_at = models.DateTimeField(_("created"))  # domain time, as the next two
    send_before = models.DateTimeField(_("send before"))  # later it would be no help
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)  # accepted by the platform
    changed_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[NoticeQuerySet] = NoticeQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("message to staff")
        verbose_name_plural = _("messages to staff")
        constraints = [models.UniqueConstraint(fields=["key", "staff"], name="notice_once_per_key_and_staff")]
        indexes = [models.Index(fields=["changed_at"], name="notice_age")]  # pruning

    def __str__(self) -> str:
        return self.title

    def card(self) -> TextCard | TemplateCard:
        """What is sent."""
        if self.rows:
            rows = tuple((name, value) for name, value in self.rows)
            return TemplateCard(self.title, self.description, self.url, rows)
        return TextCard(self.title, self.description, self.url, self.button)
