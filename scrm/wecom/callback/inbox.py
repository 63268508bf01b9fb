"""Storing a callback with its work in one durable statement."""

import datetime as dt
import hashlib
from dataclasses import dataclass

from django.db import connection

from scrm.base import clock
from scrm.base.failpoints import failpoint
from scrm.base.prepared import Prepared
from scrm.base.work import doorbell
from scrm.wecom.callback.events import Event, UnreadableEvent, parse
from scrm.wecom.callback.routes import Job, jobs_of

INBOX_LANE = "inbox"  # what no lane takes: unknown kinds (ignored) and unreadable texts (quarantined)

# One round trip, one commit. A digest that is there already stores nothing and returns no row.
_STORE = Prepared(
    "store_callback",
    [
        "bytea", "text", "timestamptz", "timestamptz", "text", "text", "text", "text", "text",
        "text", "text", "text[]", "text[]", "float8[]",
    ],
    """
WITH stored AS (
    INSERT INTO wecom_callback (digest, app, received_domain_at, happened_at, event, change_type, entity, welcome_code, raw)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (digest) DO NOTHING
    RETURNING id
), works AS (
    INSERT INTO base_work (source_kind, source_id, lane, entity, state, error, not_before)
    SELECT 'callback', stored.id, job.lane, job.entity, $10, $11, clock_timestamp() + make_interval(secs => job.delay)
    FROM stored, unnest($12, $13, $14) AS job(lane, entity, delay)
)
SELECT id FROM stored
""",
)  # fmt: skip

# Two real edits within one second are byte-equal: a repeat soon after the work was done opens the mirror's work again.
_REPEAT = """
WITH repeated AS (
    UPDATE wecom_callback SET repeats = repeats + 1, repeated_at = clock_timestamp() WHERE digest = %s
    RETURNING id
)
UPDATE base_work SET state = 'waiting', settled_at = NULL, attempts = 0,
       not_before = clock_timestamp(), created_at = clock_timestamp()
FROM repeated
WHERE source_kind = 'callback' AND source_id = repeated.id AND lane LIKE 'mirror:%%' AND state = 'done'
  AND settled_at > clock_timestamp() - interval '30 seconds'
"""


@dataclass(frozen=True)
class Stored:
    """What became of a callback: its id, None for a repeat."""

    callback_id: int | None

    @property
    def repeated(self) -> bool:
        return self.callback_id is None


@dataclass(frozen=True)
class _Row:
    kind: str
    change_type: str
    entity: str
    welcome_code: str
    happened_at: dt.datetime | None
    jobs: list[Job]
    state: str = "waiting"  # of all its work
    error: str = ""


def store(message: bytes, *, app: str = "customer") -> Stored:
    """Keeps the decrypted `message` for good before it is acknowledged, or counts it as a repeat."""
    digest = hashlib.sha256(message).digest()
    text = message.decode("utf-8", errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")  # what can be kept
    row = _row_of(message, digest)
    with connection.cursor() as cursor:
        failpoint("inbox.before_commit")
        _STORE.execute(
            cursor,
            [
                digest, app, clock.now(), row.happened_at, row.kind[:40], row.change_type[:40], row.entity[:160],
                row.welcome_code[:200], text, row.state, row.error, [job.lane for job in row.jobs],
                [job.entity for job in row.jobs], [job.delay for job in row.jobs],
            ],
        )  # fmt: skip
        found = cursor.fetchone()
        if found is None:
            cursor.execute(_REPEAT, [digest])
        failpoint("inbox.after_commit")
    if row.state == "waiting":
        doorbell.ring_after_commit(*(job.lane for job in row.jobs if not job.delay))
    return Stored(found[0] if found else None)


def _row_of(message: bytes, digest: bytes) -> _Row:
    try:
        event = parse(message)
    except UnreadableEvent as error:
        entity = f"unreadable:{digest.hex()}"
        unread = [Job(INBOX_LANE, entity, 0.0)]
        return _Row("", "", entity, "", None, unread, state="quarantined", error=str(error)[:500])
    jobs = jobs_of(event)
    entity = _entity_of(event, jobs)
    state = "waiting" if jobs else "ignored"
    jobs = jobs or [Job(INBOX_LANE, entity, 0.0)]
    return _Row(event.kind, event.change_type, entity, event.welcome_code, event.happened_at, jobs, state)


def _entity_of(event: Event, jobs: list[Job]) -> str:
    mirrors = [job.entity for job in jobs if job.lane.startswith("mirror:")]
    return mirrors[0] if mirrors else f"event:{event.kind}"[:160]
