"""Rhythms that must beat once: whoever writes the row does the work."""

from django.db import models


class Slot(models.Model):
    """One company day's turn of something nightly."""

    name = models.CharField(max_length=40)
    day = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "day"], name="slot_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.day}"
