"""Rate limits by name: counted in Redis for all processes together, in this process alone while Redis is away."""

import threading
from dataclasses import dataclass
from functools import lru_cache

import limits
from django.conf import settings
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from scrm.base import redis

_PREFIX = "scrm-limit"
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Bucket:
    """A limit with a name: `Bucket("login", "10/minute").allow(address)`. `rate` as the limits library reads it."""

    name: str
    rate: str

    def allow(self, key: str = "", *, cost: int = 1) -> bool:
        """Takes `cost` and says True, or takes nothing and says False."""
        return allow(self.name, key, self.rate, cost=cost)


def allow(name: str, key: str, rate: str, *, cost: int = 1) -> bool:
    """True while less than `rate` (as "30/minute") was taken for (name, key); takes `cost` then."""
    item = _rate(rate)
    try:
        return redis.attempt(lambda _: _shared(settings.REDIS_URL).hit(item, name, key, cost=cost))
    except redis.Away:
        return _local().hit(item, name, key, cost=cost)


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
