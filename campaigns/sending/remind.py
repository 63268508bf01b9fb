"""Nudging staff who have not confirmed: at most three times in 24 hours for each task (wecom-api.md §10.3)."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest
from django.utils.translation import gettext as _

from campaigns.models import OPEN_STATES, Dispatch, Reminder
from scrm.base import audit, clock
from scrm.base.failpoints import failpoint
from scrm.base.models import User
from scrm.base.work import Claim, enqueue, lane
from scrm.wecom import errors
from scrm.wecom.api import messages as api
from scrm.wecom.brake import SendingStopped

LANE = "remind"
MOST = 3
WINDOW = dt.timedelta(hours=24)

State = Reminder.State


@dataclass(frozen=True)
class Asked:
    """How many tasks will be reminded of, how many had their three reminders, how many need none."""

    reminded: int
    too_often: int
    not_waiting: int


def remind(dispatches: Iterable[Dispatch], user: User, request: HttpRequest | None = None) -> Asked:
    """Writes the reminders; the lane sends them. `request`: whose address is noted."""
    reminded = too_often = not_waiting = 0
    with transaction.atomic():
        ids = [row.pk for row in dispatches]
        rows = Dispatch.objects.with_broadcast().select_for_update(no_key=True, of=("self",))
        asked: list[Dispatch] = list(rows.filter(pk__in=ids).order_by("pk"))
        had = used(asked)  # behind the locks: of two who press at once the second counts the first
        for dispatch in asked:
            if not _waits(dispatch):
                not_waiting += 1
            elif had.get(dispatch.pk, 0) >= MOST:
                too_often += 1
            else:
                row = Reminder.objects.create(dispatch=dispatch, asked_by=user, asked_at=clock.now())
                enqueue(Reminder.WORK_SOURCE, row.pk, LANE, f"dispatch:{dispatch.pk}")
                reminded += 1
        if reminded:
            audit.record("broadcast.remind", user=user, subject=f"{reminded}", request=request, dispatches=ids[:1000])
    return Asked(reminded, too_often, not_waiting)


def _waits(dispatch: Dispatch) -> bool:
    """Whether there is something to confirm, and still will be: cancelled tasks are being taken back."""
    return dispatch.state == Dispatch.State.SENT and dispatch.broadcast.state in OPEN_STATES


def used(dispatches: Iterable[Dispatch]) -> dict[int, int]:
    """How many of its MOST reminders each task has had in the WINDOW; none: not there. One that got no answer counts: it
    may have been sent."""
    recent = Reminder.objects.filter(dispatch__in=dispatches, asked_at__gt=clock.now() - WINDOW)
    counted = recent.exclude(state=State.REFUSED).order_by()
    return dict(counted.values_list("dispatch").annotate(Count("pk")))


@lane(LANE, queue="sending", threads=2, lease=30)
def send(claim: Claim) -> None:
    """Sends each reminder once: a second nudge is worse than a lost one."""
    reminders = Reminder.objects.select_related("dispatch__broadcast").defer("dispatch__broadcast__audience")
    for reminder in reminders.filter(pk__in=claim.source_ids(Reminder.WORK_SOURCE)):
        if reminder.state != State.WAITING:
            continue
        if not _waits(reminder.dispatch):
            _record(claim, reminder, State.REFUSED, "confirmed or cancelled meanwhile")
            continue
        _record(claim, reminder, State.UNKNOWN, "")
        failpoint("remind.written")
        outcome = _nudge(reminder)
        failpoint("remind.called")
        _record(claim, reminder, *outcome)
        failpoint("remind.recorded")


def _nudge(reminder: Reminder) -> tuple[State, str]:
    """The state that one call brings, and the error."""
    try:
        api.remind(reminder.dispatch.msgid)
    except SendingStopped as stopped:
        return State.REFUSED, _("The brake was on (%(held_by)s).") % {"held_by": stopped.held_by}
    except (errors.WecomError, errors.ConfigurationError) as error:
        return State.UNKNOWN if getattr(error, "maybe_done", False) else State.REFUSED, str(error)
    return State.SENT, ""


def _record(claim: Claim, reminder: Reminder, state: State, error: str) -> None:
    with claim.writing():
        Reminder.objects.filter(pk=reminder.pk).update(state=state, error=error[:300])
