"""The red button."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from scrm.wecom.querysets import StopQuerySet


class Stop(models.Model):
    """One time that somebody stopped everything a customer could notice. The open one, of which there is at most one,
    holds all processes at once; the settings of none have to change."""

    pressed_at = models.DateTimeField(_("pressed"), db_default=Now())
    pressed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("pressed by")
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    released_at = models.DateTimeField(_("released"), null=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("released by")
    )

    objects: ClassVar[StopQuerySet] = StopQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("stop")
        verbose_name_plural = _("stops")
        constraints = [
            # at most one is open; the index is also what each outgoing call looks into
            models.UniqueConstraint(
                fields=["released_at"],
                condition=Q(released_at__isnull=True),
                nulls_distinct=False,
                name="stop_open_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pressed_by or '–'} {self.reason}"
