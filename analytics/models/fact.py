"""Facts: one row per counted happening of a day, with its dimensions."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from scrm.base.partitions import Monthly

PARTITIONS = Monthly("analytics_fact", "day")


class Fact(models.Model):
    """A happening as the numbers count it. Partitioned by month of `day` (RunSQL in the first migration).

    Rows of one (stat, day) are replaced together by the fill engine. Persons are kept, so that any interval, channel,
    staff and department scope can be counted distinctly.
    """

    id = models.BigAutoField(primary_key=True)
    stat = models.CharField(max_length=24)
    day = models.DateField()  # company day
    at = models.DateTimeField()
    customer = models.ForeignKey(
        "contacts.Customer", on_delete=models.DO_NOTHING, db_constraint=False, null=True, related_name="+"
    )
    staff = models.ForeignKey(
        "contacts.Staff", on_delete=models.DO_NOTHING, db_constraint=False, null=True, related_name="+"
    )
    chat = models.ForeignKey(
        "groups.GroupChat", on_delete=models.DO_NOTHING, db_constraint=False, null=True, related_name="+"
    )
    state = models.CharField(max_length=128, blank=True, default="")  # channel
    detail = models.CharField(max_length=24, blank=True, default="")  # such as who ended a period
    value = models.BigIntegerField(default=1)  # 1, or milliseconds of a latency
    estimated = models.BooleanField(default=False)
    source_id = models.BigIntegerField(default=0)  # primary key of the ledger's row: Follow, Stay or Welcome

    class Meta:
        verbose_name = _("fact")
        verbose_name_plural = _("facts")

    def __str__(self) -> str:
        return f"{self.stat} {self.day}"


class FillState(models.Model):
    """How far a stat is filled: which ledger changes have been taken over."""

    stat = models.CharField(max_length=24, unique=True)
    filled_to = models.DateTimeField(null=True)  # `changed_at` up to which the ledger has been read
    filled_at = models.DateTimeField(null=True)
    definition = models.CharField(max_length=64, blank=True)  # hash of the stat's SQL: another one means refill

    def __str__(self) -> str:
        return self.stat
