"""PostgreSQL away for a minute under traffic, with calls in flight: all goes on by itself, nothing is done twice."""

import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack

import pytest

from tests import processes
from tests.corp import Corp
from tests.faults.installation import Installation, Record, Web, seen
from tests.faults.test_kills import add, greeted, open_work, served
from tests.faults.test_kills import corp as corp

pytestmark = [pytest.mark.timeout(400), pytest.mark.faults]

AWAY = 60.0  # seconds
BACK = 10.0  # seconds within which everything works again
WELCOME = "externalcontact/send_welcome_msg"


def test_postgres_is_away_for_a_minute(installation: Installation, corp: Corp, record_property: Record) -> None:
    with ExitStack() as stack:
        web = stack.enter_context(installation.web())
        workers = [stack.enter_context(installation.worker(queue, SENDING="on")) for queue in ("welcome", "mirror")]
        seen(lambda: served(installation, "welcome", 1) and served(installation, "mirror", 1), 60)
        before = [f"wmBefore{number}" for number in range(20)]
        for name in before:
            add(corp, web, name)
        seen(lambda: set(greeted(corp)) == set(before), 18)
        in_flight = _greeted_without_an_answer(corp, web)

        installation.crash_postgres()
        statuses = _a_minute_of_traffic(corp, web)
        assert [worker.poll() for worker in workers] == [None, None]
        installation.postgres.start()
        back = seen(lambda: web.get("/readyz")[0] == 200, BACK)
        add(corp, web, "wmAfter")
        greeted_after = seen(lambda: greeted(corp)["wmAfter"] == 1, BACK)
        seen(lambda: open_work(installation, "mirror:contact") == 0 and open_work(installation, "welcome") == 0, 120)

        record_property("s from PostgreSQL's start to a new customer's greeting:", round(back + greeted_after, 2))
        assert set(statuses) == {503}
        assert back + greeted_after < BACK
        told = {*before, *in_flight, "wmAfter"}
        assert {f"contact:{name}" for name in told} == installation.stored()
        assert greeted(corp) == Counter(told)
        outcomes = dict(installation.rows("SELECT external_userid, outcome FROM campaigns_welcome"))
        assert {outcomes.pop(name) for name in in_flight} == {"unknown"}
        assert set(outcomes.values()) == {"sent"}
        assert installation.rows("SELECT error FROM base_work WHERE state NOT IN ('done', 'ignored')") == []
        _sync_ends_in_two_equal_worlds(installation, corp)


def _greeted_without_an_answer(corp: Corp, web: Web) -> list[str]:
    """Two whom the platform has greeted for us without our knowing yet."""
    corp.standin.faults.add({"api": WELCOME, "count": 2, "action": "delay_after", "value": 3})
    names = ["wmInFlight0", "wmInFlight1"]
    for name in names:
        add(corp, web, name)
    seen(lambda: set(names) <= set(greeted(corp)), 3)
    return names


def _a_minute_of_traffic(corp: Corp, web: Web) -> list[int]:
    """A customer every two seconds, of whom nobody can be told. Answers are quick: the platform has others to tell."""
    statuses: list[int] = []
    until = time.monotonic() + AWAY
    while time.monotonic() < until:
        corp.act("add", userid="zhaomin", external_userid=f"wmDuring{len(statuses)}")
        begun = time.monotonic()
        statuses.append(web.post(corp, corp.standin.last_callback().xml))
        assert time.monotonic() - begun < 1.0
        assert (web.get("/readyz")[0], web.get("/healthz")) == (503, (200, "ok"))
        time.sleep(2.0)  # the platform's pace, not ours
    return statuses


def _sync_ends_in_two_equal_worlds(installation: Installation, corp: Corp) -> None:
    command = [sys.executable, "manage.py", "syncall"]
    subprocess.run(command, cwd=processes.ROOT, env={**os.environ, **installation.environment}, check=True)
    ours = installation.rows(
        "SELECT s.userid, c.external_userid FROM contacts_follow f JOIN contacts_staff s ON s.id = f.staff_id"
        " JOIN contacts_customer c ON c.id = f.customer_id WHERE f.ended_at IS NULL ORDER BY 1, 2"
    )
    people = corp.standin.world.contacts.customers.values()
    assert ours == sorted((follow.userid, person.external_userid) for person in people for follow in person.follows)
