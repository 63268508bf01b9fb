"""Domain time of the stand-in, computed as the SCRM computes it: from CLOCK_OFFSET, CLOCK_SPEED, CLOCK_ANCHOR.

Protocol time (token life, welcome codes, lags, retries) is real: `time.monotonic()`.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """Domain time runs `speed` times as fast from `anchor` on (0: never), `offset` seconds ahead; unix seconds."""

    offset: float = 0.0
    speed: float = 1.0
    anchor: float = 0.0

    @classmethod
    def from_environment(cls) -> Clock:
        """Read the three settings; absent ones leave real time as it is."""
        return cls(
            offset=float(os.environ.get("CLOCK_OFFSET") or 0),
            speed=float(os.environ.get("CLOCK_SPEED") or 1),
            anchor=float(os.environ.get("CLOCK_ANCHOR") or 0),
        )

    def time(self) -> float:
        """Domain time now, unix seconds."""
        real = time.time()
        if self.speed != 1 and self.anchor and real > self.anchor:
            real = self.anchor + (real - self.anchor) * self.speed
        return real + self.offset

    def now(self) -> int:
        """Domain time now in whole seconds, as the platform writes times."""
        return int(self.time())
