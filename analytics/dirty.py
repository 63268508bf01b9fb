"""Which days of a stat no longer say what the ledger says, found by the ledger's `changed_at`."""

import datetime as dt

from django.db import connection

from analytics.models import FillState
from analytics.stats import STATS, Ledger, Stat, definition, personas
from scrm.base import clock

# Rows become visible when their transaction commits, with the time at which it began. So nothing is settled that is
# younger than the oldest running transaction; the second covers the moment between a transaction's begin and its
# appearance in the list.
_SETTLED = """
SELECT least(clock_timestamp(), min(xact_start)) - interval '1 second' FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend'
"""

_ALL = """
SELECT ({at} AT TIME ZONE %(zone)s)::date FROM {table} WHERE {at} IS NOT NULL GROUP BY 1
UNION SELECT day FROM analytics_fact WHERE stat = %(stat)s GROUP BY 1
"""

# The person's days in the ledger now, and the days on which we counted them before: a corrected time dirties both.
_OF_PERSONS = """
WITH changed AS MATERIALIZED (
    SELECT DISTINCT {person} AS person FROM {table} WHERE changed_at >= %(since)s AND {person} IS NOT NULL
)
SELECT (l.{at} AT TIME ZONE %(zone)s)::date FROM changed JOIN {table} l ON l.{person} = changed.person
WHERE l.{at} IS NOT NULL
UNION SELECT f.day FROM changed JOIN analytics_fact f ON f.customer_id = changed.person AND f.stat = %(stat)s
"""

# A welcome never changes its day; it waits for the mirror to learn who its staff member is.
_OF_WELCOMES = """
SELECT (happened_at AT TIME ZONE %(zone)s)::date FROM campaigns_welcome WHERE changed_at >= %(since)s
UNION SELECT f.day FROM analytics_fact f
JOIN campaigns_welcome w ON w.id = f.source_id JOIN contacts_staff s ON s.userid = w.userid
WHERE f.stat = 'welcomes' AND f.staff_id IS NULL
"""


def settled_until() -> dt.datetime:
    """The database's time before which no transaction can still write. Read it before looking for changes."""
    with connection.cursor() as cursor:
        cursor.execute(_SETTLED)
        until: dt.datetime = cursor.fetchone()[0]
    return until


def days(stat: Stat, since: dt.datetime | None) -> list[dt.date]:
    """The stat's days that changes since `since` (the database's clock) touch; None: all days there are."""
    since_then = _OF_PERSONS if stat.ledger.person else _OF_WELCOMES
    query = _ALL if since is None else since_then
    values = {"zone": str(clock.zone()), "stat": stat.name, "since": since}
    names = {"table": stat.ledger.table, "person": stat.ledger.person, "at": stat.at}
    with connection.cursor() as cursor:
        cursor.execute(query.format(**names), values)
        return sorted(day for (day,) in cursor.fetchall())


def changed(ledger: Ledger, since: dt.datetime) -> bool:
    """Whether any row of the ledger was written since."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {ledger.table} WHERE changed_at >= %s)", [since])  # noqa: S608  our own names
        return bool(cursor.fetchone()[0])


def is_clean() -> bool:
    """Whether every stat has taken over all that is committed in the ledgers."""
    states = {state.stat: state for state in FillState.objects.all()}
    excluded = personas()
    for stat in STATS.values():
        state = states.get(stat.name)
        if state is None or state.filled_to is None:
            if _holds_rows(stat.ledger):
                return False
        elif state.definition != definition(stat, excluded) or changed(stat.ledger, state.filled_to):
            return False
    return True


def _holds_rows(ledger: Ledger) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {ledger.table})")  # noqa: S608  our own names
        return bool(cursor.fetchone()[0])
