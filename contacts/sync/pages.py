"""Writing a page of customers in sets: no query per customer."""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from django.db import connection

from contacts import announcements, follows, people, search
from contacts.caches import refresh_customers
from contacts.models import Customer, Staff
from contacts.sync.job import Job
from scrm.base.models.announcement import Source
from scrm.wecom.schemas import ContactDetail, ContactPage, FollowInfo

# Rows in order of their id, so that pages of several staff members never wait for each other in a circle. Rows that stay
# as they are get locked all the same. `read_at` is left to complete reads: a page shows one friendship of many.
_CUSTOMERS = """
INSERT INTO contacts_customer AS c (external_userid, name, search, avatar, type, gender, unionid, position, corp_name,
                                    corp_full_name, first_state, open_follows)
SELECT p.external_userid, p.name, coalesce(p.search, '{}'), p.avatar, p.type, p.gender, p.unionid, p.position,
       p.corp_name, p.corp_full_name, '', 0
FROM jsonb_to_recordset(%(rows)s) AS p (external_userid text, name text, search text[], avatar text, type int, gender int,
                                        unionid text, position text, corp_name text, corp_full_name text)
ORDER BY p.external_userid
ON CONFLICT (external_userid) DO UPDATE
SET name = excluded.name, avatar = excluded.avatar, type = excluded.type, gender = excluded.gender,
    unionid = excluded.unionid, position = excluded.position, corp_name = excluded.corp_name,
    corp_full_name = excluded.corp_full_name, changed_at = statement_timestamp(),
    search = CASE WHEN excluded.search = '{}' THEN c.search ELSE excluded.search END
WHERE (c.read_at IS NULL OR c.read_at < %(started_at)s)
  AND (c.name, c.avatar, c.type, c.gender, c.unionid, c.position, c.corp_name, c.corp_full_name)
      IS DISTINCT FROM (excluded.name, excluded.avatar, excluded.type, excluded.gender, excluded.unionid,
                        excluded.position, excluded.corp_name, excluded.corp_full_name)
RETURNING c.id, xmax = 0
"""
_KEYS = """
SELECT id, external_userid, read_at IS NULL OR read_at < %s FROM contacts_customer WHERE external_userid = ANY(%s)
"""

# Four things in one statement. Open periods are described; the list keeps the state of the first scan, which counts for
# a first period only (platform.md 19). Presence opens a first period and no other: the platform keeps listing those who
# deleted us (platform.md 17). Where it may say more, the ledger's own verb decides: of who is known from events only,
# such as an end whose beginning was lost, and of who is shown though staff, or before the list's date, ended it.
_FOLLOWS = """
WITH page AS (
    SELECT p.*, p.add_way = ANY(%(transfers)s) AS transfer,
           EXISTS (SELECT 1 FROM contacts_follow f WHERE f.staff_id = p.staff_id AND f.customer_id = p.customer_id) AS known,
           EXISTS (SELECT 1 FROM contacts_followevidence e
                   WHERE e.staff_id = p.staff_id AND e.customer_id = p.customer_id) AS told,
           coalesce((SELECT f.ended_by = 'staff' OR p.listed_at > f.ended_at FROM contacts_follow f
                     WHERE f.staff_id = p.staff_id AND f.customer_id = p.customer_id
                     ORDER BY f.added_at DESC, f.id DESC LIMIT 1), false) AS shown_again
    FROM jsonb_to_recordset(%(rows)s) AS p (staff_id bigint, customer_id bigint, listed_at timestamptz, remark text,
        description text, tag_ids text[], add_way int, state text, oper_userid text)
), open_now AS (
    SELECT o.id, p.remark, p.description, p.tag_ids, p.add_way, p.oper_userid, o.by_transfer OR p.transfer AS transfer,
           CASE WHEN o.state = '' AND NOT EXISTS (
                    SELECT 1 FROM contacts_follow e
                    WHERE e.staff_id = o.staff_id AND e.customer_id = o.customer_id AND e.added_at < o.added_at)
                THEN p.state ELSE o.state END AS state
    FROM page p JOIN contacts_follow o USING (staff_id, customer_id) WHERE o.ended_at IS NULL
), described AS (
    UPDATE contacts_follow f
    SET remark = n.remark, description = n.description, tag_ids = n.tag_ids, add_way = n.add_way, state = n.state,
        oper_userid = n.oper_userid, by_transfer = n.transfer, changed_at = statement_timestamp()
    FROM open_now n
    WHERE f.id = n.id
      AND (f.remark, f.description, f.tag_ids::text[], f.add_way, f.state, f.oper_userid, f.by_transfer)
          IS DISTINCT FROM (n.remark, n.description, n.tag_ids, n.add_way, n.state, n.oper_userid, n.transfer)
    RETURNING f.id, f.staff_id, f.customer_id
), opened AS (
    INSERT INTO contacts_follow (staff_id, customer_id, added_at, added_known_by, listed_at, by_transfer, half, ended_by,
                                 ended_known_by, add_way, state, oper_userid, remark, description, tag_ids)
    SELECT staff_id, customer_id, coalesce(listed_at, %(started)s), 'sync', listed_at, transfer, false, '',
           '', add_way, state, oper_userid, remark, description, tag_ids
    FROM page WHERE NOT known AND NOT told
    ON CONFLICT DO NOTHING
    RETURNING id, staff_id, customer_id
)
SELECT 'described', * FROM described UNION ALL SELECT 'opened', * FROM opened
UNION ALL SELECT 'undecided', 0, staff_id, customer_id FROM page WHERE told AND NOT known OR shown_again
"""

