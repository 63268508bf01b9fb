"""Rate limits by name: counted in Redis for all processes together, in this process alone while Redis is away."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import limits
from django.conf import settings
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from scrm.base import redis

_PREFIX = "scrm-limit"
_lock = threading.Lock()
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bucket:
    """A limit with a name: `Bucket("login", "10/minute").allow(address)`. `rate` as the limits library reads it."""

    name: str
    rate: str

    def allow(self, key: str = "", *, cost: int = 1) -> bool:
        """Takes `cost` and says True, or takes nothing and says False."""
        return allow(self.name, key, self.rate, cost=cost)

    def wait(self, key: str = "") -> float:
        """Seconds until one would be let through; 0 when it would be now. Takes nothing."""
        item = _rate(self.rate)
        return _ask(lambda limiter: _wait(limiter, item, self.name, key))

    def forget(self, key: str = "") -> None:
        """As if nothing had been taken."""
        item = _rate(self.rate)
        _ask(lambda limiter: limiter.clear(item, self.name, key))


def allow(name: str, key: str, rate: str, *, cost: int = 1) -> bool:
    """True while less than `rate` (as "30/minute") was taken for (name, key); takes `cost` then."""
    item = _rate(rate)
    return _ask(lambda limiter: limiter.hit(item, name, key, cost=cost))


def forget() -> None:
    """Forgets what this process has counted by itself while Redis was away."""
    _local.cache_clear()


def _ask(question: Callable[[SlidingWindowCounterRateLimiter], T]) -> T:
    try:
        return redis.attempt(lambda _: question(_shared(settings.REDIS_URL)))
    except redis.Away:
        return question(_local())


def _wait(limiter: SlidingWindowCounterRateLimiter, item: limits.RateLimitItem, name: str, key: str) -> float:
    if limiter.test(item, name, key):
        return 0.0
    return max(1.0, limiter.get_window_stats(item, name, key).reset_time - time.time())


@lru_cache(maxsize=256)
def _rate(rate: str) -> limits.RateLimitItem:
    return limits.parse(rate)


@lru_cache(maxsize=8)
def _shared(url: str) -> SlidingWindowCounterRateLimiter:
    with _lock:
        pool = redis.client().connection_pool
        return SlidingWindowCounterRateLimiter(RedisStorage(url, connection_pool=pool, key_prefix=_PREFIX))


@lru_cache(maxsize=1)
def _local() -> SlidingWindowCounterRateLimiter:
    return SlidingWindowCounterRateLimiter(MemoryStorage())
