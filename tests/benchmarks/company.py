"""A large company, written by set: its customers, chats, sends, welcomes and callbacks of a year, and the facts of them."""

import itertools
from typing import Final

from django.db import connection

from analytics import fill
from campaigns.models import PARTITIONS, Broadcast, Delivery, Dispatch, HandPost, HandPostTick, Welcome, WelcomeRule
from contacts import search
from contacts.models import Channel, Customer, Department, Follow, Notice, Staff, SyncRun, Tag, TagGroup
from groups.models import GroupChat, Stay
from scrm.base import clock
from scrm.base.models import AuditRecord, User, Work
from scrm.wecom.models import ApiCall, Callback
from tests.rows import insert

DAYS: Final = 400
DEPARTMENTS, STAFF = 20, 100  # five members each
CHANNELS, TAGS, NAMES = 50, 200, 2_000
SENDS: Final = (0.6, 0.3, 0.15, 0.06)  # broadcasts to a share of the customers, one a week
PASSED = "to_timestamp(extract(epoch FROM now()) - n * {days} * 86400.0 / {size})"

_SYLLABLES: Final = "王李张刘陈杨黄赵吴周", "小大文志秀建丽国晓雅", "明华芳军英娜强磊敏静林伟云平红飞辉慧亮宁"


def build(size: int, user: User) -> None:
    """`size` customers of 100 staff, one in 64 chats of its size, three callbacks a customer, all days filled."""
    _people(size)
    _chats(size)
    _welcomes(size)
    _sends(size, user)
    _hand_posts(user)
    _inbox(3 * size)
    _others(user)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    fill.fill_dirty()
    with connection.cursor() as cursor:
        for statement in ("ANALYZE",) if connection.in_atomic_block else ("VACUUM ANALYZE", "CHECKPOINT"):
            cursor.execute(statement)


def _ago(size: int, days: int = DAYS) -> str:
    """The n-th of `size` moments, evenly over the last days, the newest first."""
    return PASSED.format(days=days, size=size)


def _nth(table: str, number: str) -> str:
    return f"(SELECT min(id) FROM {table}) + {number}"


def _people(size: int) -> None:
    Department.objects.create(id=1, name="总部", parent_id=0, path=[1])
    Department.objects.bulk_create(
        Department(id=n, name=f"门店{n}", parent_id=1, path=[1, n]) for n in range(2, DEPARTMENTS + 2)
    )
    insert(
        Staff, STAFF, userid="'staff' || n", name="'员工' || n", serves_customers="true",
        department_ids=f"ARRAY[2 + n % {DEPARTMENTS}]::bigint[]", main_department=f"2 + n % {DEPARTMENTS}",
    )  # fmt: skip
    insert(Channel, CHANNELS, state="'ch' || n", name="'渠道' || n", created_at="now()")
    groups = TagGroup.objects.bulk_create(TagGroup(group_id=f"g{n}", name=f"标签组{n}") for n in range(10))
    Tag.objects.bulk_create(Tag(tag_id=f"t{n}", group=groups[n % 10], name=f"标签{n}") for n in range(1, TAGS + 1))
    names = ["".join(parts) for parts in itertools.product(*_SYLLABLES)][:NAMES]
    lost = "n % 16 = 0"
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE bench_name (number integer PRIMARY KEY, name text, search text[])")
        cursor.executemany(
            "INSERT INTO bench_name VALUES (%s, %s, %s)",
            [(n, name, search.index(name)) for n, name in enumerate(names)],
        )
    name = f"(SELECT {{}} FROM bench_name WHERE number = n::bigint * 7919 % {NAMES})"
    at = _ago(size)
    insert(
        Customer, size, external_userid="'wmAAAAAAAAAAAAAAAAAAAA' || lpad(n::text, 10, '0')",
        avatar="'https://wx.qlogo.cn/mmhead/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' || n || '/0'",
        name=name.format("name"), search=name.format("search"),
        open_follows=f"CASE WHEN {lost} THEN 0 ELSE 1 END", first_added_at=at, first_state=f"'ch' || n % {CHANNELS}",
        lost_at=f"CASE WHEN {lost} THEN least({at} + interval '9 days', now()) END",
    )  # fmt: skip
    insert(
        Follow, size, staff_id=_nth("contacts_staff", f"n % {STAFF}"), customer_id=_nth("contacts_customer", "n - 1"),
        added_at=at, state=f"'ch' || n % {CHANNELS}", add_way="n % 10", remark="'备注' || n",
        tag_ids=f"ARRAY['t' || 1 + n % {TAGS}, 't' || 1 + n % 7]",
        ended_at=f"CASE WHEN {lost} THEN least({at} + interval '9 days', now()) END",
        ended_by=f"CASE WHEN {lost} THEN 'customer' ELSE '' END",
    )  # fmt: skip


