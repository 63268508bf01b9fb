"""One access token per secret, shared by all processes and fetched by one of them at a time (reliability.md §2.8).

Redis holds it as one value under a hash of platform, corp and secret; the key's own expiry is its life, so no two
clocks have to agree. While Redis is away each process keeps its own: the platform gives the same token to all.
"""

import hashlib
import json
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog
from django.utils.translation import gettext as _
from redis import Redis

from scrm.base import limits, redis
from scrm.base.failpoints import failpoint
from scrm.wecom.errors import (
    BAD_CREDENTIALS,
    ConfigurationError,
    Kind,
    Unreachable,
    WecomError,
    refused_token,
)

log = structlog.get_logger(__name__)

REFRESH_AT = 0.8  # of its life
LOCK_MILLISECONDS = 9_000  # longer than a gettoken with its time-outs
POLL_SECONDS = 0.05  # between looks whether the one who fetches is done
HOLD_OFF_SECONDS = 10.0  # after a failed refresh while the old token still works
REFUSED_SECONDS = 300.0  # wrong secret: asking more often bans our address for an hour (wecom-api.md §1.1)
THROTTLED_SECONDS = 60.0
DROPS_A_MINUTE = 6

# The platform gives the same token again while it lives (wecom-api.md §1.1): then renewing early is no use any more
# ("settled"), and its life is what was left of it. → {generation, milliseconds of life, settled}
_STORE = """
local life, settled = math.floor(ARGV[2] * 1000), false
local raw = redis.call('GET', KEYS[1])
local held = raw and cjson.decode(raw)
if held and held['token'] == ARGV[1] then
  settled = true
  life = math.max(1, math.min(life, redis.call('PTTL', KEYS[1])))
end
local generation = settled and held['generation'] or redis.call('INCR', KEYS[2])
local value = cjson.encode({token = ARGV[1], lifetime = life / 1000, generation = generation, settled = settled})
redis.call('SET', KEYS[1], value, 'PX', life)
return {generation, life, settled and 1 or 0}
"""
# Forgets the token if it is still the one that failed. → 1 forgotten, 0 another one (or none) is there already,
# -1 forgotten too often: a platform that refuses every new token must not make us ask for ever.
_DROP = """
local held = redis.call('GET', KEYS[1])
if not held or cjson.decode(held)['token'] ~= ARGV[1] then return 0 end
local drops = redis.call('INCR', KEYS[2])
if drops == 1 then redis.call('EXPIRE', KEYS[2], 60) end
if drops > tonumber(ARGV[2]) then return -1 end
redis.call('DEL', KEYS[1])
return 1
"""
_UNLOCK = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"

