"""Random moments and ends, drawn from the tables of stand-in.md §3."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import log
from random import Random

from scrm.standin.settings import Quantiles

DAY = 86_400
BEIJING = 8 * 3600  # seconds ahead of UTC; no summer time

# Delay between a welcome and the join, by quantile (stand-in.md §3): p50 40 s, 60 % in 5 min, 92 % in a day.
JOIN_DELAY: Quantiles = (
    (0.0, 6.0), (0.5, 40.0), (0.6, 300.0), (0.92, 86_400.0), (0.97, 172_800.0), (1.0, 400_000.0)
)  # fmt: skip
# Receipt of the callback to the platform's answer, milliseconds: p50 0.9 s (stand-in.md §4).
WELCOME_LATENCY: Quantiles = ((0.0, 240.0), (0.5, 900.0), (0.95, 2100.0), (0.99, 3800.0), (1.0, 9000.0))

HOURS_ADDS = (
    0.006, 0.003, 0.002, 0.001, 0.001, 0.003, 0.010, 0.022, 0.036, 0.050, 0.058, 0.056,
    0.066, 0.060, 0.048, 0.046, 0.048, 0.050, 0.056, 0.072, 0.100, 0.098, 0.070, 0.038,
)  # fmt: skip
HOURS_EVENT_DAY = (
    0.004, 0.002, 0.001, 0.001, 0.001, 0.002, 0.006, 0.014, 0.030, 0.060, 0.110, 0.070,
    0.060, 0.050, 0.042, 0.040, 0.042, 0.044, 0.050, 0.070, 0.120, 0.110, 0.050, 0.021,
)  # fmt: skip


def day_begin(moment: int) -> int:
    """Midnight in Beijing of the day that `moment` belongs to."""
    return (moment + BEIJING) // DAY * DAY - BEIJING


def weekday(moment: int) -> int:
    """0 = Monday, in Beijing."""
    return ((moment + BEIJING) // DAY + 3) % 7


class Hours:
    """Moments within a day by weights of its 24 hours."""

    def __init__(self, weights: Sequence[float]) -> None:
        self._bounds = list(accumulate(weights))

    def second(self, rng: Random) -> int:
        """A second of the day, 0 … 86,399."""
        hour = min(23, bisect_right(self._bounds, rng.random() * self._bounds[-1]))
        return hour * 3600 + int(rng.random() * 3600)

    def weight(self, hour: int) -> float:
        """Share of the day that falls into an hour."""
        return (self._bounds[hour] - (self._bounds[hour - 1] if hour else 0.0)) / self._bounds[-1]


@dataclass(frozen=True, slots=True)
class Fate:
    """When something ends: cumulative shares by days since it began, then a constant share a day."""

    points: tuple[tuple[float, float], ...]  # (days, cumulative share), from (0, 0) on
    later: float  # share of the rest that ends on each further day

    @classmethod
    def from_hazards(cls, *hazards: float) -> Fate:
        """From per-day shares of D0, D1, D2–3, D4–7, D8–30 and later, as in stand-in.md §3."""
        bounds = (1, 2, 4, 8, 31)
        points, alive, begin = [(0.0, 0.0)], 1.0, 0
        for hazard, end in zip(hazards, bounds, strict=False):
            alive *= (1 - hazard) ** (end - begin)
            points.append((float(end), 1 - alive))
            begin = end
        return cls(tuple(points), hazards[-1])

    def share(self, days: float) -> float:
        """Part that has ended `days` after the beginning."""
        for (begin, low), (end, high) in pairwise(self.points):
            if days <= end:
                return float(low + (high - low) * (days - begin) / (end - begin))
        last, share = self.points[-1]
        return float(1 - (1 - share) * (1 - self.later) ** (days - last))

    def seconds(self, rng: Random, lived: float = 0.0) -> float:
        """Seconds from beginning to end for one that has lived `lived` seconds already; may be years."""
        gone = self.share(lived / DAY) if lived else 0.0
        target = gone + (1 - gone) * rng.random()
        for (begin, low), (end, high) in pairwise(self.points):
            if target <= high:
                return (begin + (end - begin) * (target - low) / (high - low)) * DAY
        last, share = self.points[-1]
        rest = (1 - target) / (1 - share)
        days = last + (_log(rest) / _log(1 - self.later) if self.later else 10_000.0)
        return min(days, 10_000.0) * DAY


def _log(share: float) -> float:
    return log(max(share, 1e-12))
