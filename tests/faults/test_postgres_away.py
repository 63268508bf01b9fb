"""PostgreSQL hanging, locked, full, read-only, gone: the platform gets a true answer in time, and nothing false is ever 200."""

import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import pytest

from tests.corp import Corp
from tests.faults.installation import PATIENCE, Installation, Web, edited, seen

pytestmark = pytest.mark.timeout(240)
faults = pytest.mark.faults

BACK = 10.0  # seconds within which everything works again


def posted(web: Web, corp: Corp, names: list[str]) -> dict[str, tuple[int, float]]:
    """Status and seconds by name, all sent at once; 0 is no answer within the platform's patience."""
    answers: dict[str, tuple[int, float]] = {}

    def one(name: str) -> None:
        begun = time.monotonic()
        status = web.post(corp, edited(name))
        answers[name] = status, time.monotonic() - begun

    threads = [threading.Thread(target=one, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def statuses(answers: dict[str, tuple[int, float]]) -> Counter[int]:
    return Counter(status for status, _seconds in answers.values())


def acknowledged(answers: dict[str, tuple[int, float]]) -> set[str]:
    return {f"contact:{name}" for name, (status, _seconds) in answers.items() if status == 200}


def batch(prefix: str, size: int = 40) -> list[str]:
    return [f"{prefix}{number}" for number in range(size)]


def comes_back(web: Web, corp: Corp) -> None:
    """Callbacks are stored again, every thread's pages work."""
    assert seen(lambda: web.post(corp, edited("wmBack")) == 200, BACK) < BACK
    assert {web.get("/readyz")[0] for _ in range(40)} == {200}


def test_a_hanging_postgres_costs_the_platform_no_time(installation: Installation) -> None:
    with installation.standin() as corp, installation.web() as web:
        before = posted(web, corp, batch("wmBefore"))  # every thread has a connection that will hang
        with installation.frozen_postgres():
            first = posted(web, corp, batch("wmFirst"))
            later = posted(web, corp, batch("wmLater"))
            begun = time.monotonic()
            assert web.get("/readyz")[0] == web.get("/metrics")[0] == 503
            assert time.monotonic() - begun < 2 * PATIENCE
            assert web.get("/healthz") == (200, "ok")
        comes_back(web, corp)

        assert statuses(before) == {200: 40}
        assert statuses(first) == statuses(later) == {503: 40}
        assert max(seconds for _status, seconds in first.values()) < PATIENCE
        assert sorted(seconds for _status, seconds in later.values())[-2] < 0.5 + 1.0  # one tries it out for the others
        assert acknowledged(before) | {"contact:wmBack"} <= installation.stored()


@faults
def test_the_harness_catches_a_receiver_that_waits_for_a_hanging_postgres(installation: Installation) -> None:
    with installation.standin() as corp, installation.web("tests.faults.waits_for_ever:application") as web:
        assert web.post(corp, edited("wmBefore")) == 200
        with installation.frozen_postgres():
            assert web.post(corp, edited("wmDuring")) == 0


@faults
def test_a_locked_table_is_no_reason_to_keep_the_platform_waiting(installation: Installation) -> None:
    with installation.standin() as corp, installation.web() as web:
        with locked(installation, "base_work"):
            during = posted(web, corp, batch("wmDuring", 8))
        comes_back(web, corp)

        assert statuses(during) == {503: 8}
        assert max(seconds for _status, seconds in during.values()) < PATIENCE


@contextmanager
def locked(installation: Installation, table: str) -> Iterator[None]:
    """As a migration holds it."""
    connection = psycopg2.connect(installation.postgres.url)
    try:
        connection.cursor().execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
    finally:
        connection.close()


@faults
def test_a_postgres_that_restarts_is_missed_by_nobody(installation: Installation) -> None:
    """Pages of each thread work at once, although each held a connection to the server before."""
    with installation.standin() as corp, installation.web() as web:
        before = posted(web, corp, batch("wmBefore"))
        assert {web.get("/readyz")[0] for _ in range(40)} == {200}
        installation.crash_postgres()
        away = posted(web, corp, batch("wmAway"))
        assert (web.get("/readyz")[0], web.get("/metrics")[0], web.get("/healthz")[0]) == (503, 503, 200)
        installation.postgres.start()
        comes_back(web, corp)

        assert statuses(away) == {503: 40}
        assert max(seconds for _status, seconds in away.values()) < 1.0
        assert acknowledged(before) <= installation.stored()


@faults
def test_a_read_only_postgres_acknowledges_nothing(installation: Installation) -> None:
    """As a standby that was taken for the primary, or a disk that was made read-only to save it."""
    with installation.standin() as corp, installation.web() as web:
        assert web.post(corp, edited("wmBefore")) == 200
        installation.rows("ALTER DATABASE scrm SET default_transaction_read_only = on")
        try:
            installation.cut_sessions()
            during = posted(web, corp, batch("wmDuring"))
        finally:
            installation.rows("ALTER DATABASE scrm RESET ALL")
        comes_back(web, corp)

        assert statuses(during) == {503: 40}
        assert installation.stored() == {"contact:wmBefore", "contact:wmBack"}


@faults
@pytest.mark.skipif(shutil.which("prlimit") is None, reason="util-linux limits the size of the server's files")
def test_a_full_disk_acknowledges_nothing_that_it_cannot_keep(installation: Installation) -> None:
    with installation.standin() as corp, installation.web() as web:
        assert web.post(corp, edited("wmBefore")) == 200
        with installation.full_disk():
            during = posted(web, corp, batch("wmDuring", 200))
        comes_back(web, corp)
        installation.crash_postgres()
        installation.postgres.start()

        assert set(statuses(during)) <= {200, 503}
        assert statuses(during)[503] >= 100
        assert acknowledged(during) | {"contact:wmBefore", "contact:wmBack"} == installation.stored() - {"filling"}


@faults
@pytest.mark.parametrize("number", [5, 120])
def test_a_crashing_postgres_loses_nothing_acknowledged(installation: Installation, number: int) -> None:
    with installation.standin() as corp, installation.web() as web:
        before = posted(web, corp, batch("wmBefore", number))
        installation.crash_postgres()
        assert web.post(corp, edited("wmAway")) == 503
        installation.postgres.start()
        comes_back(web, corp)

        assert statuses(before) == {200: number}
        assert acknowledged(before) <= installation.stored()


@faults
def test_the_harness_catches_commits_that_do_not_wait_for_the_disk(installation: Installation) -> None:
    installation.rows("ALTER SYSTEM SET wal_writer_delay = 10000")
    installation.rows("SELECT pg_reload_conf()")
    installation.rows("ALTER DATABASE scrm SET synchronous_commit = off")
    try:
        with installation.standin() as corp, installation.web() as web:
            before = posted(web, corp, batch("wmBefore"))
            installation.crash_postgres()
            installation.postgres.start()

            assert statuses(before) == {200: 40}
            assert acknowledged(before) - installation.stored()
    finally:
        installation.rows("ALTER DATABASE scrm RESET ALL")
        installation.rows("ALTER SYSTEM RESET ALL")
