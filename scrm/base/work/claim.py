"""Claiming a (lane, entity), holding it by a lease, settling it."""

import time
import uuid
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from scrm.base.models import Work
from scrm.base.work.lanes import Lane

LONGEST = 120.0  # seconds for which a job is kept that has not come further

# The oldest due row of a pair that nobody holds (an expired lease counts as nobody's), whether this transaction got the
# pair's lock, and whether more is due. A lease need not outlive a crash of PostgreSQL: what it forgets is due again, and writing checks it.
_CANDIDATE = """
SET LOCAL synchronous_commit = off;
SELECT c.entity, pg_try_advisory_xact_lock(hashtextextended(%(lane)s || ' ' || c.entity, 0)),
       EXISTS (SELECT 1 FROM base_work o WHERE o.lane = %(lane)s AND o.state = 'waiting'
               AND o.not_before <= clock_timestamp() AND o.entity <> c.entity)
FROM (
SELECT w.entity FROM base_work w
WHERE w.lane = %(lane)s
  AND w.state = 'waiting' AND w.not_before <= clock_timestamp()
  AND w.entity <> ALL (%(busy)s)
  AND NOT EXISTS (SELECT 1 FROM base_work h WHERE h.lane = w.lane AND h.entity = w.entity
                  AND h.state = 'leased' AND h.lease_until > clock_timestamp())
ORDER BY w.not_before, w.id LIMIT 1
FOR UPDATE OF w SKIP LOCKED
) c
"""

# Leases whose holder died: the rows go back to waiting, one attempt older; what kills its worker again and again is poison.
# All that a worker had in hand dies with it. After a second death the entities are therefore tried one after the other,
# so that poison goes alone the next time and its neighbours don't follow it into quarantine.
_RECLAIM = """
WITH ended AS (
    SELECT id, entity, attempts FROM base_work
    WHERE state = 'leased' AND lease_until < clock_timestamp() AND lane = %(lane)s
    FOR UPDATE SKIP LOCKED
), judged AS (
    SELECT id, entity, bool_or(attempts > 0) OVER (PARTITION BY entity) AS suspect FROM ended
), ranked AS (
    SELECT id, suspect::int * (dense_rank() OVER (PARTITION BY suspect ORDER BY entity) - 1) AS place FROM judged
)
UPDATE base_work w
SET state = CASE WHEN attempts + 1 >= %(most)s THEN 'quarantined' ELSE 'waiting' END,
    error = CASE WHEN attempts + 1 >= %(most)s THEN 'The worker died or hung at each attempt.' ELSE error END,
    settled_at = CASE WHEN attempts + 1 >= %(most)s THEN clock_timestamp() END,
    attempts = attempts + 1, holder = '', lease_until = NULL,
    not_before = clock_timestamp() + make_interval(secs => ranked.place * %(apart)s)
FROM ranked WHERE w.id = ranked.id
"""
_SUSPECTS_APART = 1.0  # seconds, longer than most jobs

# A statement of its own after the lock: it sees what whoever held the lock before has committed.
_LEASE = """
UPDATE base_work SET state = 'leased', holder = %(holder)s,
       lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
WHERE id IN (SELECT id FROM base_work WHERE lane = %(lane)s AND entity = %(entity)s
             AND (state = 'waiting' OR (state = 'leased' AND lease_until <= clock_timestamp()))
             ORDER BY id FOR UPDATE)
  AND NOT EXISTS (SELECT 1 FROM base_work WHERE lane = %(lane)s AND entity = %(entity)s
                  AND state = 'leased' AND lease_until > clock_timestamp())
RETURNING *
"""


# The five below are for rows that this holder still holds. Written out, not built anew for each of a job's transactions.
_HELD = """
SELECT 1 FROM base_work WHERE id = ANY (%(ids)s) AND holder = %(holder)s AND state = 'leased'
  AND lease_until > clock_timestamp()
FOR UPDATE
"""

_ENDED = """
SELECT 1 FROM base_work WHERE id = ANY (%(ids)s) AND holder = %(holder)s AND lease_until <= clock_timestamp()
"""

