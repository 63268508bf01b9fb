"""Nudging staff who have not confirmed: at most three times in 24 hours for each task (wecom-api.md §10.3)."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from campaigns.models import Dispatch, Reminder
from scrm.base import audit, clock
from scrm.base.failpoints import failpoint
from scrm.base.models import User
from scrm.base.work import Claim, enqueue, lane
from scrm.wecom import errors
from scrm.wecom.api import messages as api

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


def remind(dispatches: Iterable[Dispatch], user: User) -> Asked:
    """Writes the reminders; the lane sends them."""
    reminded = too_often = not_waiting = 0
    with transaction.atomic():
        ids = [row.pk for row in dispatches]
        for dispatch in Dispatch.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"):
            if dispatch.state != Dispatch.State.SENT:
                not_waiting += 1
            elif left_today(dispatch) <= 0:
                too_often += 1
            else:
                row = Reminder.objects.create(dispatch=dispatch, asked_by=user, asked_at=clock.now())
                enqueue(Reminder.WORK_SOURCE, row.pk, LANE, f"dispatch:{dispatch.pk}")
                reminded += 1
        if reminded:
            audit.record("broadcast.remind", user=user, subject=f"{reminded}", dispatches=ids[:1000])
    return Asked(reminded, too_often, not_waiting)


def left_today(dispatch: Dispatch) -> int:
    """How many reminders the task may still get now. One that got no answer counts: it may have been sent."""
    recent = dispatch.reminders.filter(asked_at__gt=clock.now() - WINDOW).exclude(state=State.REFUSED)
    return max(0, MOST - recent.count())


@lane(LANE, queue="sending", threads=2, lease=30)
def send(claim: Claim) -> None:
    """Sends each reminder once: a second nudge is worse than a lost one."""
    for reminder in Reminder.objects.select_related("dispatch").filter(pk__in=claim.source_ids(Reminder.WORK_SOURCE)):
        if reminder.state != State.WAITING:
            continue
        if reminder.dispatch.state != Dispatch.State.SENT:
            _record(claim, reminder, State.REFUSED, "confirmed meanwhile")
            continue
        _record(claim, reminder, State.UNKNOWN, "")
        failpoint("remind.written")
        try:
            api.remind(reminder.dispatch.msgid)
        except (errors.WecomError, errors.ConfigurationError) as error:
            maybe = getattr(error, "maybe_done", False)
            _record(claim, reminder, State.UNKNOWN if maybe else State.REFUSED, str(error))
        else:
            _record(claim, reminder, State.SENT, "")


def _record(claim: Claim, reminder: Reminder, state: State, error: str) -> None:
    with claim.writing():
        Reminder.objects.filter(pk=reminder.pk).update(state=state, error=error[:300])
