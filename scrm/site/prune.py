"""Deleting what has been kept long enough, in batches. Ledgers and their evidence are never pruned.

Settled work of every kind is kept as long as raw callbacks; what waits or failed stays. The inbox, the call log and the
audit trail have settings of their own; a shortened audit trail says so in itself.
"""

import time
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, transaction

from scrm.base import audit, clock
from scrm.wecom import calllog

log = structlog.get_logger(__name__)

BATCH = 5_000
SECONDS = 45.0  # no task lasts longer than a minute
ANNOUNCEMENT_DAYS = 30
VERSION_DAYS = 90
VERSIONS_KEPT = 200  # of each chat, however old: groups.versions walks no further back
RUNS_KEPT = 20  # syncs whose steps are kept


@dataclass(frozen=True)
class _Rule:
    """Which rows go: `sql` deletes at most %(batch)s of them and, where they are a source, their settled work."""

    name: str
    sql: str
    days: int = 0


def _source(table: str, kind: str, age: str) -> str:
    """Sources with open work, or with work that waits for a person, stay."""
    return f"""
WITH old AS (
    SELECT id FROM {table} s WHERE {age}
      AND NOT EXISTS (SELECT 1 FROM base_work w WHERE w.source_kind = '{kind}' AND w.source_id = s.id
                      AND w.state IN ('waiting', 'leased', 'quarantined'))
    ORDER BY id LIMIT %(batch)s FOR UPDATE SKIP LOCKED
), works AS (
    DELETE FROM base_work w USING old WHERE w.source_kind = '{kind}' AND w.source_id = old.id
)
DELETE FROM {table} USING old WHERE {table}.id = old.id
"""  # noqa: S608  our own names


_OLDER = "{} < statement_timestamp() - make_interval(days => %(days)s)"

_VERSIONS = """
DELETE FROM groups_chatversion v USING (
    SELECT id FROM (
        SELECT id, seen_at, row_number() OVER (PARTITION BY chat_id ORDER BY id DESC) AS place FROM groups_chatversion
    ) ranked
    WHERE place > %(kept)s AND seen_at < statement_timestamp() - make_interval(days => %(days)s) LIMIT %(batch)s
) old WHERE v.id = old.id
"""

_OPENED_LINKS = """
DELETE FROM contacts_openedlink WHERE id IN (
    SELECT id FROM contacts_openedlink WHERE opened_at < statement_timestamp() - make_interval(days => %(days)s)
    LIMIT %(batch)s)
"""

_AUDIT = """
DELETE FROM base_auditrecord WHERE id IN (
    SELECT id FROM base_auditrecord WHERE at < statement_timestamp() - make_interval(days => %(days)s)
    ORDER BY id LIMIT %(batch)s)
"""

_STEPS = "s.run_id NOT IN (SELECT id FROM contacts_syncrun ORDER BY id DESC LIMIT %(runs)s)"

# Whatever the source: ledgers, such as the tasks of broadcasts, outlive their work; others go with it or went another way.
_SETTLED = """
DELETE FROM base_work WHERE id IN (
    SELECT id FROM base_work
    WHERE state IN ('done', 'ignored') AND settled_at < statement_timestamp() - make_interval(days => %(days)s)
    LIMIT %(batch)s)
"""


def prune(seconds: float = SECONDS) -> bool:
    """Deletes for at most `seconds`. False when more is left."""
    end = time.monotonic() + seconds
    deleted: dict[str, int] = {}
    finished = True
    for rule in _rules():
        while finished and (count := _delete(rule)):
            deleted[rule.name] = deleted.get(rule.name, 0) + count
            finished = time.monotonic() < end
    deleted["api_calls"] = calllog.prune()
    deleted["sessions"] = Session.objects.filter(expire_date__lt=clock.real_now()).delete()[0]
    if deleted.get("audit_records"):
        audit.record("audit.prune", user=None, rows=deleted["audit_records"], days=settings.AUDIT_RETENTION_DAYS)
    log.info("Old rows were deleted.", finished=finished, **{name: count for name, count in deleted.items() if count})
    return finished


def _rules() -> list[_Rule]:
    days: int = settings.CALLBACK_RETENTION_DAYS
    return [
        _Rule("callbacks", _source("wecom_callback", "callback", _OLDER.format("s.received_at")), days),
        _Rule(
            "announcements",
            _source("base_announcement", "announcement", _OLDER.format("s.announced_at")),
            ANNOUNCEMENT_DAYS,
        ),
        _Rule("sync_steps", _source("contacts_syncstep", "sync_step", _STEPS)),
        _Rule(
            "notices",
            _source("contacts_notice", "notice", _OLDER.format("s.changed_at")),
            settings.NOTICE_RETENTION_DAYS,
        ),
        _Rule("opened_links", _OPENED_LINKS, settings.TASK_LINK_HOURS // 24 + 1),
        _Rule("chat_versions", _VERSIONS, VERSION_DAYS),
        _Rule("audit_records", _AUDIT, settings.AUDIT_RETENTION_DAYS),
        _Rule("settled_work", _SETTLED, days),
    ]


def _delete(rule: _Rule) -> int:
    given = {"batch": BATCH, "days": rule.days, "kept": VERSIONS_KEPT, "runs": RUNS_KEPT}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(rule.sql, given)
        return int(cursor.rowcount)
