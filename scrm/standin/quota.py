"""How many broadcasts a customer or a group may still receive: shared by everybody, counted at confirmation.

Three rules (platform.md 1): a month's total equal to its days, seven a week, or one a day; Beijing time.
"""

from __future__ import annotations

import calendar
from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .world import World

BEIJING = timezone(timedelta(hours=8))
RULES = ("month_total", "week_7", "day_1")


class ReceiveQuota:
    """Counts by receiver (external_userid or chat id) and period."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.used: Counter[tuple[str, str]] = Counter()

    def left(self, receiver: str, at: float | None = None) -> int:
        """How many may still be received in the period that `at` (domain seconds) falls into."""
        period, total = self._period(at)
        return max(0, total - self.used[(receiver, period)])

    def take(self, receiver: str, at: float | None = None, count: int = 1) -> bool:
        """Count a delivery at its confirmation; False (and nothing counted) when none is left: status 3."""
        if self.left(receiver, at) < count:
            return False
        moment = datetime.fromtimestamp(self._world.now() if at is None else at, BEIJING)
        for rule in RULES:  # counted under every rule, so that the admin may switch in mid-month
            self.used[(receiver, _period(rule, moment)[0])] += count
        return True

    def _period(self, at: float | None) -> tuple[str, int]:
        moment = datetime.fromtimestamp(self._world.now() if at is None else at, BEIJING)
        return _period(self._world.settings.receive_rule, moment)


def _period(rule: str, moment: datetime) -> tuple[str, int]:
    if rule == "day_1":
        return moment.strftime("d%Y-%m-%d"), 1
    if rule == "week_7":
        return moment.strftime("w%G-%V"), 7
    if rule == "month_total":
        return moment.strftime("m%Y-%m"), calendar.monthrange(moment.year, moment.month)[1]
    raise ValueError(f"no such receive rule: {rule}")
