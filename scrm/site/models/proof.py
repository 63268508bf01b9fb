"""Files with which WeCom makes sure that a domain is ours."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class DomainProof(models.Model):
    """One `WW_verify_….txt`, served at the root of every address under which we are called."""

    name = models.CharField(_("file name"), max_length=80, unique=True)
    content = models.CharField(_("content"), max_length=200)
    kept_at = models.DateTimeField(auto_now=True)
    kept_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)

    class Meta:
        verbose_name = _("domain proof")
        verbose_name_plural = _("domain proofs")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
