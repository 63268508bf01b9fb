"""One dispatch, one call: *sending* is committed before it, *sent* with the platform's id after it.

A call without an answer may have been carried out. It becomes *unknown* and is looked up before anything is sent again
(`campaigns.sending.lookup`): nobody is messaged twice, nobody is forgotten.
"""

import datetime as dt

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from campaigns.models import Broadcast, Delivery, Dispatch
from campaigns.sending import booking, content, lookup, pace, rules
from campaigns.sending.counts import refresh_counts
from contacts.models import Staff
from scrm.base import clock
from scrm.base.failpoints import failpoint
from scrm.base.models import Work
from scrm.base.work import Claim, lane
from scrm.wecom import errors
from scrm.wecom.api import messages as api
from scrm.wecom.brake import SendingStopped
from scrm.wecom.schemas import MessageTask

LEASE = 6.0  # renewed while a call is under way; a killed worker's task is looked for within 10 s (contract.md)
PAUSED_SECONDS = 15.0  # between looks whether it goes on: whoever resumes wakes only work that nobody holds just then
BRAKE_SECONDS = 30.0  # between looks whether the brake is still on
LONGEST_WAIT = 600.0  # seconds: a clock or a plan may have been changed meanwhile
EQUAL_TASK_SECONDS = 3.0  # until it is tried whether an equal task of the same person is settled

State = Dispatch.State


@lane(pace.SEND, queue="sending", threads=8, lease=LEASE, poll=0.5)
def create_tasks(claim: Claim) -> None:
    """The dispatches of one staff member, one after the other."""
    for work in claim.works:
        claim.extend(LEASE)
        dispatch = Dispatch.objects.with_broadcast().filter(pk=work.source_id).first()
        if dispatch is None:
            claim.ignored([work], reason="the broadcast is gone")
        else:
            advance(claim, work, dispatch)


def advance(claim: Claim, work: Work, dispatch: Dispatch) -> None:
    """Brings one dispatch a step further, and its work in order."""
    if dispatch.state == State.SENDING:  # whoever held it died between the commit and the answer
        booking.lose(claim, work, dispatch, _("The process ended before WeCom's answer came."), look_in=0)
    elif dispatch.state == State.UNKNOWN:
        lookup.look(claim, work, dispatch)
    elif dispatch.state == State.PLANNED:
        _create_if_due(claim, work, dispatch)
    else:
        claim.done([work])


def _create_if_due(claim: Claim, work: Work, dispatch: Dispatch) -> None:
    broadcast, now = dispatch.broadcast, clock.now()
    if broadcast.state == Broadcast.State.CANCELLED:
        booking.give_up(claim, work, dispatch, Delivery.Reason.BY_USER)
    elif now >= broadcast.confirm_by:
        booking.give_up(claim, work, dispatch, Delivery.Reason.TOO_LATE)
    elif broadcast.state == Broadcast.State.PAUSED:
        claim.again(min(_real(broadcast.confirm_by - now), PAUSED_SECONDS), [work], reason="paused")
    elif now < broadcast.create_at:
        claim.again(_real(broadcast.create_at - now), [work], reason="not due yet")
    elif (quiet := rules.quiet_until(now)) is not None:
        claim.again(_real(quiet - now), [work], reason="quiet hours")
    elif not Staff.objects.able_to_send().filter(pk=dispatch.staff_id).exists():
        booking.refuse(
            claim, work, dispatch, _("The staff member can't send any more."), None, Delivery.Reason.STAFF_LEFT
        )
    else:
        _create(claim, work, dispatch)


def _real(span: dt.timedelta) -> float:
    """Seconds of the machine that a span of domain time takes, never more than LONGEST_WAIT."""
    return min(max(clock.real_seconds(span), 0.05), LONGEST_WAIT)


def _create(claim: Claim, work: Work, dispatch: Dispatch) -> None:
    recipients = _begin(claim, work, dispatch)
    if not recipients:
        return
    failpoint("send.written")
    try:
        task = _call(dispatch, recipients)
    except SendingStopped as held:
        booking.put_back(
            claim, work, dispatch, BRAKE_SECONDS, _("The brake holds it (%(brake)s).") % {"brake": held.held_by}
        )
    except errors.ConfigurationError as error:
        booking.put_back(claim, work, dispatch, error.retry_after, str(error))
    except errors.WecomError as error:
        _not_created(claim, work, dispatch, error)
    else:
        failpoint("send.answered")
        booking.accept(claim, work, dispatch, task, clock.now())
        failpoint("send.recorded")


