"""Planning a broadcast: from the press of *approve* to frozen rows and their durable work.

The baseline copies the same delivery rows by INSERT … SELECT without any question into an identical table: the same
indexes, partitioned alike, holding the same earlier rows.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection

from campaigns.models import PARTITIONS, Delivery
from campaigns.sending import pace, plan
from scrm.base.models import User, Work
from scrm.wecom.api.messages import MAX_CUSTOMERS
from tests.benchmarks import audience

SIZE = 320_000
STAFF = 18
EARLIER = 3  # broadcasts that everybody has had this month

_EARLIER = """
INSERT INTO campaigns_delivery (plan_date, broadcast_id, staff_id, customer_id, state, sent_at)
SELECT current_date, 1000000 + b, f.staff_id, f.customer_id, 'sent', now() - b * interval '1 day'
FROM (SELECT DISTINCT ON (customer_id) * FROM contacts_follow) f, generate_series(1, %s) b
"""
_TWIN = """
CREATE TABLE bench_delivery (LIKE campaigns_delivery INCLUDING ALL) PARTITION BY RANGE (plan_date);
CREATE TABLE bench_delivery_now PARTITION OF bench_delivery DEFAULT
"""


def run(size: int = SIZE) -> Iterator[dict[str, Any]]:
    """`size` customers of 18 staff members, with a history of sends."""
    user = User.objects.create_superuser("bench")
    audience.befriend(size, STAFF)
    broadcast = audience.draft(user)
    with connection.cursor() as cursor:
        PARTITIONS.ensure([], today=broadcast.create_at.date())
        cursor.execute(_EARLIER, [EARLIER])
        cursor.execute("ANALYZE; CHECKPOINT")
    forecast = _seconds(lambda: plan.forecast(broadcast))
    approve = _seconds(lambda: pace.approve(broadcast, user))
    rows = Delivery.objects.filter(broadcast=broadcast.pk)
    assert rows.filter(state="planned").count() == size
    assert Work.objects.count() == broadcast.dispatches.count() == STAFF * -(-size // STAFF // MAX_CUSTOMERS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_TWIN}; INSERT INTO bench_delivery SELECT * FROM campaigns_delivery WHERE broadcast_id > 1000000"
        )
        cursor.execute("ANALYZE bench_delivery; CHECKPOINT")
        copy = "INSERT INTO bench_delivery SELECT * FROM campaigns_delivery WHERE broadcast_id = %s"
        bare = _seconds(lambda: cursor.execute(copy, [broadcast.pk]))
    yield {
        "value": round(approve, 2),
        "unit": "s to freeze",
        "baseline": round(bare, 2),
        "ratio": round(approve / bare, 3),
        "forecast_s": round(forecast, 2),
        "recipients": size,
        "deliveries_before": EARLIER * size,
    }


def _seconds(act: Callable[[], object]) -> float:
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin
