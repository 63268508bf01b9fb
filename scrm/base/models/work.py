"""Durable work: what must be done is a row before it is attempted (see scrm.base.work)."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Work(models.Model):
    """One thing that one lane has to do for one source row.

    No foreign key to the source: a source is a callback, an announcement or a sync step, named by kind and id.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        LEASED = "leased", _("in hand")
        DONE = "done", _("done")
        QUARANTINED = "quarantined", _("failed")
        IGNORED = "ignored", _("ignored")

    source_kind = models.CharField(_("source"), max_length=20)
    source_id = models.BigIntegerField(_("source id"))
    lane = models.CharField(_("lane"), max_length=40)
    entity = models.CharField(_("entity"), max_length=160)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.WAITING, db_default=State.WAITING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0, db_default=0)
    lease_until = models.DateTimeField(_("lease until"), null=True)
    holder = models.CharField(_("holder"), max_length=40, default="", db_default="")
    not_before = models.DateTimeField(_("not before"), db_default=Now())
    error = models.TextField(_("error"), default="", db_default="")
    created_at = models.DateTimeField(_("created"), db_default=Now())  # first written, or opened again
    settled_at = models.DateTimeField(_("settled"), null=True)

    class Meta:
        verbose_name = _("work")
        verbose_name_plural = _("work")
        constraints = [
            models.UniqueConstraint(fields=["source_kind", "source_id", "lane"], name="work_once_per_source_and_lane"),
        ]
        indexes = [
            # claiming: the oldest due work of a lane
            models.Index(fields=["lane", "not_before"], name="work_waiting", condition=Q(state="waiting")),
            # claiming: is the pair in live hands; which leases have ended
            models.Index(
                fields=["lane", "entity"], name="work_open_entity", condition=Q(state__in=["waiting", "leased"])
            ),
            models.Index(fields=["lease_until"], name="work_leased", condition=Q(state="leased")),
            # console: what failed
            models.Index(fields=["lane", "id"], name="work_failed", condition=Q(state="quarantined")),
            # console: what nobody had to do anything about, few of all
            models.Index(
                fields=["-id"], include=["source_kind", "source_id"], name="work_ignored", condition=Q(state="ignored")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lane} {self.entity}"


class Heartbeat(models.Model):
    """A worker process that was seen; a queue without one is an alarm."""

    queue = models.CharField(max_length=40)
    worker = models.CharField(max_length=120)
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "worker"], name="heartbeat_once_per_queue_and_worker")]

    def __str__(self) -> str:
        return f"{self.queue} {self.worker}"
