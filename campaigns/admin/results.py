"""What became of a broadcast: two bars, reasons, one row for each task."""

import datetime as dt
from collections import Counter
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse

from campaigns.admin import deeds, preview, stuck
from campaigns.admin.words import dispatch_tag, explain, progress_tag, rule_sentence, state_tag
from campaigns.models import Broadcast, Delivery, Dispatch
from campaigns.sending import remind
from scrm.base import clock
from scrm.base.console import formats
from scrm.base.console.who import user_of

SHOWN_TASKS = 200
SOON = dt.timedelta(hours=1)  # before the deadline: who has not confirmed stands out
_FIRST = ("refused", "unread", "unknown", "sent", "sending", "planned", "unconfirmed", "confirmed", "cancelled")
_OVER = (Broadcast.State.DONE, Broadcast.State.CANCELLED)

D = Dispatch.State


def of_broadcast(request: HttpRequest, broadcast: Broadcast) -> dict[str, Any]:
    """What the page shows; the numbers are those of the rows the user may see."""
    user, now = user_of(request), clock.now()
    tasks = list(Dispatch.objects.filter(broadcast=broadcast).visible_to(user).select_related("staff"))
    asked = remind.used(tasks)
    tasks.sort(key=lambda row: (_FIRST.index(row.state), -row.recipients, row.pk))
    outcomes, left_out = _outcomes(request, broadcast)
    confirmations, deliveries = _confirmations(tasks), _deliveries(tasks)
    return {
        "broadcast": broadcast,
        "draft": False,
        "state": state_tag(broadcast),
        "may": {name: user.has_perm(right) for name, right in deeds.RIGHTS.items()},
        "live": broadcast.state not in _OVER or any(row.settled_at is None for row in tasks),
        "may_pause": broadcast.state in (Broadcast.State.PLANNED, Broadcast.State.RUNNING),
        "paused": broadcast.state == Broadcast.State.PAUSED,
        "over": broadcast.state in _OVER,
        "left": max(0.0, (broadcast.confirm_by - now).total_seconds()),
        "late": now >= broadcast.confirm_by,
        "started": now >= broadcast.create_at,
        "confirmations": confirmations,
        "deliveries": deliveries,
        "outcomes": outcomes,
        "left_out": left_out,
        "left_out_total": sum(row["count"] for row in left_out),
        "tasks": [_task(row, asked.get(row.pk, 0), broadcast, now) for row in tasks[:SHOWN_TASKS]],
        "tasks_more": max(0, len(tasks) - SHOWN_TASKS),
        "remindable": deeds.remindable(tasks, asked),
        "most_reminders": remind.MOST,
        "read_at": max((row.polled_at for row in tasks if row.polled_at), default=None),
        "surprised": sum(row.count_over_quota for row in tasks),
        "rule": rule_sentence(),
        "held": sum(row.state == D.PLANNED for row in tasks),
        "stuck": stuck.of(request, broadcast, tasks),
        "steps": _steps(broadcast, tasks),
        "preview": preview.of(broadcast),
        "cancel_word": deeds.cancel_word(),
    }


def _confirmations(tasks: list[Dispatch]) -> dict[str, Any]:
    """Members of staff: all, and where they stand. Who has several tasks has confirmed when all are."""
    everybody = {row.staff_id for row in tasks}
    refused = {row.staff_id for row in tasks if row.state in (D.REFUSED, D.CANCELLED)}
    missed = {row.staff_id for row in tasks if row.state == D.UNCONFIRMED}
    waiting = {row.staff_id for row in tasks if row.state in (D.SENT, D.UNKNOWN, D.UNREAD)}
    to_come = {row.staff_id for row in tasks if row.state in (D.PLANNED, D.SENDING)}
    confirmed = everybody - refused - missed - waiting - to_come
    parts = {"confirmed": confirmed, "waiting": waiting, "missed": missed - waiting}
    parts["to_come"] = to_come - waiting - missed
    parts["refused"] = refused - waiting - missed - to_come
    return {"all": len(everybody), **{name: len(ids) for name, ids in parts.items()}}


def _deliveries(tasks: list[Dispatch]) -> dict[str, Any]:
    sums = Counter[str]()
    for row in tasks:
        sums["all"] += row.recipients
        sums["sent"] += row.count_sent
        sums["reach"] += row.reach
        sums["over_quota"] += row.count_over_quota
        sums["coming"] += row.open_count if row.state == D.CONFIRMED else 0
        sums["open"] += row.open_count if row.state != D.CONFIRMED else 0
    sums["failed"] = sums["all"] - sums["sent"] - sums["over_quota"] - sums["coming"] - sums["open"]
    return {name: sums[name] for name in ("all", "sent", "reach", "over_quota", "coming", "open", "failed")}


