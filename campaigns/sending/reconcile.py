"""What became of it: the platform's results, polled into the deliveries, until nothing can change any more."""

import datetime as dt
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from campaigns.models import Broadcast, Delivery, Dispatch
from campaigns.sending import booking, pace
from campaigns.sending.counts import refresh_counts
from contacts import follows
from scrm.base import clock
from scrm.base.failpoints import failpoint
from scrm.base.logs import story
from scrm.base.work import Claim, lane
from scrm.wecom import errors
from scrm.wecom.api import messages as api
from scrm.wecom.schemas import MessageResult, StaffTask

LEASE = 60.0
BEING_DISPATCHED_SECONDS = 5.0
REFUSED_SECONDS = 60.0  # between reads that are refused
PAGES_AT_ONCE = 5  # of results in one transaction
GIVE_UP_AFTER = dt.timedelta(hours=48)  # of waiting for results that the platform never tells

# (age of the task up to which, multiple of SEND_POLL_SECONDS)
_PACES = ((dt.timedelta(minutes=15), 1), (dt.timedelta(hours=2), 3), (dt.timedelta(days=62), 15))

_STATES = {1: Delivery.State.SENT, 2: Delivery.State.NOT_FRIEND, 3: Delivery.State.OVER_QUOTA}

State = Dispatch.State


@lane(pace.RESULTS, queue="sending", threads=4, lease=LEASE, back_off=(5.0, 30.0, 120.0))
def poll(claim: Claim) -> None:
    """One look at a task: has its staff member confirmed, and whom did it reach."""
    dispatch = Dispatch.objects.with_broadcast().filter(pk=int(claim.key)).first()
    if dispatch is not None and dispatch.state == State.UNREAD:
        _read_again(claim, dispatch)
    if dispatch is None or dispatch.settled_at is not None:
        claim.ignored(reason="nothing is open")
        return
    try:
        settled = _look(claim, dispatch)
    except (errors.WecomError, errors.ConfigurationError) as error:
        _not_read(claim, dispatch, error)
        return
    if not settled:
        claim.again(_wait(dispatch), further=True)


def _read_again(claim: Claim, dispatch: Dispatch) -> None:
    """A person has started again what had been given up."""
    dispatch.state, dispatch.settled_at = State.SENT, None
    with claim.writing():
        Dispatch.objects.filter(pk=dispatch.pk).update(state=State.SENT, settled_at=None, changed_at=Now())


def _not_read(claim: Claim, dispatch: Dispatch, error: errors.WecomError | errors.ConfigurationError) -> None:
    """Asked again later, a refusal too: a person may mend it, and the task is still to be taken back when its time is
    over. Then a refusal is final; so is a platform that fails for days."""
    if error.code == errors.BROADCAST_BEING_DISPATCHED:
        claim.again(BEING_DISPATCHED_SECONDS, reason=str(error))
    elif _is_over(dispatch) and (error.permanent or _given_up(dispatch.broadcast.confirm_by)):
        booking.leave_unread(claim, claim.works[0], dispatch, str(error))
    else:
        claim.again(error.retry_after or REFUSED_SECONDS, reason=str(error))


def _look(claim: Claim, dispatch: Dispatch) -> bool:
    """True when nothing will change any more. What is to be taken back is taken back before the last look."""
    over = _is_over(dispatch)
    if over and dispatch.state == State.SENT and dispatch.cancel_asked_at is None:
        _take_back(claim, dispatch)
    task = _task_of(dispatch)
    failpoint("results.task_read")
    if task is not None and task.confirmed:
        return _read_results(claim, dispatch, task)
    Dispatch.objects.filter(pk=dispatch.pk).update(polled_at=clock.now())
    if not over:
        return False
    by_user = dispatch.broadcast.state == Broadcast.State.CANCELLED
    with claim.writing():
        if by_user:
            pace.close([dispatch.pk], State.CANCELLED, Delivery.State.CANCELLED, Delivery.Reason.BY_USER)
        else:
            pace.close([dispatch.pk], State.UNCONFIRMED, Delivery.State.UNCONFIRMED, "")
        claim.done()
        pace.finish(dispatch.broadcast_id)
    failpoint("results.settled")
    return True


def _is_over(dispatch: Dispatch) -> bool:
    broadcast = dispatch.broadcast
    return broadcast.state == Broadcast.State.CANCELLED or clock.now() >= broadcast.confirm_by


def _take_back(claim: Claim, dispatch: Dispatch) -> None:
    """Cancels on the platform; doing it twice does no harm. What is refused is asked for once."""
    try:
        api.cancel(dispatch.msgid)
    except errors.WecomError as error:
        if error.code != errors.BROADCAST_CANCELLED and error.temporary:
            raise
    failpoint("results.cancelled")
    with claim.writing():
        Dispatch.objects.filter(pk=dispatch.pk).update(cancel_asked_at=clock.now(), changed_at=Now())
    failpoint("results.cancel_noted")


def _task_of(dispatch: Dispatch) -> StaffTask | None:
    """The staff member's part; there is one, under whatever userid they have by now. None of a cancelled one."""
    try:
        tasks = api.fetch_tasks(dispatch.msgid)
    except errors.WecomError as error:
        if error.code != errors.BROADCAST_CANCELLED:
            raise
        return None
    return next((task for task in tasks if task.userid in dispatch.userids), tasks[0] if len(tasks) == 1 else None)


