"""Loads the broadcasts of a history: settled to the last recipient, so that no lane has anything left to do."""

import datetime as dt
from collections.abc import Iterator

from django.db import connection

from campaigns.models import PARTITIONS, Broadcast, Delivery, Dispatch, Reminder
from campaigns.sending import content
from campaigns.sending.counts import refresh_counts
from contacts.models import Staff
from scrm.base import clock
from scrm.base.models import User
from scrm.site.demo import load_sql
from scrm.site.demo.staging import Cell, stage
from scrm.standin.scenarios.rows import BroadcastRow, History, TaskRow

AT_ONCE = 1000
READ_AFTER = dt.timedelta(seconds=40)  # of the confirmation
TAKEN_BACK_AFTER = dt.timedelta(seconds=20)  # of the deadline

State = Delivery.State
_STATES = (State.UNCONFIRMED, State.SENT, State.NOT_FRIEND, State.OVER_QUOTA)  # by a task's status


def load_sends(rows: History, user: User) -> None:
    """Broadcasts made and approved by `user`, with dispatches, reminders and deliveries; in the caller's transaction.
    What members sent by themselves stays on the platform: nobody told us."""
    tasks: dict[int, list[TaskRow]] = {place: [] for place in range(len(rows.broadcasts))}
    for task in rows.tasks:
        if task.broadcast is not None:
            tasks[task.broadcast].append(task)
    made = [_broadcast(row, tasks[place], user) for place, row in enumerate(rows.broadcasts)]
    PARTITIONS.ensure({row.plan_date for row in made if row.plan_date}, today=clock.today())
    Broadcast.objects.bulk_create(made, batch_size=AT_ONCE)
    staff = dict(Staff.objects.values_list("userid", "pk"))
    pairs = [(made[place], task) for place, own in tasks.items() for task in own]
    dispatches = [_dispatch(broadcast, task, staff) for broadcast, task in pairs]
    Dispatch.objects.bulk_create(dispatches, batch_size=AT_ONCE)
    of_tasks = [(dispatch, task) for dispatch, (_, task) in zip(dispatches, pairs, strict=True)]
    Reminder.objects.bulk_create(
        [
            Reminder(dispatch=dispatch, state=Reminder.State.SENT, asked_by=user, asked_at=clock.from_unix(at))
            for dispatch, task in of_tasks
            for at in task.reminded_at
        ],
        batch_size=AT_ONCE,
    )
    _deliveries(made, rows.broadcasts, of_tasks)


def _broadcast(row: BroadcastRow, tasks: list[TaskRow], user: User) -> Broadcast:
    title, url = row.link
    attachments = [{"msgtype": "link", "link": {"title": title, "url": url}}]
    approved_at = clock.from_unix(row.approved_at)
    return Broadcast(
        name=row.name,
        to=row.chat_type,
        audience=_audience(row, tasks),
        text=row.text,
        attachments=attachments,
        digest=content.digest(row.text, attachments),
        create_at=clock.from_unix(row.create_at),
        confirm_by=clock.from_unix(row.confirm_by),
        state=Broadcast.State.DONE,
        created_by=user,
        created_at=approved_at,
        approved_by=user,
        approved_at=approved_at,
        plan_date=clock.day_of(approved_at),
        planned=sum(_recipients(task) for task in tasks),
        excluded={Delivery.Reason.HALF.value: len(row.half)} if row.half else {},
        finished_at=max(_settled(clock.from_unix(row.confirm_by), task) for task in tasks),
    )


def _audience(row: BroadcastRow, tasks: list[TaskRow]) -> dict[str, object]:
    if row.chat_type == Broadcast.To.CHATS:
        return {"chat_ids": [chat for task in tasks for chat in task.receivers]}
    chosen: dict[str, object] = {"userids": list(row.owners)}
    for key, at in (("added_after", row.added_after), ("added_before", row.added_before)):
        if at is not None:
            chosen[key] = clock.from_unix(at).isoformat()
    return {"filter": chosen}


def _recipients(task: TaskRow) -> int:
    return len(task.receivers) + len(task.dropped)


def _settled(confirm_by: dt.datetime, task: TaskRow) -> dt.datetime:
    if task.confirmed_at is None:
        return confirm_by + TAKEN_BACK_AFTER
    return clock.from_unix(task.confirmed_at) + READ_AFTER


def _dispatch(broadcast: Broadcast, task: TaskRow, staff: dict[str, int]) -> Dispatch:
    created = clock.from_unix(task.created_at)
    confirmed = None if task.confirmed_at is None else clock.from_unix(task.confirmed_at)
    settled = _settled(broadcast.confirm_by, task)
    return Dispatch(
        broadcast=broadcast,
        staff_id=staff[task.userid],
        number=task.part,
        digest=broadcast.digest,
        recipients=_recipients(task),
        state=Dispatch.State.UNCONFIRMED if confirmed is None else Dispatch.State.CONFIRMED,
        msgid=task.msgid,
        attempts=1,
        attempted_at=created,
        sent_at=created,
        confirmed_at=confirmed,
        settled_at=settled,
        polled_at=settled,
        cancel_asked_at=settled if confirmed is None else None,
    )


def _deliveries(made: list[Broadcast], rows: list[BroadcastRow], tasks: list[tuple[Dispatch, TaskRow]]) -> None:
    stage(
        "staged_delivery",
        "broadcast bigint, dispatch bigint, receiver text, state text, reason text",
        _told(made, rows, tasks),
    )
    with connection.cursor() as cursor:
        cursor.execute(load_sql.DELIVERIES_TO_CUSTOMERS)
        cursor.execute(load_sql.DELIVERIES_TO_CHATS)
    refresh_counts([dispatch.pk for dispatch, _ in tasks])


def _told(
    made: list[Broadcast], rows: list[BroadcastRow], tasks: list[tuple[Dispatch, TaskRow]]
) -> Iterator[tuple[Cell, ...]]:
    """(broadcast, dispatch, recipient, state, reason) of every recipient."""
    for dispatch, task in tasks:
        ids = dispatch.broadcast_id, dispatch.pk
        for receiver, status in zip(task.receivers, task.statuses, strict=True):
            yield *ids, receiver, _STATES[status].value, ""
        for receiver in task.dropped:
            yield *ids, receiver, State.EXCLUDED.value, Delivery.Reason.LOST.value
    for broadcast, row in zip(made, rows, strict=True):
        for receiver in row.half:
            yield broadcast.pk, None, receiver, State.EXCLUDED.value, Delivery.Reason.HALF.value
