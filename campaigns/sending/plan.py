"""Planning: who gets a broadcast from whom, and why the others don't. The forecast and the frozen rows are one query."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from campaigns.models import PARTITIONS, Broadcast, Delivery
from campaigns.sending import audience, rules
from contacts.models import Staff
from scrm.base import clock
from scrm.wecom.api.messages import MAX_CHATS, MAX_CUSTOMERS

Reason = Delivery.Reason
MANY_TAPS = 6  # a day and person, from which a planner warns (platform.md 6)
SAME_WITHIN = dt.timedelta(hours=6)  # the same words to the same person in this time: somebody pressed send twice
MANY = 50_000  # recipients from which counting what everybody has received is faster than asking for each
MOST_DAYS_AHEAD = 31  # a broadcast's deliveries may lie so long before it is sent


@dataclass(frozen=True)
class Plan:
    """What approving would do. `taps`: {userid: confirmations this broadcast asks of them}; `people`: recipients of
    each; `taps_of_day`: with the other broadcasts of that day."""

    planned: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    dispatches: int = 0
    taps: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    taps_of_day: dict[str, int] = field(default_factory=dict)

    @property
    def overloaded(self) -> dict[str, int]:
        """Who would have to confirm more than MANY_TAPS times that day."""
        return {userid: taps for userid, taps in self.taps_of_day.items() if taps > MANY_TAPS}


def forecast(broadcast: Broadcast) -> Plan:
    """What would happen if the broadcast were approved now. Writes nothing."""
    chosen = audience.of(broadcast)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_WORK_MEMORY)
        cursor.execute(_judged(broadcast, chosen) + _FORECAST, _values(broadcast, chosen))
        rows = cursor.fetchall()
    excluded = Counter({Reason.DUPLICATE.value: chosen.doubled, Reason.UNKNOWN.value: chosen.unknown})
    taps: Counter[int] = Counter()
    people: Counter[int] = Counter()
    for reason, staff_id, part, count in rows:
        if reason:
            excluded[reason] += count
        else:
            taps[staff_id] = max(taps[staff_id], part + 1)
            people[staff_id] += count
    return _plan(broadcast, excluded, taps, people)


def _plan(broadcast: Broadcast, excluded: Counter[str], taps: Counter[int], people: Counter[int]) -> Plan:
    userids = dict(Staff.objects.filter(pk__in=taps).values_list("pk", "userid"))
    with connection.cursor() as cursor:
        cursor.execute(_TAPS_OF_DAY, [list(taps), *_day(broadcast.create_at)])
        others = dict(cursor.fetchall())
    return Plan(
        planned=people.total(),
        excluded={reason: count for reason, count in excluded.items() if count},
        dispatches=taps.total(),
        taps={userids[key]: count for key, count in taps.items()},
        people={userids[key]: count for key, count in people.items()},
        taps_of_day={userids[key]: count + others.get(key, 0) for key, count in taps.items()},
    )


def freeze(broadcast: Broadcast) -> None:
    """Writes the deliveries and dispatches of an approved broadcast, in the caller's transaction, and its counts."""
    broadcast.plan_date = clock.today()
    # Its own month alone: the year ahead is made at night, for it locks out whoever reads the default partition.
    PARTITIONS.ensure([broadcast.plan_date], today=broadcast.plan_date, ahead=0)
    chosen = audience.of(broadcast)
    with connection.cursor() as cursor:
        cursor.execute(_WORK_MEMORY)
        freezing = _FREEZE.format(column=_key(broadcast))
        cursor.execute(_judged(broadcast, chosen) + freezing, _values(broadcast, chosen))
        counts: Counter[str] = Counter(dict(cursor.fetchall()))
    broadcast.planned = counts.pop("", 0)
    counts.update({Reason.DUPLICATE.value: chosen.doubled, Reason.UNKNOWN.value: chosen.unknown})
    broadcast.excluded = {reason: count for reason, count in counts.items() if count}


def _judged(broadcast: Broadcast, chosen: audience.Audience) -> str:
    """The common part of both queries, up to the rows with sender, reason and part."""
    if broadcast.to_chats:
        steps, columns = _FOR_CHATS, {"key": "pk", "dismissed_at": "dismissed_at", "owner_id": "owner_id"}
    else:
        least = broadcast.staff_choice == Broadcast.StaffChoice.LEAST_LOADED
        order = _ORDER[Broadcast.StaffChoice(broadcast.staff_choice)]
        join = "LEFT JOIN load l ON l.staff_id = f.staff_id" if least else ""
        steps = _FOR_CUSTOMERS.format(load=_LOAD if least else "", load_join=join, order=order)
        columns = {"key": "pk", "refuses_at": "do_not_contact_at", "first_added_at": "first_added_at"}
    rows = _as_text(chosen.rows.values_list(*columns.values()))
    able = _as_text(chosen.senders.able_to_send().values_list("pk"))
    key = _key(broadcast)
    among = "" if chosen.size > MANY else f"AND d.{key} IN (SELECT key FROM audience)"  # noqa: S608  a name of ours
    return _JUDGED.format(columns=", ".join(columns), rows=rows, able=able, chosen=steps, key=key, among=among)


def _key(broadcast: Broadcast) -> str:
    return "chat_id" if broadcast.to_chats else "customer_id"


def _as_text(rows: QuerySet[Any]) -> str:
    """A queryset as a part of a larger statement, its values quoted by the driver."""
    sql, values = rows.order_by().query.sql_with_params()
    with connection.cursor() as cursor:
        quoted: bytes = cursor.cursor.mogrify(sql, values)
    return quoted.decode().replace("%", "%%")


