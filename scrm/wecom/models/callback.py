"""The inbox: each callback of the platform, stored before it is answered."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from scrm.wecom.querysets import CallbackQuerySet


class Callback(models.Model):
    """One event as it came in. The row is written once; only the repeat counter rises.

    How far it is handled stands on its Work rows (source kind `callback`).
    """

    WORK_SOURCE = "callback"

    digest = models.BinaryField(max_length=32, unique=True, editable=False)  # SHA-256 of the decrypted body
    app = models.CharField(_("app"), max_length=20, default="customer")
    received_at = models.DateTimeField(_("received"), db_default=Now())  # real time, the database's clock
    received_domain_at = models.DateTimeField(_("received, domain time"))
    happened_at = models.DateTimeField(_("happened"), null=True)  # CreateTime: domain time
    event = models.CharField(_("event"), max_length=40, blank=True)
    change_type = models.CharField(_("change"), max_length=40, blank=True)
    entity = models.CharField(_("entity"), max_length=160, blank=True)
    welcome_code = models.CharField(max_length=200, blank=True)
    raw = models.TextField(_("raw text"))
    repeats = models.PositiveIntegerField(_("repeats"), default=0, db_default=0)
    repeated_at = models.DateTimeField(_("last repeat"), null=True)

    objects: ClassVar[CallbackQuerySet] = CallbackQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("callback")
        verbose_name_plural = _("callbacks")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["received_at"], name="callback_age"),  # pruning, "last event of a kind"
            models.Index(fields=["entity", "-id"], name="callback_entity"),  # what came in about one customer or chat
            models.Index(fields=["event", "change_type", "-id"], name="callback_kind"),  # console filter
        ]

    def __str__(self) -> str:
        return f"{self.event}/{self.change_type} {self.entity}"
