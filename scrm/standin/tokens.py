"""Access tokens: one per secret while it lasts, and the ban of addresses that guess secrets (wecom-api.md §1.1)."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from .errors import Refusal
from .settings import Settings

BAN_SECONDS = 3600.0
BAN_WINDOW = 60.0


@dataclass(slots=True)
class Token:
    """A token of one app; `until` is monotonic."""

    text: str
    agent_id: int
    until: float
    revoked: bool = False


class Tokens:
    """Issues and checks tokens of one corp's apps."""

    def __init__(self, corp_id: str, apps: dict[str, int], settings: Settings) -> None:
        self.corp_id = corp_id
        self._apps = apps
        self._settings = settings
        self._current: dict[str, Token] = {}
        self._all: dict[str, Token] = {}
        self._failures: dict[str, list[float]] = {}
        self._banned: dict[str, float] = {}

    @property
    def agents(self) -> frozenset[int]:
        """The apps of the corp by their agent ids."""
        return frozenset(self._apps.values())

    def issue(self, corp_id: str, secret: str, ip: str) -> tuple[str, int]:
        """(token, seconds it still lives): the same one while it is valid."""
        now = time.monotonic()
        if self._banned.get(ip, 0) > now:
            raise Refusal(45009)
        if not corp_id:
            raise Refusal(41002)
        if not secret:
            raise Refusal(41004)
        if corp_id != self.corp_id:
            raise Refusal(40013)
        if secret not in self._apps:
            self._wrong(ip, now)
            raise Refusal(40001)
        token = self._current.get(secret)
        if token is None or token.until <= now or token.revoked:
            token = Token(secrets.token_urlsafe(64), self._apps[secret], now + self._settings.token_life)
            self._current[secret] = token
            self._all[token.text] = token
        return token.text, max(1, round(token.until - now))

    def check(self, text: str | None) -> int:
        """The agent id that the token belongs to; 41001, 40014 or 42001 otherwise."""
        if not text:
            raise Refusal(41001)
        token = self._all.get(text)
        if token is None or token.revoked:
            raise Refusal(40014)
        if token.until <= time.monotonic():
            raise Refusal(42001)
        return token.agent_id

    def expire(self, *, revoke: bool = False) -> int:
        """End every token now, as expired (42001) or as withdrawn early (40014); says how many."""
        for token in self._current.values():
            token.until = min(token.until, time.monotonic())
            token.revoked = revoke
        count = len(self._current)
        self._current.clear()
        return count

    def _wrong(self, ip: str, now: float) -> None:
        recent = [at for at in self._failures.get(ip, []) if at > now - BAN_WINDOW] + [now]
        self._failures[ip] = recent
        if len(recent) >= self._settings.ban_after:
            self._banned[ip] = now + BAN_SECONDS
