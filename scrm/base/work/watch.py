"""How the work is going: depth, age, speed and errors by lane, and who is there to do it."""

import datetime as dt
from typing import Any

from django.db.models import Count, Max, Min, QuerySet
from django.db.models.functions import Left, Now

from scrm.base import clock
from scrm.base.dbclock import db_now
from scrm.base.models import Heartbeat, Work
from scrm.base.work.lanes import QUEUES, lanes, lanes_of_queue

ALIVE_SECONDS = 30.0  # a worker writes its heartbeat every few seconds
SPEED_MINUTES = 10
_LATEST = 20_000  # speed is counted among so many of the newest rows, so that it costs the same whatever was kept
_ERROR_START = 160  # errors that begin alike are one cause
_SHOWN_ERRORS = 10


def depths() -> list[dict[str, Any]]:
    """Open and failed work by lane: `{"lane", "open", "failed", "oldest"}` with the age of the oldest due work in seconds."""
    found = {name: {"lane": name, "open": 0, "failed": 0, "oldest": None} for name in sorted(lanes)}
    open_states = [Work.State.WAITING, Work.State.LEASED]
    rows = (
        Work.objects.filter(state__in=open_states)
        .order_by()
        .values("lane")
        .annotate(number=Count("pk"), first=Min("not_before"))
    )
    now = db_now()
    for row in rows:
        lane = found.setdefault(row["lane"], {"lane": row["lane"], "open": 0, "failed": 0, "oldest": None})
        lane["open"] = row["number"]
        lane["oldest"] = max(0.0, (now - row["first"]).total_seconds())
    failed = Work.objects.filter(state=Work.State.QUARANTINED).order_by().values_list("lane").annotate(Count("pk"))
    for lane, number in failed:
        found.setdefault(lane, {"lane": lane, "open": 0, "oldest": None})["failed"] = number
    return list(found.values())


def settled_lately() -> dict[str, int]:
    """How much each lane has done or found needless in the last SPEED_MINUTES."""
    newest = Work.objects.aggregate(last=Max("pk"))["last"] or 0
    recent = Work.objects.filter(
        pk__gt=newest - _LATEST,
        state__in=[Work.State.DONE, Work.State.IGNORED],
        settled_at__gt=Now() - dt.timedelta(minutes=SPEED_MINUTES),
    )
    return dict(recent.order_by().values_list("lane").annotate(Count("pk")))


def errors() -> list[dict[str, Any]]:
    """What set work aside, the most frequent first: `{"lane", "start", "number", "last"}`, `last` being the newest row."""
    failed: QuerySet[Any, Any] = Work.objects.filter(state=Work.State.QUARANTINED).order_by()
    rows = failed.annotate(start=Left("error", _ERROR_START)).values("lane", "start")
    return list(rows.annotate(number=Count("pk"), last=Max("pk")).order_by("-number", "-last")[:_SHOWN_ERRORS])


def queues() -> list[dict[str, Any]]:
    """Who serves each queue: `{"queue", "alive", "seen", "workers", "lanes"}`; `alive` counts those seen lately."""
    now = clock.real_now()
    beats: dict[str, list[Any]] = {}
    for row in Heartbeat.objects.order_by("queue", "worker"):
        beats.setdefault(row.queue, []).append(row)
    return [
        {
            "queue": queue,
            "lanes": sorted(lane.name for lane in lanes_of_queue(queue)),
            "workers": [row.worker for row in beats.get(queue, [])],
            "seen": max((row.seen_at for row in beats.get(queue, [])), default=None),
            "alive": sum((now - row.seen_at).total_seconds() < ALIVE_SECONDS for row in beats.get(queue, [])),
        }
        for queue in QUEUES
        if beats.get(queue) or lanes_of_queue(queue)
    ]
