"""Since when the corp is connected: earlier days are known only from who was still there (platform.md 37)."""

import datetime as dt

from contacts.models import SyncRun


def connected_at() -> dt.datetime | None:
    """Domain time at which the first sync began; None before any. What happened earlier was not seen by us."""
    return SyncRun.objects.order_by("started_at").values_list("started_at", flat=True).first()
