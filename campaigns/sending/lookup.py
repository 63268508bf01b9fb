"""Looking for a task whose answer was lost: found, it is adopted; surely absent, it is created anew."""

import datetime as dt

from django.conf import settings
from django.db.models.functions import Now

from campaigns.models import Dispatch
from campaigns.sending import booking, content
from scrm.base import clock
from scrm.base.failpoints import failpoint
from scrm.base.models import Work
from scrm.base.work import Claim
from scrm.wecom import errors
from scrm.wecom.api import messages as api
from scrm.wecom.schemas import MessageRecord, MessageTask

AWAY_SECONDS = 5.0  # also after 41063: there is something, but not yet to be read
GIVE_UP_AFTER = dt.timedelta(hours=48)  # after the deadline
PERMANENT_SECONDS = 60.0  # a person must see to it; nothing is created again meanwhile


def look(claim: Claim, work: Work, dispatch: Dispatch) -> None:
    """One look at the platform's list. Until all of SEND_LOOKUP_DELAYS have passed an absent task may still appear."""
    try:
        record = _find(dispatch)
    except (errors.WecomError, errors.ConfigurationError) as error:
        _not_looked(claim, work, dispatch, error)
        return
    failpoint("send.looked")
    if record is not None:
        booking.accept(claim, work, dispatch, MessageTask(record.msgid, ()), record.created_at or clock.now())
    else:
        _not_found(claim, work, dispatch)


def _not_looked(
    claim: Claim, work: Work, dispatch: Dispatch, error: errors.WecomError | errors.ConfigurationError
) -> None:
    """Nothing is created again before the list was read. After the deadline nothing would be: a refusal is then final,
    and so is a platform that fails for days."""
    late = clock.now() - dispatch.broadcast.confirm_by
    if late >= GIVE_UP_AFTER or (error.permanent and late >= dt.timedelta()):
        booking.leave_unread(claim, work, dispatch, str(error))
    else:
        claim.again(PERMANENT_SECONDS if error.permanent else AWAY_SECONDS, [work], reason=str(error))


def _find(dispatch: Dispatch) -> MessageRecord | None:
    """The one task of this sender with this content that none of our dispatches has. It is the only one possible: no
    equal task is created while this one is open."""
    broadcast = dispatch.broadcast
    tried = dispatch.attempted_at or clock.now()
    for record in api.find_records(broadcast.to, tried - clock.MOST_SKEW, clock.now() + clock.MOST_SKEW):
        if not content.looks_like(broadcast.text, broadcast.attachments, record.text, record.attachments):
            continue
        if Dispatch.objects.filter(msgid=record.msgid).exists():
            continue
        tasks = api.fetch_tasks(record.msgid)
        if len(tasks) == 1 and tasks[0].userid in dispatch.userids:
            return record
    return None


def _not_found(claim: Claim, work: Work, dispatch: Dispatch) -> None:
    delays, looks = settings.SEND_LOOKUP_DELAYS, dispatch.looks + 1
    with claim.writing():
        row = Dispatch.objects.filter(pk=dispatch.pk, state=Dispatch.State.UNKNOWN)
        if looks < len(delays):
            row.update(looks=looks, changed_at=Now())
            claim.again(max(0.0, delays[looks] - delays[looks - 1]), [work], reason=dispatch.error)
        else:
            row.update(state=Dispatch.State.PLANNED, looks=looks, changed_at=Now())
            claim.again(0, [work], reason="surely not created")
    failpoint("send.not_found")