_SEEN = """
INSERT INTO contacts_syncseen (run_id, staff_id, customer_id)
SELECT %s, p.staff, p.customer FROM unnest(%s::bigint[], %s::bigint[]) AS p (staff, customer)
"""


@dataclass(frozen=True)
class _People:
    """Primary keys of a page's customers: all, those without a complete read later than the page, and new ones."""

    keys: dict[str, int]
    fresh: set[int]
    new: set[int]


def write(job: Job, page: ContactPage, *, started_at: dt.datetime, started: dt.datetime) -> None:
    """Takes a page over, in the caller's transaction. `started_at`, `started`: when its read began, by the database's
    clock and in domain time. A customer who has been read later is only noted as seen."""
    details = {(info.userid, one.external_userid): (one, info) for one in page.contacts for info in one.follows}
    if not details:
        return
    staff = {
        userid: row.pk for userid, row in people.staff_by_userid(info.userid for _, info in details.values()).items()
    }
    found = _write_people({one.external_userid: one for one, _ in details.values()}, started_at)
    pairs = {(staff[userid], found.keys[person]): info for (userid, person), (_, info) in details.items()}
    _execute(_SEEN, [job.run.pk, [one for one, _ in pairs], [other for _, other in pairs]])
    _write_follows(job, {pair: info for pair, info in pairs.items() if pair[1] in found.fresh}, started)
    job.counted(follows=len(pairs))
    job.drifted(customers_missing=len(found.new))


def _write_people(details: dict[str, ContactDetail], started_at: dt.datetime) -> _People:
    names = dict(Customer.objects.filter(external_userid__in=details).values_list("external_userid", "name"))
    rows = [_person(detail, named=names.get(key) == detail.name[:128]) for key, detail in details.items()]
    written = _execute(_CUSTOMERS, {"rows": json.dumps(rows), "started_at": started_at})
    keys = _execute(_KEYS, [started_at, list(details)])
    return _People(
        keys={external_userid: pk for pk, external_userid, _ in keys},
        fresh={pk for pk, _, fresh in keys if fresh},
        new={pk for pk, inserted in written if inserted},
    )


def _person(detail: ContactDetail, *, named: bool) -> dict[str, Any]:
    """`named`: the name is known, so that its search words need not be made again (they cost more than the rest)."""
    return {
        "external_userid": detail.external_userid,
        "search": None if named else search.index(detail.name[:128]),
        **people.profile_of(detail),
    }


def _write_follows(job: Job, pairs: dict[tuple[int, int], FollowInfo], started: dt.datetime) -> None:
    rows = json.dumps([_follow(pair, info) for pair, info in pairs.items()])
    given = {
        "rows": rows,
        "transfers": sorted(follows.HANDED_OVER),
        "started": started,
    }
    described: set[int] = set()
    began: list[tuple[int, int]] = []
    for what, pk, staff_id, customer_id in _execute(_FOLLOWS, given):
        if what == "described":
            described.add(customer_id)
        elif what == "opened":
            began.append((pk, customer_id))
        else:
            change = _decide(staff_id, customer_id, pairs[staff_id, customer_id])
            began += [(row.pk, customer_id) for row in change.began]
            described.update(row.customer_id for row in change.went_on)
    refresh_customers([*described, *(customer for _, customer in began)])
    if began and not job.run.first:  # everybody in a first sync was there before us
        announcements.began((pk for pk, _ in began), source=Source.SYNC)
    job.drifted(follows_missing=len(began), follows_changed=len(described))


def _decide(staff_id: int, customer_id: int, info: FollowInfo) -> follows.Change:
    staff, customer = Staff.objects.get(pk=staff_id), Customer.objects.get(pk=customer_id)
    return follows.recompute(staff, customer, listed=info)


def _follow(pair: tuple[int, int], info: FollowInfo) -> dict[str, Any]:
    return {
        "staff_id": pair[0],
        "customer_id": pair[1],
        "listed_at": info.created_at.isoformat() if info.created_at else None,
        "remark": info.remark[:256],
        "description": info.description,
        "tag_ids": sorted(set(info.tag_ids)),
        "add_way": info.add_way,
        "state": info.state[:128],
        "oper_userid": info.oper_userid[:64],
    }


def _execute(sql: str, given: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return list(cursor.fetchall()) if cursor.description else []
