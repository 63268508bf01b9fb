"""One call out to the platform: every failed one, and a sample of the good ones."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class ApiCall(models.Model):
    """A line of the call log. Holds no content, no secret and no personal data."""

    api = models.CharField(_("API"), max_length=80)
    at = models.DateTimeField(_("at"), db_default=Now())  # real time, the database's clock
    errcode = models.IntegerField(_("error code"), null=True, blank=True)  # 0 = success, null = no answer
    ms = models.PositiveIntegerField(_("milliseconds"))
    detail = models.CharField(_("detail"), max_length=300, blank=True)

    objects: ClassVar[models.Manager["ApiCall"]] = models.Manager()

    class Meta:
        verbose_name = _("API call")
        verbose_name_plural = _("API calls")
        ordering = ("-id",)
        indexes = (
            models.Index(fields=["at"], name="apicall_age"),  # pruning
            models.Index(fields=["api", "-id"], name="apicall_api"),  # console: the last calls of one API
        )

    def __str__(self) -> str:
        return f"{self.api} {self.errcode if self.errcode is not None else '–'} {self.ms} ms"
