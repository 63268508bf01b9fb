"""Fences of reads: a read of the platform that began before the last applied one of the same thing is not applied.

A row that is read holds the start of its last applied read in `read_at`, by the database's clock.
"""

import datetime as dt
from typing import Protocol

from django.db.models import Q


class Readable(Protocol):
    """A row with a fence."""

    read_at: dt.datetime | None


def is_late(row: Readable, started_at: dt.datetime) -> bool:
    """Whether a read that began at `started_at` comes too late: one that began then or later has been applied."""
    return row.read_at is not None and started_at <= row.read_at


def open_to(started_at: dt.datetime) -> Q:
    """Rows to which a read that began at `started_at` may be applied."""
    return Q(read_at=None) | Q(read_at__lt=started_at)
