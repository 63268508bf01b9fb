"""Since when the corp is connected: earlier days are known only from who was still there (platform.md 37)."""

import datetime as dt

from contacts.models import SyncRun
from scrm.wecom.models import Callback


def connected_at() -> dt.datetime | None:
    """Domain time at which the first sync began or the first callback came in; None before either.

    What happened earlier was not seen by us.
    """
    sync = SyncRun.objects.order_by("started_at").values_list("started_at", flat=True).first()
    callback = Callback.objects.order_by("received_at").values_list("received_domain_at", flat=True).first()
    return min((moment for moment in (sync, callback) if moment is not None), default=None)