Fetch = Callable[[], tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Token:
    """A token as this process holds it. Times are monotonic; `generation` counts the tokens of a secret, 0 = own."""

    value: str
    generation: int
    refresh_at: float
    dies_at: float

    @classmethod
    def aged(cls, value: str, *, lifetime: float, left: float, generation: int, settled: bool = False) -> "Token":
        """A token of `lifetime` seconds with `left` of them to go; a settled one is used to its end."""
        dies_at = time.monotonic() + left
        early = 0.0 if settled else (1 - REFRESH_AT) * lifetime
        return cls(value, generation, dies_at - early, dies_at)

    @property
    def fresh(self) -> bool:
        return time.monotonic() < self.refresh_at

    @property
    def alive(self) -> bool:
        return time.monotonic() < self.dies_at


class SharedToken:
    """The token's place in Redis. Every method raises `redis.Away`."""

    def __init__(self, name: str) -> None:
        self._value, self._generation = f"wecom:token:{name}", f"wecom:token:{name}:generation"
        self._lock, self._refusal = f"wecom:token:{name}:lock", f"wecom:token:{name}:refusal"
        self._drops = f"wecom:token:{name}:drops"

    def load(self) -> Token | None:
        raw, left = redis.attempt(lambda client: _with_life(client, self._value))
        if not raw or left <= 0:
            return None
        held = json.loads(raw)
        return Token.aged(
            held["token"],
            lifetime=held["lifetime"],
            left=left / 1000,
            generation=held["generation"],
            settled=held["settled"],
        )

    def store(self, value: str, lifetime: float) -> Token:
        keys = [self._value, self._generation]
        answer = redis.attempt(lambda client: client.register_script(_STORE)(keys, [value, lifetime]))
        generation, milliseconds, settled = (int(part) for part in answer)
        life = milliseconds / 1000
        return Token.aged(value, lifetime=life, left=life, generation=generation, settled=bool(settled))

    def drop(self, value: str) -> bool:
        """Forgets the token, but only if it is still the one that failed. False: forgotten too often lately."""
        keys = [self._value, self._drops]
        most = str(DROPS_A_MINUTE)
        return int(redis.attempt(lambda client: client.register_script(_DROP)(keys, [value, most]))) >= 0

    def lock(self, holder: str) -> bool:
        return bool(redis.attempt(lambda client: client.set(self._lock, holder, nx=True, px=LOCK_MILLISECONDS)))

    def unlock(self, holder: str) -> None:
        redis.attempt(lambda client: client.register_script(_UNLOCK)([self._lock], [holder]))

    def refuse(self, code: int, seconds: float) -> None:
        redis.attempt(lambda client: client.set(self._refusal, code, px=int(seconds * 1000)))

    def refusal(self) -> tuple[int, float] | None:
        """The code that gettoken answered and the seconds for which nobody asks again."""
        code, left = redis.attempt(lambda client: _with_life(client, self._refusal))
        return (int(code), left / 1000) if code and left > 0 else None


def _with_life(client: Redis, key: str) -> tuple[str | None, int]:
    """A value and the milliseconds that it has to live, read at one moment."""
    both = client.pipeline(transaction=True)
    both.get(key)
    both.pttl(key)
    value, left = both.execute()
    return value, int(left)


class TokenSource:
    """Gives the token of one secret; `fetch` asks the platform and returns (token, seconds of life)."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._shared = SharedToken(name)
        self._held: Token | None = None
        self._refused: tuple[int, float] = (0, 0.0)  # code, monotonic time until which it stands
        self._hold_off = 0.0
        self._renewing = threading.Lock()
        self._dropping = threading.Lock()

    def get(self, fetch: Fetch) -> Token:
        """The token: fetched when there is none, renewed by one caller at 80 % of its life while others use the old.

        Errors: ConfigurationError for a secret that was refused; WecomError when the platform gives none.
        """
        held = self._held
        if held and held.fresh:
            return held
        if held and held.alive:
            return self._renew_early(held, fetch)
        if not self._renewing.acquire(timeout=LOCK_MILLISECONDS / 1000):
            raise _nobody_answers()
        try:
            held = self._held  # another thread may have fetched it meanwhile
            return held if held and held.alive else self._renew(fetch)
        finally:
            self._renewing.release()

    def prove(self, fetch: Fetch) -> None:
        """Asks the platform anew although a token may live: whether the secret stands today.

        Errors: as `get`. A refusal that is remembered is raised without asking again.
        """
        with suppress(redis.Away):
            if refusal := self._shared.refusal():
                raise refused_token(*refusal)
        self._held = self._ask(fetch)

    def drop(self, failed: Token) -> bool:
        """Forgets a token that the platform refused, unless a newer one is here already. False: dropped too often, so
        trying again would only burn gettoken."""
        with self._dropping:
            held = self._held
            if held is None or held.value != failed.value:
                return True
            try:
                dropped = self._shared.drop(failed.value)
            except redis.Away:
                dropped = limits.allow("wecom-token-drop", self._name, f"{DROPS_A_MINUTE}/minute")
            if dropped:
                self._held = None
            return dropped

    def _renew_early(self, held: Token, fetch: Fetch) -> Token:
        """A failure is no trouble yet: the old token works, so it is used and asked for again a little later."""
        if time.monotonic() < self._hold_off or not self._renewing.acquire(blocking=False):
            return held
        try:
            return self._renew(fetch)
        except (WecomError, ConfigurationError) as error:
            self._hold_off = time.monotonic() + HOLD_OFF_SECONDS
            log.warning("The access token was not renewed.", error=str(error))
            return held
        finally:
            self._renewing.release()

    def _renew(self, fetch: Fetch) -> Token:
        try:
            token = self._renew_together(fetch)
        except redis.Away:
            token = self._ask(fetch)
        self._held = token
        return token

    def _renew_together(self, fetch: Fetch) -> Token:
        """One process fetches; the others wait for its token, or go on with the old one while that lives."""
        holder, give_up = uuid.uuid4().hex, time.monotonic() + LOCK_MILLISECONDS / 1000
        while True:
            token = self._shared.load()
            if token and token.fresh:
                return token
            if self._shared.lock(holder):
                failpoint("token.locked")
                return self._fetch_locked(holder, fetch)
            if token and token.alive:
                return token
            if time.monotonic() > give_up:
                raise _nobody_answers()
            time.sleep(POLL_SECONDS)

    def _fetch_locked(self, holder: str, fetch: Fetch) -> Token:
        try:
            token = self._shared.load()  # the last holder may have just stored it
            if token and token.fresh:
                return token
            if refusal := self._shared.refusal():
                raise refused_token(*refusal)
            return self._ask(fetch)
        finally:
            with suppress(redis.Away):  # the lock ends by itself
                self._shared.unlock(holder)

    def _ask(self, fetch: Fetch) -> Token:
        """One gettoken, unless it was refused a short while ago."""
        code, until = self._refused
        if time.monotonic() < until:
            raise refused_token(code, until - time.monotonic())
        try:
            value, lifetime = fetch()
        except (WecomError, ConfigurationError) as error:
            self._note_refusal(error)
            if error.code in BAD_CREDENTIALS:
                raise refused_token(error.code, REFUSED_SECONDS) from None
            raise
        failpoint("token.fetched")
        try:
            token = self._shared.store(value, lifetime)
        except redis.Away:
            held = self._held
            if held and held.value == value:
                return replace(held, refresh_at=held.dies_at)
            return Token.aged(value, lifetime=lifetime, left=lifetime, generation=0)
        failpoint("token.stored")
        return token

    def _note_refusal(self, error: WecomError | ConfigurationError) -> None:
        if error.code is None or (isinstance(error, WecomError) and error.kind is Kind.BUSY):
            return
        seconds = REFUSED_SECONDS if error.code in BAD_CREDENTIALS else THROTTLED_SECONDS
        self._refused = (error.code, time.monotonic() + seconds)
        with suppress(redis.Away):
            self._shared.refuse(error.code, seconds)


def _nobody_answers() -> Unreachable:
    return Unreachable(_("no access token in time"), api="gettoken", maybe_done=False)


_sources: dict[str, TokenSource] = {}
_lock = threading.Lock()


def source(api_url: str, corp_id: str, secret: str) -> TokenSource:
    """The process's one source for a secret."""
    name = hashlib.sha256("\0".join((api_url, corp_id, secret)).encode()).hexdigest()[:32]
    with _lock:
        if name not in _sources:
            _sources[name] = TokenSource(name)
        return _sources[name]


def forget() -> None:
    """As a process that has just begun."""
    with _lock:
        _sources.clear()


def state(api_url: str, corp_id: str, secret: str) -> str:
    """For people: `ok` (a living token is shared), `none` (not fetched yet), `refused`. Raises `redis.Away`."""
    shared = source(api_url, corp_id, secret)._shared
    token = shared.load()
    if token and token.alive:
        return "ok"
    return "refused" if shared.refusal() else "none"
