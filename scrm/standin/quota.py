"""How many broadcasts a customer or a group may still receive: shared by everybody, counted at confirmation.

Three rules (platform.md 1): a month's total equal to its days, seven a week, or one a day; Beijing time.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .world import World

BEIJING = timezone(timedelta(hours=8))
KEPT = 3  # latest periods of each rule that are remembered: a corp of 320,000 fills one every day


class ReceiveQuota:
    """Counts by period and receiver (external_userid or chat id)."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.used: dict[str, dict[str, int]] = {}

    def left(self, receiver: str, at: float | None = None) -> int:
        """How many may still be received in the period that `at` (domain seconds) falls into."""
        period, total = _period(self._world.settings.receive_rule, self._moment(at))
        return max(0, total - self._counts(period).get(receiver, 0))

    def take(self, receiver: str, at: float | None = None) -> bool:
        """Count a delivery at its confirmation; False (and nothing counted) when none is left: status 3."""
        return self.taker(at)(receiver)

    def taker(self, at: float | None = None) -> Callable[[str], bool]:
        """`take` for many receivers at one moment."""
        moment = self._moment(at)
        period, total = _period(self._world.settings.receive_rule, moment)
        # Counted under every rule, so that the admin may switch in mid-month.
        day, week, month = (self._counts(_period(rule, moment)[0]) for rule in ("day_1", "week_7", "month_total"))
        binding = self._counts(period)

        def take(receiver: str) -> bool:
            if binding.get(receiver, 0) >= total:
                return False
            day[receiver] = day.get(receiver, 0) + 1
            week[receiver] = week.get(receiver, 0) + 1
            month[receiver] = month.get(receiver, 0) + 1
            return True

        return take

    def book(self, receivers: Iterable[str], at: float) -> None:
        """Count what was received at a moment of the past."""
        moment = self._moment(at)
        kinds = [self._counts(_period(rule, moment)[0]) for rule in ("day_1", "week_7", "month_total")]
        for receiver in receivers:
            for counts in kinds:
                counts[receiver] = counts.get(receiver, 0) + 1

    def _counts(self, period: str) -> dict[str, int]:
        """The counts of a period; a new one displaces the oldest of its rule."""
        if period not in self.used:
            self.used[period] = {}
            same = sorted(name for name in self.used if name[0] == period[0] and name != period)
            for name in same[: 1 - KEPT]:
                del self.used[name]
        return self.used[period]

    def _moment(self, at: float | None) -> datetime:
        return datetime.fromtimestamp(self._world.now() if at is None else at, BEIJING)


def _period(rule: str, moment: datetime) -> tuple[str, int]:
    """Name and total; names of one rule begin with the same letter and sort by time."""
    if rule == "day_1":
        return moment.strftime("d%Y-%m-%d"), 1
    if rule == "week_7":
        return moment.strftime("w%G-%V"), 7
    if rule == "month_total":
        return moment.strftime("m%Y-%m"), calendar.monthrange(moment.year, moment.month)[1]
    raise ValueError(f"no such receive rule: {rule}")
