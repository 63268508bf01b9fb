"""What the doctor found."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Finding(models.Model):
    """The last trial of one check (`scrm.site.doctor`): what was found, and where to mend it."""

    class State(models.TextChoices):
        OK = "ok", _("in order")
        WARNING = "warning", _("look at this")
        FAILED = "failed", _("to be mended")
        UNKNOWN = "unknown", _("could not be read")
        SKIPPED = "skipped", _("not tried")

    name = models.CharField(max_length=40, unique=True)
    state = models.CharField(max_length=8, choices=State)
    words = models.TextField()  # in the language of who tried it
    place = models.CharField(max_length=300, blank=True)
    code = models.IntegerField(null=True)  # the platform's errcode
    milliseconds = models.PositiveIntegerField(default=0)
    tried_at = models.DateTimeField(db_default=Now())
    tried_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)  # None: the command

    class Meta:
        verbose_name = _("finding of the doctor")
        verbose_name_plural = _("findings of the doctor")

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"
