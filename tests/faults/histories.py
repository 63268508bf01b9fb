"""What the tests of random histories share: a corp on its first day, deaths inside this process, many lives."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase
from hypothesis import settings as chosen
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from scrm.base import failpoints
from scrm.base.models import Work
from scrm.standin.server import StandIn
from tests.conftest import begin_anew
from tests.corp import Corp
from tests.faults.dying import let_leases_end

STAFF = ["wanglei", "zhaomin"]

# in the order of their keys
TABLES = [
    "campaigns_delivery", "campaigns_reminder", "campaigns_dispatch", "campaigns_broadcast", "campaigns_welcome",
    "base_work", "base_announcement", "wecom_callback", "wecom_stop", "contacts_notice", "contacts_syncseen",
    "contacts_syncstep", "contacts_syncrun", "groups_chatgap", "groups_chatversion", "groups_stayevidence", "groups_stay",
    "groups_groupchat", "contacts_followevidence", "contacts_follow", "contacts_customer", "contacts_staff",
    "contacts_department", "contacts_listing",
]  # fmt: skip


class Died(BaseException):
    """A worker's death inside this process: nothing catches it but who started the work."""


@contextmanager
def _deadly(place: str, settings: Any) -> Iterator[None]:
    def die(pid: int, number: int) -> None:
        raise Died(place)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(failpoints, "_passes", 0)
        patch.setattr("os.kill", die)
        settings.FAILPOINT = place
        try:
            yield
        finally:
            settings.FAILPOINT = ""


def works_until_killed(work: Callable[[], object], place: str, settings: Any) -> None:
    """Who comes to `place` dies there, and the leases of what was in hand are over; else the work is done."""
    try:
        with _deadly(place, settings):
            work()
    except Died:
        let_leases_end()
        # three deaths in a row at one job are poison, which is tried elsewhere
        Work.objects.filter(state="leased", attempts__gt=1).update(attempts=1)


def corps(settings: Any) -> Iterator[Callable[[], Corp]]:
    """Gives what makes an empty corp with two members of staff, and our database as empty as on the first day."""
    running: list[StandIn] = []

    def make() -> Corp:
        while running:
            running.pop().stop()
        _forget_everything()
        server = StandIn(
            corp_id=settings.WECOM_CORP_ID, secret=settings.WECOM_SECRET,
            callback_token=settings.WECOM_CALLBACK_TOKEN, aes_key=settings.WECOM_CALLBACK_AES_KEY,
        ).start()  # fmt: skip
        running.append(server)
        settings.WECOM_API_URL = server.url
        begin_anew()
        corp = Corp(server)
        for userid in STAFF:
            corp.act("create_user", userid=userid, name=userid.title())
        corp.deliver([])
        return corp

    yield make
    while running:
        running.pop().stop()


def _forget_everything() -> None:
    """By rows: emptying all tables takes much longer."""
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table}")


def live(life: Callable[[], RuleBasedStateMachine], examples: int, *, derandomize: bool) -> None:
    """So many lives of 25 steps; the same ones in each run when `derandomize`."""
    phases = [Phase.generate] if derandomize or "HISTORIES" in os.environ else [Phase.generate, Phase.shrink]
    run_state_machine_as_test(
        life,  # type: ignore[arg-type]  # whatever makes one will do
        settings=chosen(
            max_examples=examples, stateful_step_count=25, derandomize=derandomize, deadline=None, database=None,
            suppress_health_check=list(HealthCheck), report_multiple_bugs=False, phases=phases,
        ),
    )  # fmt: skip
