"""What an app says has happened; lanes of higher apps take it from here."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Source(models.TextChoices):
    """Where a happening was learnt. Only live ones may cause a message to anybody."""

    CALLBACK = "callback", _("callback")
    API = "api", _("API")
    PAGE = "page", _("page")
    CONSOLE = "console", _("console")
    RULE = "rule", _("rule")
    SYNC = "sync", _("sync")
    FIRST_SYNC = "first_sync", _("first sync")
    IMPORT = "import", _("import")
    HISTORY = "history", _("history")

    @property
    def live(self) -> bool:
        return self in {Source.CALLBACK, Source.API, Source.PAGE, Source.CONSOLE, Source.RULE}


class Announcement(models.Model):
    """One happening: its kind, its subject (an entity such as `contact:wm…`) and details for the subscribers."""

    kind = models.CharField(max_length=40)
    entity = models.CharField(max_length=128)
    source = models.CharField(max_length=12, choices=Source)
    detail = models.JSONField(default=dict)
    happened_at = models.DateTimeField()
    announced_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        indexes = [models.Index(fields=["announced_at"], name="announcement_age")]  # pruning

    def __str__(self) -> str:
        return f"{self.kind} {self.entity}"
