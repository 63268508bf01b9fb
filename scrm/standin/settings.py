"""What may be turned while the stand-in runs: lag, spread, losses, lives and limits.

`Settings()` is quiet (nothing late, lost or doubled: what a test wants unless it says otherwise);
`Settings.platform()` has the numbers of stand-in.md §1.
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass, field
from random import Random

Quantiles = tuple[tuple[float, float], ...]

# Seconds by quantile, stand-in.md §1.
CHAT_LAG: Quantiles = ((0.0, 0.3), (0.5, 0.8), (0.95, 2.0), (0.99, 5.0), (1.0, 6.0))
DELETE_LAG: Quantiles = ((0.0, 0.5), (0.5, 1.0), (0.9, 3.0), (0.99, 30.0), (1.0, 35.0))
OTHER_LAG: Quantiles = ((0.0, 0.5), (0.5, 1.0), (1.0, 3.0))
CALLBACK_SPREAD: Quantiles = ((0.0, 0.2), (0.5, 0.6), (0.99, 2.5), (1.0, 2.5))
DISPATCHING: Quantiles = ((0.0, 5.0), (0.5, 12.0), (0.95, 25.0), (1.0, 30.0))
RESULT_LAG: Quantiles = ((0.0, 5.0), (0.5, 20.0), (0.95, 60.0), (1.0, 90.0))
API_DELAY: Quantiles = ((0.0, 0.03), (0.5, 0.08), (0.95, 0.25), (0.99, 0.9), (1.0, 1.2))


CHOICES = {
    "receive_rule": ("month_total", "week_7", "day_1"),
    "confirm": ("natural", "at_once", "never", "random"),
}


def at_quantile(points: Quantiles, share: float) -> float:
    """Value at `share` (0…1) of a distribution given by its quantiles, straight lines between them."""
    for (low, below), (high, above) in itertools.pairwise(points):
        if share <= high:
            return below + (above - below) * (share - low) / (high - low)
    return points[-1][1]


@dataclass(slots=True)
class Settings:
    """Times in real seconds, shares as fractions."""

    lag: float | str = 0.0  # seconds, or "platform": reads answer the old state that long after a change
    spread: float | str = 0.0  # seconds between a fact and its callback, or "platform"
    api_delay: float | str = 0.0  # seconds an answer takes, or "platform"
    busy: float = 0.0  # share of calls answered -1
    repeats: float = 0.0  # share of callbacks sent twice
    out_of_order: float = 0.0  # share of callbacks held back 3 to 8 s
    lost: float = 0.0  # share of callbacks never sent
    hold: bool = False  # keep callbacks until /_standin/deliver names them
    callback_timeout: float = 5.0  # wecom-api.md §2.5
    callback_tries: tuple[float, ...] = (0.0, 5.0, 10.0)  # seconds after the first try
    callback_connections: int = 64
    token_life: float = 7200.0
    welcome_life: float = 20.0  # wecom-api.md §8.1
    ban_after: int = 30  # wrong secrets within a minute before the address is banned for an hour
    per_minute: dict[str, int] = field(default_factory=lambda: {"*": 10_000})  # by API; wecom-api.md §1.3
    per_hour: dict[str, int] = field(default_factory=lambda: {"*": 150_000})
    block_seconds: float = 60.0  # how long 45009 lasts after the minute's limit
    concurrency: dict[str, int] = field(default_factory=lambda: {"*": 10_000})  # by API, above it 45033
    half_listed: bool = True  # whether reads name relations that are only half
    receive_rule: str = "month_total"  # month_total | week_7 | day_1, platform.md 1
    # Broadcasts, wecom-api.md §10.
    confirm: str = "natural"  # how staff confirm tasks made from now on: natural | at_once | never | random
    confirm_of: dict[str, str] = field(default_factory=dict)  # the same for single members, by userid
    confirm_share: float = 0.5  # of the tasks that are confirmed, at once, when `random`
    confirm_seed: int = 1  # the same seed, member and number of task give the same decision
    confirm_speed: float = 1.0  # by how much faster than people really do they confirm when `natural`
    confirm_never: float = 0.12  # share that people forget without a reminder when `natural`
    dispatching: float | str = 0.0  # seconds of 41063 after a broadcast was made, or "platform"
    result_lag: float | str = 0.0  # seconds from a confirmation until its results are read, or "platform"
    half_refused: bool = False  # a half friend refuses the whole call (84061) instead of being in fail_list
    create_time_text: bool = False  # get_groupmsg_list_v2 gives create_time as a string of digits
    task_status_sent: int = 2  # of a confirmed task in get_groupmsg_task; a sample shows 1
    media_life: float = 3 * 86_400.0  # domain seconds, wecom-api.md §14.1
    welcome_busy: float = 0.0  # share of welcomes answered 41096
    app_messages_per_minute: int = 30  # to one member; the rest is dropped silently, wecom-api.md §1.3
    sign_in_life: float = 300.0  # of an OAuth code, wecom-api.md §4.2
    sign_in_as: str = ""  # who signs in at the platform's pages without being asked
    trusted_domains: tuple[str, ...] = ()  # hosts (with port) that pages may lead back to; none: any
    address_trusted: bool = True  # whether our address is under 企业可信IP, else 60020
    app_closed: bool = False  # the app is switched off in the console
    clock_ahead: float = 0.0  # seconds by which the platform's Date is ahead of this machine's clock
    acquisition_total: int = 1000  # friendships by acquisition links that were bought, wecom-api.md §7.2
    acquisition_left: int = 1000
    unionids: bool = True  # the corp bound a WeChat developer account
    # How live people's chat events look; what tests do themselves they name in the act.
    merged_joins: float = 0.0  # share of joins within 3 s of each other told as one event
    unnamed_change: float = 0.0  # share of chat events that carry a second change not named
    old_form: float = 0.0  # share of chat events without member versions

    @classmethod
    def platform(cls) -> Settings:
        """Everything as late and unreliable as the real one, stand-in.md §1."""
        return cls(
            lag="platform", spread="platform", api_delay="platform", busy=0.0005, repeats=0.005,
            out_of_order=0.01, lost=0.0005, welcome_busy=0.001, merged_joins=0.3,
            unnamed_change=0.02, old_form=0.01, dispatching="platform", result_lag="platform",
        )  # fmt: skip

    def change(self, values: dict[str, object]) -> None:
        """Set several by name; an unknown name or a value of another shape is a ValueError."""
        known = {item.name: item for item in dataclasses.fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"no such setting: {name}")
            if name in CHOICES and value not in CHOICES[name]:
                raise ValueError(f"{name} is one of {', '.join(CHOICES[name])}")
            old = getattr(self, name)
            if isinstance(old, dict):
                if not isinstance(value, dict):
                    raise ValueError(f"{name} is a mapping")
                old.update(value)
                continue
            setattr(self, name, tuple(value) if isinstance(value, list) else value)

    def seconds(self, value: float | str, points: Quantiles, rng: Random) -> float:
        """`value` itself, or a draw from `points` when it says "platform"."""
        return at_quantile(points, rng.random()) if isinstance(value, str) else value