_SETTLE = """
UPDATE base_work SET state = %(state)s, error = %(error)s, attempts = coalesce(%(attempts)s, attempts),
       settled_at = clock_timestamp(), lease_until = NULL, holder = ''
WHERE id = ANY (%(ids)s) AND holder = %(holder)s AND state = 'leased' AND lease_until > clock_timestamp()
"""

_PUT_BACK = """
UPDATE base_work SET state = 'waiting', error = %(error)s,
       attempts = CASE WHEN %(further)s THEN 0 ELSE attempts + %(failed)s END,
       not_before = clock_timestamp() + make_interval(secs => %(seconds)s), lease_until = NULL, holder = ''
WHERE id = ANY (%(ids)s) AND holder = %(holder)s AND state = 'leased' AND lease_until > clock_timestamp()
"""

_EXTEND = """
UPDATE base_work SET lease_until = clock_timestamp() + make_interval(secs => %(seconds)s)
WHERE id = ANY (%(ids)s) AND holder = %(holder)s AND state = 'leased' AND lease_until > clock_timestamp()
"""

# What these holders have in hand lasts longer; not what they are just writing, which asks for the lease itself.
_RENEW = """
UPDATE base_work SET lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
WHERE id IN (SELECT id FROM base_work WHERE state = 'leased' AND holder = ANY (%(holders)s)
             AND lease_until > clock_timestamp()
             AND lease_until < clock_timestamp() + make_interval(secs => %(lease)s / 2)
             FOR UPDATE SKIP LOCKED)
"""


class LeaseLost(Exception):
    """Another worker may have taken the pair over: nothing of this job may be written."""


