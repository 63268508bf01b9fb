"""Buckets count for everybody while Redis answers and for the process while it doesn't."""

import socket
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from scrm.base import limits, redis


@pytest.fixture
def key() -> str:
    return uuid.uuid4().hex


@pytest.fixture
def hanging_redis(settings: Any) -> Iterator[socket.socket]:
    """Accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.REDIS_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        yield server


def test_lets_through_as_many_as_the_rate_says(key: str) -> None:
    bucket = limits.Bucket("test", "3/minute")

    assert [bucket.allow(key) for _ in range(5)] == [True, True, True, False, False]


def test_counts_names_and_keys_apart(key: str) -> None:
    assert limits.allow("one", key, "1/minute") is True
    assert limits.allow("two", key, "1/minute") is True
    assert limits.allow("one", f"{key}x", "1/minute") is True
    assert limits.allow("one", key, "1/minute") is False


def test_a_cost_that_does_not_fit_takes_nothing(key: str) -> None:
    bucket = limits.Bucket("test", "3/minute")

    assert bucket.allow(key, cost=4) is False
    assert bucket.allow(key, cost=3) is True


def test_the_count_is_shared_through_redis(key: str) -> None:
    limits.allow("shared", key, "5/minute")

    assert list(redis.client().scan_iter(match=f"*{key}*")) != []


def test_counts_alone_while_redis_is_away(settings: Any, key: str) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    bucket = limits.Bucket("test", "2/day")  # its windows are the clock's; a minute may end between two hits

    assert [bucket.allow(key) for _ in range(3)] == [True, True, False]


def test_a_hanging_redis_costs_one_short_wait(hanging_redis: socket.socket, key: str) -> None:
    bucket = limits.Bucket("test", "100/minute")
    began = time.monotonic()

    assert all(bucket.allow(key) for _ in range(50))

    assert time.monotonic() - began < 10 * redis.SOCKET_TIMEOUT


def test_nobody_touches_redis_for_a_while_after_a_failure(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/1"
    touched: list[object] = []

    for _ in range(2):
        with pytest.raises(redis.Away):
            redis.attempt(lambda client: touched.append(client.ping()))
    with pytest.raises(redis.Away):
        redis.attempt(lambda client: touched.append("touched"))

    assert touched == []
    assert redis.is_away() is True
