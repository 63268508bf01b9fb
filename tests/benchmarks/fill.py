"""Filling and asking: how fast facts come out of the ledgers, and numbers out of facts, beside bare SQL.

`fill_all` rebuilds every stat; its baseline is a bare INSERT … SELECT of the same number of rows into an unindexed table.
`fill_day` is what one changed customer costs. `ask_*` are questions of the manager's page over 30 days; their baseline
is one bare GROUP BY over the same facts or one pass over the ledger. Ratio: ours ÷ baseline, for rates the other way
round as well: above 1 is slower than bare SQL, except for `fill_all`, where it is the share of the bare rate.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from analytics import fill
from analytics.funnels import STEPS, funnel
from analytics.models import Fact
from analytics.query import measure
from campaigns.models import Welcome
from contacts.models import Customer, Follow, Staff
from groups.models import GroupChat, Stay
from scrm.base import clock
from scrm.base.models import User
from tests.rows import insert

SIZE = 100_000
DAYS = 400


def _ledgers(size: int) -> None:
    """`size` customers added evenly over the days, one in 16 lost; every other one in a chat, some of them left."""
    now = f"'{clock.now().isoformat()}'::timestamptz"
    at = f"{now} - n * {DAYS} * interval '1 day' / {size}"
    chats = max(size // 300, 2)
    insert(Staff, 18, userid="'staff' || n", department_ids="'{2}'::bigint[]", serves_customers="true")
    owner = "(SELECT min(id) FROM contacts_staff) + n % 18"
    insert(GroupChat, chats, chat_id="'wr' || n", owner_id=owner)
    insert(Customer, size, external_userid="'wm' || n", open_follows="1")
    person = "(SELECT min(id) FROM contacts_customer) + n - 1"
    lost = "n % 16 = 0"
    insert(
        Follow, size, staff_id=owner, customer_id=person, added_at=at, state="'state' || n % 5",
        ended_at=f"CASE WHEN {lost} THEN least({at} + interval '9 days', {now}) END",
        ended_by=f"CASE WHEN {lost} THEN 'customer' ELSE '' END",
    )  # fmt: skip
    insert(
        Stay, size, "n % 2 = 1", chat_id=f"(SELECT min(id) FROM groups_groupchat) + n % {chats}", member_id="'wm' || n",
        customer_id=person, joined_at=f"{at} + interval '40 seconds'", joined_known_by="'event'", state="'state' || n % 5",
        left_at=f"CASE WHEN n % 15 = 0 THEN {at} + interval '41 seconds' END",
        left_known_by="CASE WHEN n % 15 = 0 THEN 'event' ELSE '' END",
    )  # fmt: skip
    insert(
        Welcome, size, code="'code' || n", userid="'staff' || 1 + n % 18", external_userid="'wm' || n", outcome="'sent'",
        happened_at=at, received_at=at, latency_ms="900",
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def run(size: int = SIZE) -> Iterator[dict[str, Any]]:
    """`size` customers over 400 days, half of them in chats, each welcomed."""
    _ledgers(size)
    user = User.objects.create_superuser("bench")
    yield _fill_all()
    yield _fill_day()
    yield from _asks(user)


def _fill_all() -> dict[str, Any]:
    seconds = _seconds(fill.fill_dirty)
    facts = Fact.objects.count()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_bare (LIKE analytics_fact)")
        bare = _seconds(lambda: cursor.execute("INSERT INTO bench_bare SELECT * FROM analytics_fact"))
        cursor.execute("DROP TABLE bench_bare; ANALYZE analytics_fact")
    return _result("fill_all", facts / seconds, "facts/s", facts / bare, rate=True)


def _fill_day() -> dict[str, Any]:
    """One changed customer of an older day, the other days untouched."""
    row = Follow.objects.order_by("-added_at")[200]
    times = []
    for _ in range(5):
        time.sleep(1.2)  # older than the second that is looked at again
        fill.fill_dirty()
        Follow.objects.filter(pk=row.pk).update(remark="changed", changed_at=Now())
        times.append(_seconds(fill.fill_dirty))
    with connection.cursor() as cursor:
        bare = _seconds(
            lambda: cursor.execute("SELECT count(*) FROM analytics_fact WHERE day = %s", [clock.day_of(row.added_at)])
        )
    return _result("fill_day", median(times) * 1000, "ms", bare * 1000)


def _asks(user: User) -> Iterator[dict[str, Any]]:
    today = clock.today()
    month: dict[str, Any] = {"start": today - dt.timedelta(days=29), "end": today + dt.timedelta(days=1), "user": user}
    group = "SELECT day, count(*) FROM analytics_fact WHERE stat = 'adds' AND day >= %(start)s AND day < %(end)s GROUP BY day"
    scan = "SELECT count(*) FROM contacts_follow WHERE ended_at IS NULL"
    asks: list[tuple[str, Callable[[], object], str]] = [
        ("ask_adds_by_day", lambda: measure("adds", by="day", **month), group),
        ("ask_customers", lambda: measure("customers", **month), scan),
        ("ask_customers_by_day", lambda: measure("customers", by="day", **month), scan),
        ("ask_leave_rate_by_day", lambda: measure("leave_rate", by="day", **month), scan),
        ("ask_join_rate", lambda: measure("add_to_join_rate", **month), group),
        ("ask_funnel", lambda: funnel(list(STEPS), month["start"], month["end"], 2, "channel", user=user), group),
    ]
    for name, ask, bare in asks:
        yield _result(name, _median(ask) * 1000, "ms", _median(partial(_run, bare, month)) * 1000)


def _run(text: str, values: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, {"start": values["start"], "end": values["end"]})
        cursor.fetchall()


def _median(act: Callable[[], object]) -> float:
    return median(_seconds(act) for _ in range(5))


def _seconds(act: Callable[[], object]) -> float:
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def _result(name: str, value: float, unit: str, baseline: float, *, rate: bool = False) -> dict[str, Any]:
    digits = 0 if rate else 2
    return {
        "bench": name,
        "value": round(value, digits),
        "unit": unit,
        "baseline": round(baseline, digits),
        "ratio": round(value / baseline, 3),
    }
