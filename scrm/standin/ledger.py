"""The witness: every effect that the stand-in accepted, numbered in order."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Effect:
    """One accepted effect. `at` is real unix time, `domain_at` domain time; `detail` depends on `kind`."""

    seq: int
    kind: str
    at: float
    domain_at: float
    detail: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Flat, for JSON."""
        return {
            "seq": self.seq,
            "kind": self.kind,
            "at": self.at,
            "domain_at": self.domain_at,
            **self.detail,
        }


class Ledger:
    """Append-only list of effects. Kinds: welcome, app_message, mark_tag, remark, corp_tag, contact_way, broadcast,
    reminder, cancellation, media."""

    def __init__(self) -> None:
        self._effects: list[Effect] = []
        self._lock = threading.Lock()

    def write(self, kind: str, domain_at: float, **detail: Any) -> Effect:
        """Record an accepted effect."""
        with self._lock:
            effect = Effect(len(self._effects) + 1, kind, time.time(), domain_at, detail)
            self._effects.append(effect)
            return effect

    def of(self, kind: str | None = None, after: int = 0) -> list[dict[str, Any]]:
        """Effects of one kind (all when None) with a number above `after`, oldest first."""
        with self._lock:
            rows = self._effects[after:]
        return [effect.as_dict() for effect in rows if kind in (None, effect.kind)]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._effects.clear()

    def __len__(self) -> int:
        return len(self._effects)