def _read_results(claim: Claim, dispatch: Dispatch, task: StaffTask) -> bool:
    if dispatch.state != State.CONFIRMED:
        with claim.writing():
            Dispatch.objects.filter(pk=dispatch.pk, settled_at__isnull=True).update(
                state=State.CONFIRMED, confirmed_at=task.sent_at or clock.now(), changed_at=Now()
            )
        failpoint("results.confirmed")
        words = {"staff": str(dispatch.staff), "name": dispatch.broadcast.name}
        story.info(_("✅ %(staff)s confirmed “%(name)s”") % words)
    told = open_ = 0
    for rows in _batches(api.fetch_results(dispatch.msgid, task.userid)):
        told += len(rows)
        open_ += sum(row.status not in _STATES for row in rows)
        failpoint("results.page_read")
        claim.extend(LEASE)
        with claim.writing():
            if write(dispatch, rows):  # the deliveries are the cursor: what is read once more changes none of them
                claim.came_further()
        failpoint("results.page_written")
    return _settle(claim, dispatch, complete=told > 0 and open_ == 0)


def _batches(pages: Iterator[list[MessageResult]]) -> Iterator[list[MessageResult]]:
    while batch := [row for page in islice(pages, PAGES_AT_ONCE) for row in page]:
        yield batch


_WRITE = """
UPDATE campaigns_delivery d
SET state = told.state, sent_at = CASE WHEN told.state = 'sent' THEN told.sent_at END, reason = '', changed_at = statement_timestamp(),
    reach = CASE WHEN told.state = 'sent' THEN {reach} ELSE 0 END
FROM (
    SELECT r.id, t.state, t.sent_at
    FROM unnest(%(recipients)s::text[], %(states)s::text[], %(times)s::timestamptz[]) AS t (name, state, sent_at)
    JOIN {table} r ON r.{name} = t.name
) told
WHERE d.dispatch_id = %(dispatch)s AND d.plan_date = %(day)s AND d.{key} = told.id
  AND d.state IN ('planned', 'unconfirmed', 'cancelled', 'refused') AND d.state <> told.state
RETURNING d.{key}, d.state, told.sent_at
"""
_TO_CUSTOMERS = _WRITE.format(table="contacts_customer", name="external_userid", key="customer_id", reach="1")
# People in the chat when the message came (metrics.md group_reach): external members only.
_TO_CHATS = _WRITE.format(
    table="groups_groupchat",
    name="chat_id",
    key="chat_id",
    reach="""(SELECT count(*) FROM groups_stay s WHERE s.chat_id = d.chat_id AND s.customer_id IS NOT NULL
              AND s.joined_at <= told.sent_at AND (s.left_at IS NULL OR s.left_at > told.sent_at))""",
)


def write(dispatch: Dispatch, rows: Iterable[MessageResult]) -> bool:
    """Books results, in the caller's transaction; False when all of them were booked before. What a result proves of a
    friendship is taken over (platform.md 17)."""
    final = [row for row in rows if row.status in _STATES]
    at = dispatch.confirmed_at or clock.now()
    given: dict[str, Any] = {
        "recipients": [row.recipient for row in final],
        "states": [_STATES[row.status].value for row in final],
        "times": [row.sent_at or at for row in final],
        "dispatch": dispatch.pk,
        "day": dispatch.broadcast.plan_date,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TO_CHATS if dispatch.broadcast.to_chats else _TO_CUSTOMERS, given)
        changed = cursor.fetchall()
    refresh_counts([dispatch.pk])
    if not dispatch.broadcast.to_chats:
        told = {state: {key: at for key, found, at in changed if found == state} for state in _STATES.values()}
        follows.end_by_send_result(dispatch.staff, told[Delivery.State.NOT_FRIEND])
        follows.reopen_by_send_result(dispatch.staff, told[Delivery.State.SENT])
    return bool(changed)


def _settle(claim: Claim, dispatch: Dispatch, *, complete: bool) -> bool:
    """Done when the platform has told of everybody. Whom a complete list leaves out it had not taken."""
    if not complete and not _given_up(dispatch.confirmed_at or clock.now()):
        Dispatch.objects.filter(pk=dispatch.pk).update(polled_at=clock.now())
        return False
    with claim.writing():
        pace.close([dispatch.pk], State.CONFIRMED, Delivery.State.REFUSED, Delivery.Reason.NOT_TAKEN)
        Dispatch.objects.filter(pk=dispatch.pk).update(polled_at=clock.now())
        claim.done()
        pace.finish(dispatch.broadcast_id)
    failpoint("results.settled")
    return True


def _given_up(since: dt.datetime) -> bool:
    return clock.now() - since >= GIVE_UP_AFTER


def _wait(dispatch: Dispatch) -> float:
    """Real seconds until the next look: at most 30 in the first quarter of an hour (contract.md), later more."""
    now = clock.now()
    age = now - (dispatch.sent_at or now)
    times = next((times for limit, times in _PACES if age < limit), 15)
    to_deadline = clock.real_seconds(dispatch.broadcast.confirm_by - now)
    wait = settings.SEND_POLL_SECONDS * times
    return min(wait, to_deadline + 0.5) if to_deadline > 0 else min(wait, settings.SEND_POLL_SECONDS)
