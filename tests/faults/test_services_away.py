"""Redis hanging or gone, PostgreSQL crashing: callbacks are answered in time, nothing acknowledged is missing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from campaigns.models import Welcome
from scrm.embedded import Postgres, Redis
from scrm.standin.server import StandIn
from tests import processes
from tests.corp import Corp
from tests.faults.test_crashes import send

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A Valkey that only this test's processes use, so that it may be stopped."""
    server = Redis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


def _pid(redis: Redis) -> int:
    assert redis._process is not None
    return redis._process.pid


@pytest.mark.crash
def test_a_hanging_redis_delays_neither_the_answer_nor_the_greeting(
    corp: Corp, settings: Any, own_redis: Redis
) -> None:
    port = processes.free_port()
    environment = {"REDIS_URL": own_redis.url, "WECOM_API_URL": settings.WECOM_API_URL}
    with (
        processes.process(processes.granian(port), environment),
        processes.process(processes.worker("welcome"), environment),
    ):
        processes.wait_for(f"http://127.0.0.1:{port}/healthz")
        _greeted(corp, port, "wmBefore")
        os.kill(_pid(own_redis), signal.SIGSTOP)
        try:
            _greeted(corp, port, "wmDuring")
            answers = [_timed(corp, port, number) for number in range(20)]
        finally:
            os.kill(_pid(own_redis), signal.SIGCONT)

    assert max(answers) < 1.0  # the platform waits 5 s
    assert [row["external_userid"] for row in corp.welcomes()] == ["wmBefore", "wmDuring"]
    assert Welcome.objects.filter(outcome="sent").count() == 2


def _greeted(corp: Corp, port: int, who: str) -> None:
    corp.act("add", userid="wanglei", external_userid=who)
    callback = corp.standin.last_callback()
    assert _post(corp, port, callback.xml)
    until = time.monotonic() + 15
    while not any(row["external_userid"] == who for row in corp.welcomes()):
        assert time.monotonic() < until, f"{who} was not greeted"
        time.sleep(0.05)


def _post(corp: Corp, port: int, xml: bytes) -> bool:
    import urllib.request
    from urllib.parse import urlencode

    signed = corp.standin.callbacks.signed(xml)
    url = f"http://127.0.0.1:{port}/wecom/callback/?{urlencode(signed.query)}"
    with urllib.request.urlopen(urllib.request.Request(url, data=signed.body), timeout=5) as answer:
        return bool(answer.status == 200)


def _timed(corp: Corp, port: int, number: int) -> float:
    begun = time.monotonic()
    assert send(port, corp, number)
    return time.monotonic() - begun


@pytest.mark.faults
@pytest.mark.parametrize("stop_after", [5, 40, 120])
def test_a_crashing_postgres_loses_nothing_acknowledged(tmp_path: Path, stop_after: int) -> None:
    """A durable cluster of its own is killed under load (`immediate`), comes back, and holds all that was acknowledged."""
    tmp_path.chmod(0o755)
    cluster, standin = Postgres(tmp_path / "postgres"), StandIn(**_corp())
    redis = Redis(tmp_path / "redis")
    environment = {"DATABASE_URL": cluster.start(), "REDIS_URL": redis.start()}
    standin.start()
    corp = Corp(standin)
    try:
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env={**os.environ, **environment}, check=True)
        port = processes.free_port()
        with processes.process(processes.granian(port), environment):
            processes.wait_for(f"http://127.0.0.1:{port}/healthz")
            acknowledged = {number for number in range(stop_after) if send(port, corp, number)}
            _crash(cluster)
            assert not send(port, corp, 9_999)
            environment["DATABASE_URL"] = cluster.start()
            until = time.monotonic() + 30
            while not send(port, corp, 10_000):
                assert time.monotonic() < until, "the web server did not come back to its database"
                time.sleep(0.2)
        with psycopg2.connect(cluster.url) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT entity FROM wecom_callback")
            stored = {entity for (entity,) in cursor.fetchall()}
        assert len(acknowledged) == stop_after
        assert {f"contact:wm{number}" for number in acknowledged} <= stored
    finally:
        standin.stop()
        redis.stop()
        cluster.stop()


def _crash(cluster: Postgres) -> None:
    assert cluster._process is not None
    os.kill(cluster._process.pid, signal.SIGQUIT)  # immediate: no checkpoint, no flush
    cluster._process.wait(20)


def _corp() -> dict[str, Any]:
    return {
        "corp_id": os.environ["WECOM_CORP_ID"],
        "secret": os.environ["WECOM_SECRET"],
        "callback_token": os.environ["WECOM_CALLBACK_TOKEN"],
        "aes_key": os.environ["WECOM_CALLBACK_AES_KEY"],
    }
