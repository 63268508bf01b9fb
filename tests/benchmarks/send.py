"""Creating tasks at a platform that takes 120 calls a minute: how close we come to what that limit imposes.

`size` recipients of 240 staff members, one call each, by one worker of the queue `sending`. Our budget for each API is
set to the platform's limit, as the README says; a refused call would cost a pause of a minute.
"""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from campaigns.models import Dispatch
from campaigns.sending import pace
from scrm.base.models import User
from tests import processes
from tests.benchmarks import audience, usage

SIZE = 120_000
STAFF = 240
PER_MINUTE = 120
CREATE = "externalcontact/add_msg_template"


def run(size: int = SIZE) -> Iterator[dict[str, Any]]:
    """From *approve* to the last task that the platform has."""
    user = User.objects.create_superuser("bench")
    audience.befriend(size, STAFF)
    with audience.platform("--confirm", "never") as control:
        audience.befriend_there(control, size, STAFF)
        control.post("settings", {"per_minute": {"*": 100_000, CREATE: PER_MINUTE}})
        environment = {"WECOM_API_URL": f"{control.address}/cgi-bin/", "WECOM_CALLS_PER_MINUTE": str(PER_MINUTE)}
        with processes.process(processes.worker("sending"), environment) as worker:
            time.sleep(5)  # it is up and idle
            idle = usage.most_memory(worker.pid)
            begun = time.monotonic()
            pace.approve(audience.draft(user), user)
            while Dispatch.objects.filter(state__in=["planned", "sending", "unknown"]).exists():
                time.sleep(0.2)
            seconds = time.monotonic() - begun
            grown = usage.most_memory(worker.pid) - idle
        ledger = control.get("ledger?kind=broadcast")
        calls = control.get("calls")[CREATE]
    reached = Counter(recipient for row in ledger for recipient in row["recipients"])
    assert len(reached) == size and set(reached.values()) == {1}, "somebody was left out or reached twice"
    imposed = STAFF * 60 / PER_MINUTE
    yield {
        "value": round(seconds, 1),
        "unit": "s for all tasks",
        "baseline": imposed,
        "ratio": round(seconds / imposed, 3),
        "calls": STAFF,
        "refused_calls": calls["rejected"],
        "recipients": size,
        "worker_grew_mb": round(grown / 2**20, 1),
    }
