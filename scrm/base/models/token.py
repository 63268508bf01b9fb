"""API tokens: only a hash is stored; the text is shown once."""

import hashlib
import secrets

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


def digest(text: str) -> str:
    """SHA-256 in hex: enough for a random token of 256 bits."""
    return hashlib.sha256(text.encode()).hexdigest()


class ApiToken(models.Model):
    """A key with which an integrator's program speaks for a user, within a scope."""

    class Scope(models.TextChoices):
        READ = "read", _("read")
        WRITE = "write", _("read and write")
        ADMIN = "admin", _("administer")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens", verbose_name=_("user")
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(_("begins with"), max_length=12)
    scope = models.CharField(_("scope"), max_length=8, choices=Scope, default=Scope.READ)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return f"{self.hint}…"

    @classmethod
    def issue(cls, user: "settings.AUTH_USER_MODEL", scope: str = "read") -> str:  # type: ignore[name-defined]
        """Makes a token for `user` and returns its text, the only time that it can be read."""
        text = f"scrm_{secrets.token_urlsafe(32)}"
        cls.objects.create(user=user, digest=digest(text), hint=text[:10], scope=scope)
        return text