def _chats(size: int) -> None:
    chats = max(size // 64, 2)
    insert(
        GroupChat, chats, chat_id="'wrAAAAAAAAAAAAAAAAAAAAAAAA' || lpad(n::text, 6, '0')", name="'福利群' || n",
        owner_id=_nth("contacts_staff", f"n % {STAFF}"), created_at=_ago(chats), first_read_at=_ago(chats),
        people="65 + n % 120", external_people="64 + n % 120",
        dismissed_at="CASE WHEN n % 40 = 0 THEN now() - interval '5 days' END",
    )  # fmt: skip
    joined = f"{_ago(size)} + interval '40 seconds'"
    insert(
        Stay, size, chat_id=_nth("groups_groupchat", f"n % {chats}"),
        member_id="'wmAAAAAAAAAAAAAAAAAAAA' || lpad(n::text, 10, '0')", customer_id=_nth("contacts_customer", "n - 1"),
        joined_at=joined, joined_known_by="'event'", state=f"'ch' || n % {CHANNELS}", join_scene="1 + n % 3",
        left_at=f"CASE WHEN n % 15 = 0 THEN {joined} + interval '1 second' END",
        left_known_by="CASE WHEN n % 15 = 0 THEN 'event' ELSE '' END",
    )  # fmt: skip
    insert(
        Stay, chats, chat_id=_nth("groups_groupchat", "n - 1"), member_id=f"'staff' || 1 + n % {STAFF}",
        staff_id=_nth("contacts_staff", f"n % {STAFF}"), joined_at=_ago(chats), joined_known_by="'event'",
    )  # fmt: skip


def _welcomes(size: int) -> None:
    rule = WelcomeRule.objects.order_by("pk").values_list("pk", flat=True)[0]
    insert(
        Welcome, size, code="'code' || n", userid=f"'staff' || 1 + n % {STAFF}",
        external_userid="'wmAAAAAAAAAAAAAAAAAAAA' || lpad(n::text, 10, '0')", state=f"'ch' || n % {CHANNELS}",
        outcome="CASE WHEN n % 50 = 0 THEN 'expired' WHEN n % 97 = 0 THEN 'refused' ELSE 'sent' END", rule_id=str(rule),
        rule_name="'默认欢迎语'", text="'您好，我是您的专属顾问。'", happened_at=_ago(size), received_at=_ago(size),
        accepted_at=_ago(size), latency_ms="300 + n % 4000",
    )  # fmt: skip


def _sends(size: int, user: User) -> None:
    """To a share of the customers each, newest last, and two to all chats; 9 of 10 staff have confirmed."""
    today = clock.today()
    PARTITIONS.ensure([today.replace(day=1)], today=today)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_date - n FROM generate_series(0, 40) n")
        PARTITIONS.ensure([day for (day,) in cursor.fetchall()], today=today)
    chats = GroupChat.objects.count()
    audiences = [(weeks, int(size * share), "customer_id", "contacts_customer") for weeks, share in enumerate(SENDS)]
    audiences += [(weeks, chats, "chat_id", "groups_groupchat") for weeks in (0, 1)]
    for weeks, number, column, table in audiences:
        at = f"now() - interval '{weeks * 7 + 2} days'"
        to = Broadcast.To.CHATS if column == "chat_id" else Broadcast.To.CUSTOMERS
        insert(
            Broadcast, 1, name=f"'{weeks} 周前的上新'", to=f"'{to}'", audience="'{\"filter\": {}}'", text="'新品上架'",
            digest=f"'{to}{weeks}'", create_at=at, confirm_by=f"{at} + interval '1 day'", state="'done'",
            created_by_id=str(user.pk), created_at=at, approved_by_id=str(user.pk), approved_at=at,
            plan_date=f"({at})::date", planned=str(number), finished_at=f"{at} + interval '1 day'",
        )  # fmt: skip
        broadcast = Broadcast.objects.order_by("-pk")[0]
        insert(
            Dispatch, STAFF, broadcast_id=str(broadcast.pk), staff_id=_nth("contacts_staff", "n - 1"), number="0",
            digest=f"'{to}{weeks}'", recipients=str(number // STAFF), msgid=f"'msg{broadcast.pk}-' || n", sent_at=at,
            state="CASE WHEN n % 10 = 0 THEN 'unconfirmed' ELSE 'confirmed' END", attempts="1", attempted_at=at,
            confirmed_at=f"CASE WHEN n % 10 > 0 THEN {at} + n * interval '5 minutes' END",
            settled_at=f"{at} + interval '1 day'", polled_at=f"{at} + interval '1 day'",
            count_sent=f"CASE WHEN n % 10 > 0 THEN {number // STAFF} ELSE 0 END",
            count_unconfirmed=f"CASE WHEN n % 10 > 0 THEN 0 ELSE {number // STAFF} END",
        )  # fmt: skip
        mine = f"n % {STAFF}"
        confirmed = f"({mine} + 1) % 10 > 0"
        insert(
            Delivery, number, plan_date=f"({at})::date", broadcast_id=str(broadcast.pk),
            dispatch_id=f"(SELECT min(id) FROM campaigns_dispatch WHERE broadcast_id = {broadcast.pk}) + {mine}",
            staff_id=_nth("contacts_staff", mine), **{column: _nth(table, "n - 1")},
            state=f"CASE WHEN n % 33 = 0 THEN 'not_friend' WHEN {confirmed} THEN 'sent' ELSE 'unconfirmed' END",
            sent_at=f"CASE WHEN n % 33 > 0 AND {confirmed} THEN {at} + {mine} * interval '5 minutes' END",
            reach=f"CASE WHEN n % 33 > 0 AND {confirmed} THEN {64 if column == 'chat_id' else 1} ELSE 0 END",
        )  # fmt: skip


def _hand_posts(user: User) -> None:
    chats = GroupChat.objects.count()
    at = "now() - n * interval '1 day'"
    insert(
        HandPost, 20, name="'早安' || n", text="'早上好'", due_at=at, deadline=f"{at} + interval '4 hours'",
        created_by_id=str(user.pk), created_at=at,
    )  # fmt: skip
    insert(
        HandPostTick, 20 * chats, post_id=_nth("campaigns_handpost", f"(n - 1) / {chats}"),
        chat_id=_nth("groups_groupchat", f"n % {chats}"), staff_id=_nth("contacts_staff", f"n % {chats} % {STAFF}"),
        state="CASE WHEN n % 5 = 0 THEN 'todo' ELSE 'done' END",
        done_at="CASE WHEN n % 5 > 0 THEN now() - interval '1 hour' END",
    )  # fmt: skip


def _inbox(size: int) -> None:
    """Callbacks of the last 90 days with their settled work; a few failed."""
    entity = f"'contact:wmAAAAAAAAAAAAAAAAAAAA' || lpad((n % {max(size // 3, 1)} + 1)::text, 10, '0')"
    at = f"now() - ({size} - n) * 90 * interval '1 day' / {size}"
    insert(
        Callback, size, digest="sha256(n::text::bytea)", received_at=at, received_domain_at=at, happened_at=at,
        event="CASE WHEN n % 4 = 0 THEN 'change_external_chat' ELSE 'change_external_contact' END",
        change_type="CASE WHEN n % 4 = 0 THEN 'update' WHEN n % 4 = 1 THEN 'edit_external_contact' ELSE 'add_external_contact' END",
        entity=entity, raw="'<xml><ToUserName>ww</ToUserName><Event>change_external_contact</Event><N>' || n || '</N></xml>'",
    )  # fmt: skip
    insert(
        Work, size, source_kind="'callback'", source_id=_nth("wecom_callback", "n - 1"), lane="'mirror:contact'",
        entity=entity, attempts="1", created_at=at, settled_at=f"CASE WHEN n % 5000 > 0 THEN {at} END", not_before=at,
        state="CASE WHEN n % 5000 = 0 THEN 'quarantined' ELSE 'done' END",
        error="CASE WHEN n % 5000 = 0 THEN 'WecomError: 40096 invalid external userid' ELSE '' END",
    )  # fmt: skip


def _others(user: User) -> None:
    insert(
        ApiCall, 200_000, api="CASE WHEN n % 3 = 0 THEN 'externalcontact/get' ELSE 'externalcontact/batch/get_by_user' END",
        at="now() - (200000 - n) * interval '6 seconds'", errcode="CASE WHEN n % 50 = 0 THEN 40096 ELSE 0 END",
        ms="n % 400",
    )  # fmt: skip
    insert(
        AuditRecord, 50_000, at="now() - (50000 - n) * interval '10 minutes'", user_id=str(user.pk),
        username="'alice'", deed="CASE WHEN n % 3 = 0 THEN 'customer.export' ELSE 'broadcast.approve' END", subject="'#' || n",
    )  # fmt: skip
    insert(
        Notice, 20_000, staff_id=_nth("contacts_staff", f"n % {STAFF}"), kind="'task'", key="'tasks:' || n", title="'今日任务'",
        url="'https://scrm.example.com/h5/tasks/'", state="'sent'", created_at="now() - (20000 - n) * interval '10 minutes'",
        sent_at="now() - (20000 - n) * interval '10 minutes'", send_before="now()",
    )  # fmt: skip
    begun = f"now() - interval '{DAYS} days' + n * interval '1 day'"
    insert(
        SyncRun, DAYS - 1, state="'done'", started_at=begun, started_real_at=begun, finished_at=f"{begun} + interval '9 minutes'",
    )  # fmt: skip
