"""The full sync as rows: a run, its steps (durable work), and which friendships it has seen."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class SyncRun(models.Model):
    """One reading of everything the platform shows us."""

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        HELD = "held", _("waits for a person")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    state = models.CharField(_("state"), max_length=8, choices=State, default=State.RUNNING)
    first = models.BooleanField(_("first sync"), default=False)
    started_at = models.DateTimeField(_("started"))  # domain time
    started_real_at = models.DateTimeField(db_default=Now())  # the database's clock
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)  # domain time
    finished_real_at = models.DateTimeField(null=True)  # the database's clock
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("started by")
    )
    planned = models.JSONField(default=list)  # kinds of steps that have been planned
    accepted = models.BooleanField(_("removals accepted"), default=False)
    api_calls = models.PositiveIntegerField(_("API calls"), default=0)
    counts = models.JSONField(_("read"), default=dict)  # {"staff": 12, "customers": 300, …}
    drift = models.JSONField(_("drift found and healed"), default=dict)  # {"follows_missing": 3, …}
    held = models.PositiveIntegerField(_("removals held"), default=0)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        verbose_name = _("sync")
        verbose_name_plural = _("syncs")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=models.Q(state="running"), name="sync_one_at_a_time"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.get_state_display()}"


class SyncStep(models.Model):
    """A restartable part of a run: where its paging stands and what it has found."""

    WORK_SOURCE = "sync_step"

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=20)  # departments | staff | tags | contacts | chat_list | chats | removals
    key = models.CharField(max_length=100, blank=True)  # such as the userid of a contacts step
    payload = models.JSONField(default=list)  # such as the chat ids of a chats step
    cursor = models.CharField(max_length=512, blank=True)
    pages = models.PositiveIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    api_calls = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)  # {"members": 180, …}
    drift = models.JSONField(default=dict)  # {"follows_missing": 3, …}
    absent = models.JSONField(default=list)  # what its reads lacked; the removals judge it when all is read
    started_at = models.DateTimeField(null=True)  # domain time at which its first read began
    finished_at = models.DateTimeField(null=True)  # domain time; with an error: given up
    error = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "kind", "key"], name="sync_step_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}".strip()


class SyncSeen(models.Model):
    """A friendship that a run has seen; emptied when the run ends."""

    id = models.BigAutoField(primary_key=True)
    run_id = models.BigIntegerField()
    staff_id = models.BigIntegerField()
    customer_id = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["run_id", "staff_id", "customer_id"], name="sync_seen")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.staff_id} {self.customer_id}"