def _outcomes(request: HttpRequest, broadcast: Broadcast) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(recipients by what became of them, those left out before sending); each number leads to its rows."""
    rows = Delivery.objects.of(broadcast).visible_to(user_of(request))
    counts = rows.with_progress().order_by().values_list("progress", "reason").annotate(n=Count("pk"))  # type: ignore[misc]
    found: dict[tuple[str, str], int] = {(progress, reason): count for progress, reason, count in counts}
    planned = sum(count for (progress, _reason), count in found.items() if progress != Delivery.State.EXCLUDED)
    outcomes: list[dict[str, Any]] = []
    left_out: list[dict[str, Any]] = []
    for progress in Delivery.State.values:
        for (state, reason), count in sorted(found.items()):
            if state != progress:
                continue
            row = _outcome(broadcast, progress, reason, count, planned)
            (left_out if progress == Delivery.State.EXCLUDED else outcomes).append(row)
    if user_of(request).has_full_scope or broadcast.created_by_id == request.user.pk:
        left_out += _without_rows(broadcast, found)
    return sorted(outcomes, key=lambda row: (row["progress"] != Delivery.State.SENT, -row["count"])), left_out


def _outcome(broadcast: Broadcast, progress: str, reason: str, count: int, planned: int) -> dict[str, Any]:
    query = {"state": progress, **({"reason": reason} if reason else {})}
    address = reverse("admin:campaigns_broadcast_recipients", args=[broadcast.pk])
    return {
        "progress": progress,
        "tag": progress_tag(progress),
        "reason": Delivery.Reason(reason).label if reason else "",
        "why": explain(progress, reason),
        "count": count,
        "share": formats.percent(count / planned if planned else None),
        "link": f"{address}?{urlencode(query)}",
    }


def _without_rows(broadcast: Broadcast, found: dict[tuple[str, str], int]) -> list[dict[str, Any]]:
    """Named ones that were counted only: ids that are no rows, and the second naming of a row."""
    rows = []
    for reason in (Delivery.Reason.UNKNOWN, Delivery.Reason.DUPLICATE):
        count = broadcast.excluded.get(reason, 0) - found.get((Delivery.State.EXCLUDED, reason), 0)
        if count > 0:
            row = _outcome(broadcast, Delivery.State.EXCLUDED, reason, count, 0)
            rows.append({**row, "link": ""})
    return rows


def _task(row: Dispatch, asked: int, broadcast: Broadcast, now: dt.datetime) -> dict[str, Any]:
    failed = row.recipients - row.count_sent - row.open_count
    address = reverse("admin:campaigns_broadcast_recipients", args=[broadcast.pk])
    waiting = row.state == D.SENT
    hot = row.state in (D.REFUSED, D.UNKNOWN) or (waiting and broadcast.confirm_by - now < SOON)
    return {
        "row": row,
        "tag": dispatch_tag(row),
        "hot": hot and broadcast.state not in _OVER,
        "link": f"{address}?{urlencode({'staff': row.staff.userid})}",
        "sent": row.count_sent if row.settled_at or row.count_sent else None,
        "failed": failed,
        "waited": formats.lasting((now - row.sent_at).total_seconds()) if waiting and row.sent_at else "",
        "asked": asked,
        "may_remind": waiting and asked < remind.MOST,
    }


def _due(broadcast: Broadcast) -> dt.datetime:
    """When tasks are created: not before somebody approves."""
    return max(broadcast.create_at, broadcast.approved_at or broadcast.create_at)


def _steps(broadcast: Broadcast, tasks: list[Dispatch]) -> list[dict[str, Any]]:
    """The course of it so far and what is to come: `{"at", "what", "done"}` in order of time."""
    created = [row.sent_at for row in tasks if row.sent_at]
    confirmed = sorted(row.confirmed_at for row in tasks if row.confirmed_at)
    steps = [
        ("approved", broadcast.approved_at, True),
        ("created", min(created) if created else _due(broadcast), bool(created)),
        ("first_confirmed", confirmed[0] if confirmed else None, True),
        ("last_confirmed", confirmed[-1] if len(confirmed) > 1 else None, True),
        ("deadline", broadcast.confirm_by, clock.now() >= broadcast.confirm_by),
        ("finished", broadcast.finished_at, True),
    ]
    if broadcast.finished_at and broadcast.finished_at < broadcast.confirm_by:  # nothing was left to be taken back then
        steps = [step for step in steps if step[0] != "deadline"]
    return sorted(
        ({"what": what, "at": at, "done": done} for what, at, done in steps if at is not None),
        key=lambda step: step["at"],
    )
