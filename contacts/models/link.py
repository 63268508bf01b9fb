"""Signed links that members of staff have opened."""

from django.db import models
from django.db.models.functions import Now


class OpenedLink(models.Model):
    """The browser that opened a link first; no other may use it (platform.md 31). Kept for as long as links work."""

    digest = models.BinaryField(max_length=32, unique=True)  # SHA-256 of the link's key
    device = models.CharField(max_length=32)  # of the browser's cookie
    opened_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["opened_at"], name="openedlink_age")]  # pruning

    def __str__(self) -> str:
        return f"{bytes(self.digest).hex()[:8]}…"
