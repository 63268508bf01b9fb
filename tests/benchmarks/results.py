"""Reading results: rows booked a second by one worker, when every staff member has confirmed at once."""

import time
from collections.abc import Iterator
from typing import Any

from django.db.models import Sum
from django.db.models.functions import Now

from campaigns.models import Delivery, Dispatch
from campaigns.sending import pace
from scrm.base.models import User, Work
from tests import processes
from tests.benchmarks import audience, usage

SIZE = 160_000
STAFF = 16
LEAST = 10_000  # rows a second that we aim at


def run(size: int = SIZE) -> Iterator[dict[str, Any]]:
    """`size` recipients in tasks of up to ten thousand, all of them sent to."""
    user = User.objects.create_superuser("bench")
    audience.befriend(size, STAFF)
    with audience.platform("--confirm", "never") as control:
        audience.befriend_there(control, size, STAFF)
        control.post("settings", {"per_minute": {"*": 1_000_000}})
        environment = {
            "WECOM_API_URL": f"{control.address}/cgi-bin/", "WECOM_CALLS_PER_MINUTE": "1000000",
            "WECOM_CALLS_PER_HOUR": "100000000", "SEND_POLL_SECONDS": "3600",
        }  # fmt: skip
        with processes.process(processes.worker("sending"), environment) as worker:
            time.sleep(5)
            idle = usage.most_memory(worker.pid)
            pace.approve(audience.draft(user), user)
            while Dispatch.objects.exclude(state="sent").exists() or _looks() < Dispatch.objects.count():
                time.sleep(0.2)  # created, and looked at once in vain
            control.post("actions", {"action": "confirm"})
            begun = time.monotonic()
            Work.objects.filter(lane=pace.RESULTS).update(not_before=Now())
            while Dispatch.objects.unsettled().exists():
                time.sleep(0.1)
            seconds = time.monotonic() - begun
            grown = usage.most_memory(worker.pid) - idle
    booked = Delivery.objects.filter(state="sent").count()
    assert booked == size == Dispatch.objects.aggregate(total=Sum("count_sent"))["total"]
    yield {
        "value": round(booked / seconds),
        "unit": "results/s booked",
        "baseline": LEAST,
        "baseline_is": "the aim",
        "ratio": round(booked / seconds / LEAST, 3),
        "recipients": size,
        "worker_grew_mb": round(grown / 2**20, 1),
    }


def _looks() -> int:
    return Dispatch.objects.filter(polled_at__isnull=False).count()