def _day(moment: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """The bounds of the company day of `moment`."""
    day = clock.day_of(moment)
    return clock.day_start(day), clock.day_start(day + dt.timedelta(days=1))


def _values(broadcast: Broadcast, chosen: audience.Audience) -> dict[str, Any]:
    at = max(broadcast.create_at, clock.now())
    rule = rules.receive_rule(at)
    cap_start = at - dt.timedelta(days=rules.CAP_DAYS)
    day_start, day_end = _day(broadcast.create_at)
    return {
        "broadcast": broadcast.pk or 0,
        "digest": broadcast.digest,
        "plan_date": broadcast.plan_date,
        "size": MAX_CHATS if broadcast.to_chats else MAX_CUSTOMERS,
        "same_from": broadcast.create_at - SAME_WITHIN,
        "same_to": broadcast.create_at + SAME_WITHIN,
        "history": (min(rule.start, cap_start) - dt.timedelta(days=MOST_DAYS_AHEAD)).date(),
        "rule_start": rule.start,
        "rule_end": rule.end,
        "rule_most": rule.most,
        "cap_start": cap_start,
        "cap": settings.SEND_CAP_PER_WEEK or None,
        "quiet": rules.quiet_until(at) is not None,
        "day_start": day_start,
        "day_end": day_end,
    }


# Sorting a few hundred thousand people in memory rather than on disk.
_WORK_MEMORY = "SET LOCAL work_mem = '64MB'"

# The one query behind forecast and plan: each row of the audience with its sender and the reason against it.
_JUDGED = """
WITH audience ({columns}) AS MATERIALIZED ({rows}),
able (id) AS MATERIALIZED ({able}),
{chosen},
twice AS (
    SELECT DISTINCT d.{key} AS key FROM campaigns_broadcast b JOIN campaigns_delivery d ON d.broadcast_id = b.id
    WHERE b.digest = %(digest)s AND b.id <> %(broadcast)s AND b.create_at > %(same_from)s AND b.create_at < %(same_to)s
      AND d.plan_date >= %(history)s AND d.state IN ('planned', 'sent')
),
received AS (
    SELECT d.{key} AS key,
           count(*) FILTER (WHERE d.sent_at IS NULL OR d.sent_at >= %(rule_start)s AND d.sent_at < %(rule_end)s) AS by_rule,
           count(*) FILTER (WHERE d.sent_at IS NULL OR d.sent_at >= %(cap_start)s) AS by_cap
    FROM campaigns_delivery d
    WHERE d.plan_date >= %(history)s AND d.state IN ('planned', 'sent') AND d.{key} IS NOT NULL {among}
    GROUP BY d.{key}
),
judged AS (
    SELECT c.key, c.staff_id,
           CASE WHEN t.key IS NOT NULL THEN 'duplicate'
                WHEN c.reason <> '' THEN c.reason
                WHEN r.by_rule >= %(rule_most)s THEN 'receive_rule'
                WHEN r.by_cap >= %(cap)s THEN 'cap'
                WHEN %(quiet)s THEN 'quiet_hours'
                ELSE '' END AS reason
    FROM chosen c LEFT JOIN received r USING (key) LEFT JOIN twice t USING (key)
),
parted AS MATERIALIZED (
    SELECT key, staff_id, reason,
           CASE WHEN reason = '' THEN
               (row_number() OVER (PARTITION BY reason = '', staff_id) - 1) / %(size)s END AS part
    FROM judged
)
"""

# The best of each customer's friends among the staff: who may send before who may not, full ones before half ones.
_FOR_CUSTOMERS = """
{load}
best AS (
    SELECT DISTINCT ON (a.key) a.key, a.refuses_at, a.first_added_at, f.half,
           CASE WHEN s.id IS NOT NULL AND NOT f.half THEN f.staff_id END AS staff_id
    FROM audience a
    LEFT JOIN contacts_follow f ON f.customer_id = a.key AND f.ended_at IS NULL
    LEFT JOIN able s ON s.id = f.staff_id {load_join}
    ORDER BY a.key, (s.id IS NOT NULL AND NOT f.half) DESC, f.half, {order}
),
chosen AS (
    SELECT key, staff_id,
           CASE WHEN refuses_at IS NOT NULL THEN 'do_not_contact'
                WHEN half IS NULL AND first_added_at IS NOT NULL THEN 'lost'
                WHEN half THEN 'half'
                WHEN staff_id IS NULL THEN 'no_staff'
                ELSE '' END AS reason
    FROM best
)
"""

# What each of them sends that day already, and how many in this audience only they can reach.
_LOAD = """
bound AS (
    SELECT min(f.staff_id) AS staff_id
    FROM audience a JOIN contacts_follow f ON f.customer_id = a.key AND f.ended_at IS NULL AND NOT f.half
    JOIN able s ON s.id = f.staff_id
    GROUP BY a.key HAVING count(*) = 1
),
load AS MATERIALIZED (
    SELECT id AS staff_id,
           (SELECT count(*) FROM bound b WHERE b.staff_id = able.id) + (
               SELECT coalesce(sum(d.recipients), 0) FROM campaigns_dispatch d
               JOIN campaigns_broadcast b ON b.id = d.broadcast_id
               WHERE d.staff_id = able.id AND d.state NOT IN ('refused', 'cancelled')
                 AND b.create_at >= %(day_start)s AND b.create_at < %(day_end)s
           ) AS load
    FROM able
),
"""

_ORDER = {
    Broadcast.StaffChoice.OWNER: "f.added_at, f.staff_id",
    Broadcast.StaffChoice.LATEST: "f.added_at DESC, f.staff_id",
    Broadcast.StaffChoice.LEAST_LOADED: "l.load, f.added_at, f.staff_id",
}

_FOR_CHATS = """
chosen AS (
    SELECT a.key, s.id AS staff_id,
           CASE WHEN a.dismissed_at IS NOT NULL THEN 'dismissed' WHEN s.id IS NULL THEN 'no_staff' ELSE '' END AS reason
    FROM audience a LEFT JOIN able s ON s.id = a.owner_id
)
"""

_FORECAST = "SELECT reason, staff_id, part, count(*) FROM parted GROUP BY reason, staff_id, part"

_FREEZE = """,
made AS (
    INSERT INTO campaigns_dispatch (broadcast_id, staff_id, number, digest, recipients)
    SELECT %(broadcast)s, staff_id, part, %(digest)s, count(*) FROM parted WHERE reason = '' GROUP BY staff_id, part
    RETURNING id, staff_id, number
),
frozen AS (
    INSERT INTO campaigns_delivery (plan_date, broadcast_id, dispatch_id, staff_id, {column}, state, reason)
    SELECT %(plan_date)s::date, %(broadcast)s, m.id, p.staff_id, p.key,
           CASE WHEN p.reason = '' THEN 'planned' ELSE 'excluded' END, p.reason
    FROM parted p LEFT JOIN made m ON p.reason = '' AND m.staff_id = p.staff_id AND m.number = p.part
)
SELECT reason, count(*) FROM parted GROUP BY reason
"""

_TAPS_OF_DAY = """
SELECT d.staff_id, count(*) FROM campaigns_dispatch d JOIN campaigns_broadcast b ON b.id = d.broadcast_id
WHERE d.staff_id = ANY (%s) AND d.state NOT IN ('refused', 'cancelled') AND b.create_at >= %s AND b.create_at < %s
GROUP BY d.staff_id
"""
