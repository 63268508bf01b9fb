"""Redis hanging or gone, PostgreSQL crashing: callbacks are answered in time, nothing acknowledged is missing."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from campaigns.models import Welcome
from scrm.embedded import Redis
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
    greeted: Callable[[], bool] = lambda: any(row["external_userid"] == who for row in corp.welcomes())  # noqa: E731
    processes.eventually(greeted, 15, f"{who} was not greeted")


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
