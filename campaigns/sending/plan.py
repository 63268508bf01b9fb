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
    PARTITIONS.ensure([broadcast.plan_date], today=broadcast.plan_date)
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
        steps = _FOR_CHATS
    else:
        least = broadcast.staff_choice == Broadcast.StaffChoice.LEAST_LOADED
        order = _ORDER[Broadcast.StaffChoice(broadcast.staff_choice)]
        join = "JOIN load USING (staff_id)" if least else ""
        steps = _FOR_CUSTOMERS.format(load=_LOAD if least else "", load_join=join, order=order)
    return _JUDGED.format(rows=_as_text(chosen.rows.values("pk")), chosen=steps, key=_key(broadcast))


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
        "senders": chosen.senders,
        "size": MAX_CHATS if broadcast.to_chats else MAX_CUSTOMERS,
        "same_from": broadcast.create_at - SAME_WITHIN,
        "same_to": broadcast.create_at + SAME_WITHIN,
        "history": min(rule.start, cap_start) - dt.timedelta(days=MOST_DAYS_AHEAD),
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
WITH audience (key) AS MATERIALIZED ({rows}),
able AS MATERIALIZED (
    SELECT id FROM contacts_staff
    WHERE left_at IS NULL AND serves_customers AND status NOT IN (2, 4, 5)
      AND (%(senders)s::bigint[] IS NULL OR id = ANY (%(senders)s::bigint[]))
),
{chosen},
same AS MATERIALIZED (
    SELECT id FROM campaigns_broadcast
    WHERE digest = %(digest)s AND id <> %(broadcast)s AND create_at > %(same_from)s AND create_at < %(same_to)s
),
received AS MATERIALIZED (
    SELECT d.{key} AS key,
           count(*) FILTER (WHERE d.state = 'planned' OR d.sent_at >= %(rule_start)s AND d.sent_at < %(rule_end)s) AS by_rule,
           count(*) FILTER (WHERE d.state = 'planned' OR d.sent_at >= %(cap_start)s) AS by_cap,
           bool_or(d.broadcast_id IN (SELECT id FROM same)) AS twice
    FROM campaigns_delivery d
    WHERE d.plan_date >= %(history)s::date AND d.state IN ('planned', 'sent')
      AND d.{key} IN (SELECT key FROM audience)
    GROUP BY d.{key}
),
judged AS MATERIALIZED (
    SELECT c.key, c.staff_id,
           CASE WHEN r.twice THEN 'duplicate'
                WHEN c.reason <> '' THEN c.reason
                WHEN r.by_rule >= %(rule_most)s THEN 'receive_rule'
                WHEN r.by_cap >= %(cap)s THEN 'cap'
                WHEN %(quiet)s THEN 'quiet_hours'
                ELSE '' END AS reason
    FROM chosen c LEFT JOIN received r USING (key)
),
parted AS MATERIALIZED (
    SELECT key, staff_id, reason,
           CASE WHEN reason = '' THEN
               (row_number() OVER (PARTITION BY reason, staff_id ORDER BY key) - 1) / %(size)s END AS part
    FROM judged
)
"""

# One staff member for each customer, among those who are full friends and may send. `load`: what they send that day
# already, and those in this audience whom only they can reach.
_FOR_CUSTOMERS = """
friends AS MATERIALIZED (
    SELECT f.customer_id, f.staff_id, f.half, f.added_at, a.id IS NOT NULL AS able
    FROM contacts_follow f LEFT JOIN able a ON a.id = f.staff_id
    WHERE f.ended_at IS NULL AND f.customer_id IN (SELECT key FROM audience)
),
{load}
sender AS MATERIALIZED (
    SELECT DISTINCT ON (customer_id) customer_id, staff_id
    FROM friends {load_join}
    WHERE able AND NOT half ORDER BY customer_id, {order}
),
standing AS MATERIALIZED (SELECT customer_id, bool_and(half) AS half FROM friends GROUP BY customer_id),
chosen AS MATERIALIZED (
    SELECT a.key, s.staff_id,
           CASE WHEN c.do_not_contact_at IS NOT NULL THEN 'do_not_contact'
                WHEN t.customer_id IS NULL AND c.first_added_at IS NOT NULL THEN 'lost'
                WHEN t.half THEN 'half'
                WHEN s.staff_id IS NULL THEN 'no_staff'
                ELSE '' END AS reason
    FROM audience a JOIN contacts_customer c ON c.id = a.key
    LEFT JOIN standing t ON t.customer_id = a.key LEFT JOIN sender s ON s.customer_id = a.key
)
"""

_LOAD = """
bound AS (
    SELECT min(staff_id) AS staff_id FROM friends WHERE able AND NOT half GROUP BY customer_id HAVING count(*) = 1
),
load AS MATERIALIZED (
    SELECT id AS staff_id,
           (SELECT count(*) FROM bound o WHERE o.staff_id = able.id) + (
               SELECT coalesce(sum(d.recipients), 0) FROM campaigns_dispatch d
               JOIN campaigns_broadcast b ON b.id = d.broadcast_id
               WHERE d.staff_id = able.id AND d.state NOT IN ('refused', 'cancelled')
                 AND b.create_at >= %(day_start)s AND b.create_at < %(day_end)s
           ) AS load
    FROM able
),
"""

_ORDER = {
    Broadcast.StaffChoice.OWNER: "added_at, staff_id",
    Broadcast.StaffChoice.LATEST: "added_at DESC, staff_id",
    Broadcast.StaffChoice.LEAST_LOADED: "load, added_at, staff_id",
}

_FOR_CHATS = """
chosen AS MATERIALIZED (
    SELECT a.key, s.id AS staff_id,
           CASE WHEN c.dismissed_at IS NOT NULL THEN 'dismissed' WHEN s.id IS NULL THEN 'no_staff' ELSE '' END AS reason
    FROM audience a JOIN groups_groupchat c ON c.id = a.key LEFT JOIN able s ON s.id = c.owner_id
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
