"""Who did what, when and from where: append-only."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditRecord(models.Model):
    """One deed of a person that somebody may have to answer for."""

    at = models.DateTimeField(_("at"), auto_now_add=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, verbose_name=_("user"))
    username = models.CharField(_("user name"), max_length=150, blank=True)  # outlives the user
    deed = models.CharField(_("deed"), max_length=60)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    detail = models.JSONField(_("detail"), default=dict)
    address = models.GenericIPAddressField(_("address"), null=True)

    class Meta:
        verbose_name = _("audit record")
        verbose_name_plural = _("audit trail")
        ordering = ["-id"]
        indexes = [models.Index(fields=["at"], name="audit_age")]

    def __str__(self) -> str:
        return f"{self.username} {self.deed} {self.subject}"
