"""Loads a generated history into the ledgers in bulk: what callbacks and syncs would have written, and no message to
anybody. The stand-in holds the end of the same history, so that both agree.
"""

import dataclasses
import datetime as dt
import math
from collections.abc import Iterable

from django.db import connection, transaction

from analytics import fill
from contacts import address_book, search
from contacts.caches import refresh_customers
from contacts.models import Channel, Customer, Staff, SyncRun
from groups.models import GroupChat
from groups.stays import refresh_people
from scrm.base import clock
from scrm.base.dbclock import db_now
from scrm.site.demo import load_sql
from scrm.site.demo.load_sends import load_sends
from scrm.site.demo.operator import operator
from scrm.site.demo.options import EMPTY, Options
from scrm.site.demo.staging import stage
from scrm.standin.scenarios import history
from scrm.standin.scenarios.rows import History, TagRow
from scrm.wecom.errors import meaning
from scrm.wecom.schemas import DepartmentInfo, TagGroupInfo, TagInfo

CUSTOMERS_AT_ONCE = 20_000
LARGE = 50_000  # customers from which on the planner needs fresh statistics


def load(options: Options) -> bool:
    """Loads the history that `options` name, in one transaction, then fills its numbers.

    False when there is none, or when this database has been loaded or synchronised before.
    """
    if options.scenario == EMPTY or SyncRun.objects.exists():
        return False
    until = dt.datetime.fromisoformat(options.until)
    rows = history(options.scenario, customers=options.customers or 0, days=options.days or 0, until=until)
    with transaction.atomic():
        _load_corp(rows)
        _load_people(rows)
        _load_chats(rows)
        _load_welcomes(rows)
        load_sends(rows, operator())
        _note_syncs(rows)
    if len(rows.customers) > LARGE:
        _analyse()
    # Older days are left to the worker that fills what is dirty: until then they are hatched as before the connection.
    fill.fill(clock.day_of(clock.from_unix(rows.since)), clock.today() + dt.timedelta(days=1))
    return True


def _load_corp(rows: History) -> None:
    now = db_now()
    address_book.apply_departments([DepartmentInfo(*row) for row in rows.departments], started_at=now)
    address_book.apply_tags(_tag_groups(rows.tags), started_at=now)
    Staff.objects.bulk_create(
        Staff(
            userid=row.userid,
            name=row.name,
            position=row.position,
            department_ids=list(row.departments),
            main_department=row.departments[0],
            status=row.status,
            serves_customers=row.follows,
            read_at=now,
        )
        for row in rows.staff
    )
    Channel.objects.bulk_create(
        [Channel(state=row.state, name=row.name) for row in rows.channels], ignore_conflicts=True
    )


def _tag_groups(rows: Iterable[TagRow]) -> list[TagGroupInfo]:
    found: dict[str, TagGroupInfo] = {}
    for row in rows:
        tag = TagInfo(row.tag_id, row.name, row.order, None, deleted=False)
        group = found.get(row.group_id) or TagGroupInfo(row.group_id, row.group_name, row.group_order, None, False, ())
        found[row.group_id] = dataclasses.replace(group, tags=(*group.tags, tag))
    return list(found.values())


def _load_people(rows: History) -> None:
    words: dict[str, tuple[str, ...]] = {}  # names repeat, and finding their pinyin costs more than all the rest
    stage(
        "staged_customer",
        "external_userid text, name text, search text[], type int, gender int, unionid text, avatar text",
        (
            (
                row.external_userid,
                row.name,
                words.get(row.name) or words.setdefault(row.name, tuple(search.index(row.name))),
                row.type,
                row.gender,
                row.unionid,
                row.avatar,
            )
            for row in rows.customers
        ),
    )
    _run(load_sql.CUSTOMERS)
    stage(
        "staged_follow",
        "place int, external_userid text, userid text, added_at bigint, add_way int, state text, half boolean,"
        " remark text, description text, tag_ids text[], ended_at bigint, ended_by text",
        ((place, *row._replace(tag_ids=tuple(sorted(row.tag_ids)))) for place, row in enumerate(rows.follows)),
    )
    _run(load_sql.FOLLOWS)
    keys = list(Customer.objects.order_by("pk").values_list("pk", flat=True))
    for first in range(0, len(keys), CUSTOMERS_AT_ONCE):
        refresh_customers(keys[first : first + CUSTOMERS_AT_ONCE])


def _load_chats(rows: History) -> None:
    stage(
        "staged_chat",
        "chat_id text, name text, owner text, created_at bigint, notice text, admins text[], member_version text,"
        " dismissed_at bigint",
        rows.chats,
    )
    _run(load_sql.CHATS, since=rows.since)
    stage(
        "staged_stay",
        "chat_id text, member_id text, member_type int, joined_at bigint, join_scene int, state text, invitor text,"
        " left_at bigint, quit_scene int",
        rows.stays,
    )
    _run(load_sql.STAYS, since=rows.since)
    refresh_people(list(GroupChat.objects.values_list("pk", flat=True)))


def _load_welcomes(rows: History) -> None:
    stage(
        "staged_welcome",
        "external_userid text, userid text, added_at bigint, state text, code text, outcome text, errcode int,"
        " latency_ms int, reason text",
        (
            (*row, str(meaning(row.errcode).text) if row.errcode else "")
            for row in rows.welcomes
            if row.code  # without one there was no welcome to send
        ),
    )
    _run(load_sql.WELCOMES)


def _note_syncs(rows: History) -> None:
    """The corp was connected on the first day and synchronised in the last night."""
    since, until = clock.from_unix(rows.since), clock.from_unix(rows.until)
    counts = {
        "chats": len(rows.chats),
        "customers": Customer.objects.kept().count(),
        "departments": len(rows.departments),
        "follows": len(rows.follows),
        "members": sum(stay.left_at is None for stay in rows.stays),
        "staff": len(rows.staff),
        "tags": len(rows.tags),
    }
    calls = len(rows.departments) + len(rows.staff) + math.ceil(len(rows.follows) / 100) + len(rows.chats)
    took = dt.timedelta(seconds=round(10 + calls * 0.1))
    night = clock.day_start(clock.day_of(until)) + dt.timedelta(hours=3, minutes=10)
    for first, begun in ((True, since), (False, max(since + took, night - dt.timedelta(days=night > until)))):
        run = SyncRun(state=SyncRun.State.DONE, first=first, api_calls=calls, counts=counts)
        run.started_at = run.started_real_at = begun
        run.finished_at = run.finished_real_at = begun + took
        run.save()


def _run(sql: str, **given: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)


def _analyse() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE contacts_customer, contacts_follow, groups_stay, groups_groupchat, campaigns_welcome, campaigns_delivery"
        )