# What has changed since the plan: who asked for peace, and who is no longer a friend of the sender or in a chat of theirs.
_DROP_CUSTOMERS = """
UPDATE campaigns_delivery d
SET state = 'excluded', changed_at = statement_timestamp(),
    reason = CASE WHEN c.do_not_contact_at IS NOT NULL THEN 'do_not_contact' ELSE 'lost' END
FROM contacts_customer c
WHERE d.dispatch_id = %(id)s AND d.plan_date = %(day)s AND d.state = 'planned' AND c.id = d.customer_id
  AND (c.do_not_contact_at IS NOT NULL OR NOT EXISTS (
      SELECT 1 FROM contacts_follow f
      WHERE f.customer_id = c.id AND f.staff_id = d.staff_id AND f.ended_at IS NULL AND NOT f.half))
"""
_DROP_CHATS = """
UPDATE campaigns_delivery d
SET state = 'excluded', changed_at = statement_timestamp(),
    reason = CASE WHEN c.dismissed_at IS NOT NULL THEN 'dismissed' ELSE 'no_staff' END
FROM groups_groupchat c
WHERE d.dispatch_id = %(id)s AND d.plan_date = %(day)s AND d.state = 'planned' AND c.id = d.chat_id
  AND (c.dismissed_at IS NOT NULL OR c.owner_id IS DISTINCT FROM d.staff_id)
"""
_CUSTOMERS = """
SELECT c.external_userid FROM campaigns_delivery d JOIN contacts_customer c ON c.id = d.customer_id
WHERE d.dispatch_id = %(id)s AND d.plan_date = %(day)s AND d.state = 'planned' ORDER BY d.customer_id
"""
_CHATS = """
SELECT c.chat_id FROM campaigns_delivery d JOIN groups_groupchat c ON c.id = d.chat_id
WHERE d.dispatch_id = %(id)s AND d.plan_date = %(day)s AND d.state = 'planned' ORDER BY d.chat_id
"""
# Behind this lock nobody can pause or cancel until the dispatch says *sending*.
_LOCK = "SELECT state FROM campaigns_broadcast WHERE id = %s FOR SHARE"


def _begin(claim: Claim, work: Work, dispatch: Dispatch) -> list[str]:
    """Commits that the call is about to be made. Returns the recipients; none when it is not to be made now."""
    broadcast = dispatch.broadcast
    given = {"id": dispatch.pk, "day": broadcast.plan_date}
    Broadcast.objects.filter(pk=broadcast.pk, state=Broadcast.State.PLANNED).update(
        state=Broadcast.State.RUNNING, changed_at=Now()
    )
    with claim.writing(), connection.cursor() as cursor:
        cursor.execute(_LOCK, [broadcast.pk])
        if cursor.fetchone()[0] != Broadcast.State.RUNNING:
            claim.again(0.05, [work])
            return []
        cursor.execute(_DROP_CHATS if broadcast.to_chats else _DROP_CUSTOMERS, given)
        if cursor.rowcount:
            refresh_counts([dispatch.pk])
        cursor.execute(_CHATS if broadcast.to_chats else _CUSTOMERS, given)
        recipients = [recipient for (recipient,) in cursor.fetchall()]
        if recipients and not booking.mark_sending(dispatch):
            claim.again(EQUAL_TASK_SECONDS, [work], reason="an equal task of this staff member is not settled")
            return []
    if not recipients:  # all are excluded by now
        booking.give_up(claim, work, dispatch, Delivery.Reason.LOST)
    return recipients


def _call(dispatch: Dispatch, recipients: list[str]) -> MessageTask:
    broadcast = dispatch.broadcast
    body = content.body(broadcast.text, broadcast.attachments)
    add = api.add_group_task if broadcast.to_chats else api.add_single_task
    return add(dispatch.staff.userid, recipients, body, timeout=settings.SEND_CREATE_SECONDS)


def _not_created(claim: Claim, work: Work, dispatch: Dispatch, error: errors.WecomError) -> None:
    """Whether to try again, to look for the task first, or to give up. "Busy" (-1) is an answer about the call, not
    about the task: it is looked for too."""
    if error.maybe_done or error.code == errors.BUSY:
        booking.lose(claim, work, dispatch, str(error), look_in=settings.SEND_LOOKUP_DELAYS[0])
    elif error.permanent:
        booking.refuse(claim, work, dispatch, str(error), error.code, Delivery.Reason.REFUSED)
    else:
        booking.put_back(claim, work, dispatch, error.retry_after or 5.0, str(error))
