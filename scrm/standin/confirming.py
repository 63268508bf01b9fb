"""When staff confirm the broadcasts that wait for them (stand-in.md §2), by domain time.

Four modes, for everybody (`confirm`) or one member (`confirm_of`): `natural` people, `at_once`, `never`, and `random`:
a share confirms at once. The draws depend on the seed, the member and the number of the member's task alone, so that
calls made side by side change nothing.
"""

from __future__ import annotations

from math import log
from random import Random
from typing import TYPE_CHECKING

from .scenarios.draws import DAY, day_begin

if TYPE_CHECKING:
    from .settings import Settings

BEGIN, END = 9 * 3600, 22 * 3600  # seconds of the day in which people answer
MORNING = (9 * 3600 + 300, 9 * 3600 + 2400)  # when what came at night is confirmed: 09:05–09:40
MEDIAN, SPREAD = 420.0, 1.94  # log-normal: p50 7 min, p80 35 min, p95 3 h
SOONEST = 20.0  # nobody takes out the phone, reads and taps in less
DILIGENT, BAD = 0.6, 0.1  # parts of the staff
BAD_NEVER = 0.35
FREE_TASKS, LOAD = 3, 0.06  # from the fourth task of a day on the never share rises so much a task
WON_BACK = (0.55, 0.30, 0.10)  # by the first, second and third reminder
WON_BACK_SECONDS = 1200.0


class Confirming:
    """Decides once when a task is made, and again at each reminder."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def due(self, userid: str, number: int, today: int, created: float) -> float | None:
        """Domain second at which the member confirms; None: never without a reminder.

        `number` counts the member's tasks so far, `today` those of this day, both with this one.
        """
        mode, rng = self._mode(userid), self._draws(userid, number)
        if mode == "natural":
            return self._natural(userid, today, created, rng)
        if mode == "random":
            return created if rng.random() < self._settings.confirm_share else None
        return created if mode == "at_once" else None

    def reminded(self, userid: str, number: int, reminder: int, now: float) -> float | None:
        """Domain second at which a member who would not have confirmed does after the n-th reminder; None: no."""
        if self._mode(userid) != "natural":
            return None
        rng = self._draws(userid, number, reminder)
        if rng.random() >= WON_BACK[min(reminder, len(WON_BACK)) - 1]:
            return None
        return _awake(now + rng.random() * WON_BACK_SECONDS / self._settings.confirm_speed, rng)

    def factor(self, userid: str) -> float:
        """How slow a member is: 0.5 diligent, 1 normal, 3 bad; the same for ever."""
        draw = self._draws(userid, 0).random()
        if draw < DILIGENT:
            return 0.5
        return 3.0 if draw >= 1 - BAD else 1.0

    def _natural(self, userid: str, today: int, created: float, rng: Random) -> float | None:
        factor = self.factor(userid)
        never = self._settings.confirm_never
        if factor > 1:
            never = max(never, BAD_NEVER)
        if rng.random() < never + LOAD * max(0, today - FREE_TASKS):
            return None
        if _awake(created, Random(0)) != created:
            return _awake(created, rng)
        delay = max(SOONEST, rng.lognormvariate(log(MEDIAN * factor), SPREAD))
        return _awake(created + delay / self._settings.confirm_speed, rng)

    def _mode(self, userid: str) -> str:
        return self._settings.confirm_of.get(userid, self._settings.confirm)

    def _draws(self, userid: str, *numbers: int) -> Random:
        return Random(":".join(map(str, (self._settings.confirm_seed, userid, *numbers))))


def _awake(moment: float, rng: Random) -> float:
    """The moment itself by day; at night the next morning."""
    midnight = day_begin(int(moment))
    if BEGIN <= moment - midnight < END:
        return moment
    if moment - midnight >= END:
        midnight += DAY
    return midnight + rng.uniform(*MORNING)
