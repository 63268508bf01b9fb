"""The pumps of a worker process: threads that claim and do the work of its queues' lanes.

`scrm.celery` starts them with the worker.
They are woken by the doorbell and look by themselves every `lane.poll` seconds, so that a hanging, flushed or dead Redis
delays nothing that matters.
"""

import contextlib
import datetime as dt
import socket
import threading
import time
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, connection
from django.db.models.functions import Now

from scrm.base import heartbeat
from scrm.base.failpoints import failpoint
from scrm.base.work.claim import Claim, claim, reclaim, renew
from scrm.base.work.lanes import Lane, lanes_of_queue
from scrm.base.work.run import forget_connection, handle

log = structlog.get_logger(__name__)

_TEN_MINUTES = dt.timedelta(minutes=10)
_LONGEST_SLEEP = 30.0


class Bell:
    """Wakes one idle pump of a lane at a time; whoever finds work wakes the next."""

    def __init__(self, pumps: int) -> None:
        self._pumps = pumps
        self._rings = threading.BoundedSemaphore(pumps)
        for _ in range(pumps):
            self._rings.acquire()

    def ring(self) -> None:
        with contextlib.suppress(ValueError):  # everybody is awake already
            self._rings.release()

    def ring_all(self) -> None:
        for _ in range(self._pumps):
            self.ring()

    def wait(self, seconds: float) -> None:
        self._rings.acquire(timeout=seconds)


class _Crew:
    """The threads of one start. Who starts again has a new crew: a thread of the old one never works on for it."""

    def __init__(self) -> None:
        self.bells: dict[str, Bell] = {}
        self.in_hand: dict[str, set[Claim]] = {}  # by lane
        self.leaving = threading.Event()
        self.threads: list[threading.Thread] = []

    def spawn(self, target: Any, *args: Any, name: str) -> None:
        thread = threading.Thread(target=_guarded, args=(target, self, *args), name=name, daemon=True)
        self.threads.append(thread)
        thread.start()


_crew = _Crew()
_database_away = threading.Event()


def wake(lane: str) -> None:
    """Lets a pump of this process look at the lane at once."""
    bell = _crew.bells.get(lane)
    if bell:
        bell.ring()


def start(queues: list[str], worker: str) -> None:
    """Starts the pumps and the heartbeat of `queues` in this process."""
    global _crew
    crew = _crew = _Crew()
    for queue in queues:
        for lane in lanes_of_queue(queue):
            crew.bells[lane.name], crew.in_hand[lane.name] = Bell(lane.threads), set()
            for number in range(lane.threads):
                crew.spawn(_pump, lane, name=f"{lane.name}-{number}")
            crew.spawn(_tick, lane, name=f"{lane.name}-clock")
    crew.spawn(_beat_heart, queues, worker, name="heartbeat")


def stop(seconds: float = 10.0) -> None:
    """Ends the pumps after the jobs in hand, for which it waits so long in all. A job that lasts longer is taken over when
    its lease ends."""
    crew = _crew
    crew.leaving.set()
    until = time.monotonic() + seconds
    for bell in crew.bells.values():
        bell.ring_all()
    for thread in crew.threads:
        thread.join(max(0.0, until - time.monotonic()))


def _guarded(target: Any, *args: Any) -> None:
    try:
        target(*args)
    finally:
        connection.close()


def _pump(crew: _Crew, lane: Lane) -> None:
    bell = crew.bells[lane.name]
    while not crew.leaving.is_set():
        try:
            found = _work_once(crew, lane, bell)
            _note_database()
            if found:
                continue
        except Exception as error:  # a pump never dies: the database may be away for a while
            _note_interruption(lane, error)
            connection.close()
            crew.leaving.wait(1.0)
        forget_connection()
        bell.wait(_LONGEST_SLEEP)


def _work_once(crew: _Crew, lane: Lane, bell: Bell) -> bool:
    job = claim(lane)
    if job is None:
        return False
    failpoint(f"{lane.name}.claimed")
    if job.more:
        bell.ring()
    in_hand = crew.in_hand[lane.name]
    in_hand.add(job)
    try:
        handle(job)
    finally:
        in_hand.discard(job)
    return True


def _note_interruption(lane: Lane, error: Exception) -> None:
    """One line an outage, not one a second for each pump: a full disk would only get fuller."""
    if not isinstance(error, OperationalError | InterfaceError):
        log.error("pump interrupted", lane=lane.name, exc_info=error)
    elif not _database_away.is_set():
        _database_away.set()
        log.warning("the database is away, work waits", lane=lane.name, error=str(error).strip())


def _note_database() -> None:
    if _database_away.is_set():
        _database_away.clear()
        log.warning("the database is back")


def _tick(crew: _Crew, lane: Lane) -> None:
    """Rings every `lane.poll` seconds, for what nobody rings for: rows that become due, rings that were lost.

    Four times a lease it keeps what is in hand here, also while the process ends, and takes over what dead workers held.
    """
    bell, in_hand = crew.bells[lane.name], crew.in_hand[lane.name]
    next_look = 0.0
    while not crew.leaving.wait(lane.poll) or in_hand:
        if crew.leaving.is_set():
            time.sleep(min(lane.poll, 0.2))
        if time.monotonic() >= next_look:
            next_look = time.monotonic() + min(lane.lease / 4, 2.0)
            try:
                renew(lane, list(in_hand))
                reclaim(lane)
            except Exception:  # tried again in a moment
                connection.close()
        bell.ring()  # after what was just taken over


def _beat_heart(crew: _Crew, queues: list[str], worker: str) -> None:
    while True:
        note_alive(queues, worker)
        if crew.leaving.wait(5.0):
            return


def note_alive(queues: list[str], worker: str) -> None:
    """Notes that these queues were in a process's hands just now. A database that is away hears nothing."""
    from scrm.base.models import Heartbeat  # after the app registry is ready

    name = f"{worker}@{socket.gethostname()}"
    try:
        for queue in queues:
            Heartbeat.objects.update_or_create(queue=queue, worker=name, defaults={"seen_at": Now()})
        Heartbeat.objects.filter(seen_at__lt=Now() - _TEN_MINUTES).delete()
        heartbeat.touch()
    except Exception:
        connection.close()