class Claim:
    """One job: an entity of a lane with all its open rows, held by a lease."""

    def __init__(self, lane: Lane, entity: str, works: list[Work], holder: str, *, more: bool = False) -> None:
        """`more`: other entities of the lane were due too."""
        self.lane = lane
        self.entity = entity
        self.works = works
        self.holder = holder
        self.more = more
        self._settled: set[int] = set()
        self._moved = time.monotonic()

    @property
    def key(self) -> str:
        """The entity without its kind: `contact:wm1` → `wm1`."""
        return self.entity.partition(":")[2] or self.entity

    @property
    def hangs(self) -> bool:
        """Has not come further for so long that its lease is not renewed any more."""
        return time.monotonic() - self._moved > LONGEST

    @property
    def open_works(self) -> list[Work]:
        return [work for work in self.works if work.pk not in self._settled]

    def source_ids(self, kind: str) -> list[int]:
        return [work.source_id for work in self.works if work.source_kind == kind]

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction that only commits while the lease holds; results of the job are written inside. Raises LeaseLost."""
        settled, attempts = set(self._settled), [work.attempts for work in self.works]
        try:
            with transaction.atomic():
                self._assert_held()
                yield
                self._assert_time_left()
        except BaseException:
            self._settled = settled  # rolled back with everything else
            for work, number in zip(self.works, attempts, strict=True):
                work.attempts = number
            raise

    def done(self, works: Iterable[Work] | None = None) -> None:
        """Settles the given rows (default: all open ones) as done."""
        self._settle(works, state=Work.State.DONE, error="")

    def ignored(self, works: Iterable[Work] | None = None, reason: str = "") -> None:
        """Settles rows that need nothing."""
        self._settle(works, state=Work.State.IGNORED, error=reason)

    def again(
        self, seconds: float, works: Iterable[Work] | None = None, reason: str = "", *, further: bool = False
    ) -> None:
        """Puts rows back to wait; that is no failed attempt. `further`: they have come further, so that failures before
        count no more: only those in a row say that trying again is no use."""
        self._put_back(works, seconds, reason, further=further)

    def failed(self, error: str, works: Iterable[Work] | None = None) -> None:
        """Counts a failed attempt of each row: back-off, or quarantine after the lane's last attempt."""
        chosen = self.open_works if works is None else list(works)
        for work in chosen:
            attempts = work.attempts + 1
            if attempts >= self.lane.max_attempts:
                self._settle([work], state=Work.State.QUARANTINED, error=error, attempts=attempts)
            else:
                self._put_back([work], self.lane.back_off[work.attempts], error, failed=True)

    def quarantine(self, error: str, works: Iterable[Work] | None = None) -> None:
        """Sets rows aside for a person at once: trying again can't help."""
        self._settle(works, state=Work.State.QUARANTINED, error=error)

    def extend(self, seconds: float) -> None:
        """Prolongs the lease from now on: the job has come further. Raises LeaseLost."""
        self._moved = time.monotonic()
        if not self._changed(_EXTEND, {"seconds": seconds}, [work.pk for work in self.works]):
            raise LeaseLost(self.entity)

    def came_further(self) -> None:
        """Inside `writing`: part of the job needn't be done again. Deaths and failures before it count no more."""
        failed = [work for work in self.open_works if work.attempts]
        if failed:
            Work.objects.filter(pk__in=[work.pk for work in failed], holder=self.holder).update(attempts=0)
            for work in failed:
                work.attempts = 0

    def _assert_held(self) -> None:
        ids = [work.pk for work in self.open_works]
        if ids and self._changed(_HELD, {}, ids) < len(ids):
            raise LeaseLost(self.entity)

    def _assert_time_left(self) -> None:
        ids = [work.pk for work in self.open_works]  # settling the others has asked already
        if ids and self._changed(_ENDED, {}, ids):
            raise LeaseLost(self.entity)

    def _settle(
        self, works: Iterable[Work] | None, *, state: str, error: str = "", attempts: int | None = None
    ) -> None:
        self._write(_SETTLE, works, {"state": state, "error": error, "attempts": attempts})

    def _put_back(
        self, works: Iterable[Work] | None, seconds: float, reason: str, *, failed: bool = False, further: bool = False
    ) -> None:
        given = {"seconds": max(0.0, seconds), "error": reason, "failed": int(failed), "further": further}
        self._write(_PUT_BACK, works, given)

    def _write(self, statement: str, works: Iterable[Work] | None, given: dict[str, Any]) -> None:
        ids = [work.pk for work in (self.open_works if works is None else works)]
        if ids and self._changed(statement, given, ids) != len(ids):
            raise LeaseLost(self.entity)
        self._settled.update(ids)

    def _changed(self, statement: str, given: dict[str, Any], ids: list[int]) -> int:
        """The number of rows that one of the statements above met."""
        with connection.cursor() as cursor:
            cursor.execute(statement, {**given, "holder": self.holder, "ids": ids})
            count: int = cursor.rowcount
            return count


def claim(lane: Lane) -> Claim | None:
    """Takes the oldest due entity of `lane`, or None when nothing is due (or all that is due is in other hands)."""
    busy: list[str] = []
    for _ in range(8):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_CANDIDATE, {"lane": lane.name, "busy": busy})
            row = cursor.fetchone()
            if row is None:
                return None
            entity, locked, more = row
            found = _lease(lane, entity, more=more) if locked else None
            if found is not None:
                return found
            busy.append(entity)
    return None


def _lease(lane: Lane, entity: str, *, more: bool) -> Claim | None:
    """Looks once more whether somebody holds the pair, now under its lock; takes all its open rows if not."""
    holder = uuid.uuid4().hex
    given = {"lane": lane.name, "entity": entity, "holder": holder, "lease": lane.lease}
    works = sorted(Work.objects.raw(_LEASE, given), key=lambda work: work.pk)
    return Claim(lane, entity, works, holder, more=more) if works else None


def renew(lane: Lane, claims: Collection[Claim]) -> None:
    """Prolongs leases of jobs that are being done: a short lease then tells a dead worker from a slow platform."""
    holders = [claim.holder for claim in claims if not claim.hangs]
    if holders:
        with connection.cursor() as cursor:
            cursor.execute(_RENEW, {"holders": holders, "lease": lane.lease})


def reclaim(lane: Lane) -> None:
    """Makes rows whose lease has ended claimable again."""
    with connection.cursor() as cursor:
        cursor.execute(_RECLAIM, {"lane": lane.name, "most": lane.max_attempts, "apart": _SUSPECTS_APART})
