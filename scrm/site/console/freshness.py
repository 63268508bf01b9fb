"""Up to when the data is current, and why a number may differ from WeCom's own console."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Max, Min
from django.utils.translation import gettext as _

from analytics.models import FillState
from contacts.models import SyncRun
from scrm.base import clock
from scrm.base.models import Work
from scrm.wecom.models import Callback

LATE_SECONDS = 120.0


@dataclass(frozen=True)
class Line:
    """One kind of data. `kind`: ok | warn | "" for the colour of `state`."""

    what: str
    to: dt.datetime | None
    state: str
    kind: str
    why: str
    real: bool = True  # of the machine's clock


def freshness() -> list[Line]:
    """One line for each kind of data that exists."""
    received = Callback.objects.aggregate(last=Max("received_at"))["last"]
    due = Work.objects.filter(
        lane__startswith="mirror:", state__in=[Work.State.WAITING, Work.State.LEASED], attempts=0
    ).aggregate(first=Min("not_before"))["first"]
    behind = (clock.real_now() - due).total_seconds() if due else 0.0
    synced = SyncRun.objects.filter(state=SyncRun.State.DONE).aggregate(last=Max("finished_at"))["last"]
    filled = FillState.objects.aggregate(first=Min("filled_at"))["first"]
    return [
        Line(
            _("Callbacks (adds, losses, joins, leaves)"),
            received,
            _("nothing came yet")
            if received is None
            else _("up to date")
            if behind < LATE_SECONDS
            else _("working them off"),
            "" if received is None else "ok" if behind < LATE_SECONDS else "warn",
            _(
                "WeCom keeps listing customers who deleted us; here they are lost from that moment. Handed-over customers count neither as added nor as lost."
            ),
        ),
        Line(
            _("Full sync (everything read again)"),
            synced,
            _("not done yet") if synced is None else _("every night"),
            "warn" if synced is None else "ok",
            _("Finds what events did not tell. What was before the first sync is known only from who was still there."),
            real=False,
        ),
        Line(
            _("Numbers (this page and the dashboard)"),
            filled,
            _("not counted yet") if filled is None else _("counted as it happens"),
            "" if filled is None else "ok",
            _("Own staff in chats are not counted; WeCom's statistics include them and are given the next morning."),
        ),
    ]
