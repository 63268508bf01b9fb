"""How many calls an API may get: the platform's windows and the arithmetic of a token bucket (wecom-api.md §1.3)."""

from dataclasses import dataclass

from django.conf import settings

# Never more than the window's budget in any window: a full bucket plus one window of refill is exactly the budget.
MINUTE_BURST = 1 / 7
HOUR_BURST = 1 / 2
# A bucket that the process has not seen lately starts with a part of its burst: what was spent is unknown.
MINUTE_START = 1 / 4
HOUR_START = 1 / 2


@dataclass(frozen=True, slots=True)
class Window:
    """One token bucket: holds `burst` calls, gains `rate` a millisecond, starts with `start`."""

    name: str
    burst: float
    rate: float
    start: float

    def refilled(self, tokens: float, milliseconds: float) -> float:
        """What is in the bucket after a while."""
        return min(self.burst, tokens + milliseconds * self.rate)

    def wait(self, tokens: float) -> float:
        """Seconds until a whole call is in the bucket."""
        return max(0.0, (1 - tokens) / self.rate / 1000)


def windows(share: float = 1.0) -> tuple[Window, Window]:
    """The minute's and the hour's bucket of each API. `share`: the part of the budget that this process may take."""
    return (
        _window("minute", settings.WECOM_CALLS_PER_MINUTE * share, 60, MINUTE_BURST, MINUTE_START),
        _window("hour", settings.WECOM_CALLS_PER_HOUR * share, 3600, HOUR_BURST, HOUR_START),
    )


def _window(name: str, budget: float, seconds: int, burst: float, start: float) -> Window:
    held = max(1.0, budget * burst)
    return Window(name, burst=held, rate=budget * (1 - burst) / (seconds * 1000), start=max(1.0, held * start))
