"""Redis flushed, full, hanging, slow, gone and back empty: customers are greeted, nothing is done twice, pages answer."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import pytest

from tests.corp import Corp
from tests.faults.installation import Installation, Record, Web, seen
from tests.faults.test_kills import corp as corp
from tests.faults.test_kills import greeted, served

pytestmark = [pytest.mark.timeout(300), pytest.mark.faults]

PROGRESS = 10.0  # seconds within which a customer is greeted, whatever Redis does


@contextmanager
def flushed(installation: Installation) -> Iterator[None]:
    installation.redis_command("FLUSHALL")
    yield


@contextmanager
def gone(installation: Installation) -> Iterator[None]:
    installation.kill_redis()
    yield
    installation.redis.start()


@contextmanager
def restarted_empty(installation: Installation) -> Iterator[None]:
    installation.kill_redis()
    installation.redis.start()
    yield


@contextmanager
def full(installation: Installation) -> Iterator[None]:
    """`noeviction`: every write is refused."""
    installation.redis_command("CONFIG", "SET", "maxmemory", "1")
    yield
    installation.redis_command("CONFIG", "SET", "maxmemory", "0")


@contextmanager
def slow(installation: Installation) -> Iterator[None]:
    """Every answer waits for a script that is running."""
    for _ in range(20):
        installation.redis_command("CLIENT", "PAUSE", "200", "ALL")
    yield


def hanging(installation: Installation) -> AbstractContextManager[None]:
    return installation.frozen_redis()


FAULTS: dict[str, Callable[[Installation], AbstractContextManager[None]]] = {
    "flushed": flushed,
    "gone": gone,
    "restarted empty": restarted_empty,
    "full": full,
    "hanging": hanging,
    "slow": slow,
}


def is_greeted(corp: Corp, web: Web, name: str) -> float:
    """Adds a customer; the seconds from the callback's answer until the greeting is at the platform."""
    corp.act("add", userid="wanglei", external_userid=name, name=name)
    begun = time.monotonic()
    assert web.post(corp, corp.standin.last_callback().xml) == 200
    assert time.monotonic() - begun < 1.0
    return seen(lambda: greeted(corp)[name] == 1, 18)


def test_whatever_redis_does_customers_are_greeted_and_pages_answer(
    installation: Installation, corp: Corp, record_property: Record
) -> None:
    with ExitStack() as stack:
        web = stack.enter_context(installation.web())
        stack.enter_context(installation.worker("welcome", SENDING="on"))
        seen(lambda: served(installation, "welcome", 1), 60)
        is_greeted(corp, web, "wmBefore")
        took = {}
        for fault, strike in FAULTS.items():
            with strike(installation):
                took[fault] = max(is_greeted(corp, web, f"wm {fault} {number}") for number in range(3))
                for page in ("/readyz", "/metrics", "/admin/login/", "/healthz"):
                    begun = time.monotonic()
                    assert web.get(page)[0] == 200, (fault, page)
                    assert time.monotonic() - begun < 3.0, (fault, page)
            is_greeted(corp, web, f"wm after {fault}")
        seen(lambda: '"redis": "ok"' in web.get("/readyz")[1], PROGRESS)

        for fault, seconds in took.items():
            record_property(f"s until greeted, Redis {fault}:", round(seconds, 2))
        assert max(took.values()) < PROGRESS, took
        assert Counter(greeted(corp).values()) == {1: 1 + 4 * len(FAULTS)}
        assert installation.rows("SELECT DISTINCT outcome FROM campaigns_welcome") == [("sent",)]
        asked: Any = corp.standin.calls.as_dict()["gettoken"]["calls"]
        assert asked <= 1 + len(FAULTS)


def test_a_worker_hears_again_after_redis_was_away(installation: Installation, corp: Corp) -> None:
    """What only a message starts, such as the numbers, goes on by itself after Redis was killed under an idle worker."""
    with installation.worker("rollup", HEARTBEAT_FILE=""):
        seen(lambda: served(installation, "rollup", 1), 60)
        installation.kill_redis()
        installation.redis.start()
        seen(lambda: _consumed(installation), 60)


def test_a_worker_that_meets_a_full_redis_does_its_work(installation: Installation, corp: Corp) -> None:
    """Celery can't listen there; ending the process for it would end the pumps too."""
    with ExitStack() as stack:
        web = stack.enter_context(installation.web())
        with full(installation):
            worker = stack.enter_context(installation.worker("welcome", SENDING="on"))
            seen(lambda: served(installation, "welcome", 1), 60)
            assert is_greeted(corp, web, "wmFull") < PROGRESS
        seen(lambda: _consumed(installation, "welcome"), 60)
        assert worker.poll() is None


def _consumed(installation: Installation, queue: str = "rollup") -> bool:
    """A message into the queue is taken out of it."""
    from celery import Celery

    with Celery(broker=installation.redis.url) as sender:
        sender.send_task("base.ring_lane", ("nothing",), queue=queue, retry=False)
    time.sleep(0.1)
    return bool(installation.redis_command("LLEN", queue) == 0)
