"""Redis as a disposable companion: short time-outs, and after a failure nobody touches it for some seconds."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

T = TypeVar("T")

SOCKET_TIMEOUT = 0.3  # seconds; a hanging Redis costs one such wait every AWAY_SECONDS, not one a command
AWAY_SECONDS = 5.0


class Away(Exception):
    """Redis did not answer, now or in the last few seconds. Whoever asks has a way without it."""


_lock = threading.Lock()
_clients: dict[str, redis.Redis] = {}
_away_until: dict[str, float] = {}


def client() -> redis.Redis:
    """The process's client of settings.REDIS_URL: no retries, every wait ≤ SOCKET_TIMEOUT, values as text."""
    url = settings.REDIS_URL
    with _lock:
        if url not in _clients:
            _clients[url] = redis.Redis.from_url(
                url,
                socket_timeout=SOCKET_TIMEOUT,
                socket_connect_timeout=SOCKET_TIMEOUT,
                retry=Retry(NoBackoff(), 0),
                decode_responses=True,
            )
        return _clients[url]


def attempt(work: Callable[[redis.Redis], T]) -> T:
    """What `work` returns. Raises `Away` when Redis fails, or without touching it when it failed just now."""
    url = settings.REDIS_URL
    if time.monotonic() < _away_until.get(url, 0.0):
        raise Away
    try:
        return work(client())
    except (redis.RedisError, OSError) as error:
        _away_until[url] = time.monotonic() + AWAY_SECONDS
        raise Away(type(error).__name__) from error


def is_away() -> bool:
    """True in the seconds after a failure."""
    return time.monotonic() < _away_until.get(settings.REDIS_URL, 0.0)


def forget_failures() -> None:
    """Lets the next call touch Redis at once (tests that bring it back)."""
    _away_until.clear()
