"""What `manage.py demo` was asked for, checked; passed on to the loader as one value."""

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

EMPTY: Final = "empty"
DEFAULT: Final = "beauty"
CUSTOMERS: Final = 3000
DAYS: Final = 30
SCENARIOS: Final = ("beauty", "mother_baby", EMPTY)
PLANNED: Final = ("school", "coffee", "leaver")


class DemoError(Exception):
    """Why the demo can't run: one sentence with the cure."""


@dataclass(frozen=True)
class Options:
    """What is asked for; with `complete()` also what it comes to.

    None or an empty text: what the database holds already, else the default. `until` is the domain time at which
    the history ends and live traffic begins (ISO, with offset); it stays the same for later runs on the same data,
    so that the stand-in builds the same world again. `speed` is that of the domain clock.
    """

    port: int = 8000
    scenario: str = ""
    customers: int | None = None
    days: int | None = None
    until: str = ""
    speed: float = 1.0
    traffic: bool = True
    exit_after: float | None = None
    fresh: bool = False

    def played(self) -> dict[str, Any]:
        """What the data depend on."""
        return {"scenario": self.scenario, "customers": self.customers, "days": self.days, "until": self.until}

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Options":
        return cls(**json.loads(text))


def check(options: Options, *, real_platform: bool) -> None:
    """Raises DemoError. `real_platform`: WECOM_API_URL was given."""
    if options.scenario in PLANNED:
        raise DemoError(f"The scenario {options.scenario!r} does not exist yet. There are: {', '.join(SCENARIOS)}.")
    if options.scenario not in ("", *SCENARIOS):
        raise DemoError(f"No such scenario: {options.scenario!r}. There are: {', '.join(SCENARIOS)}.")
    if real_platform and options.scenario not in ("", EMPTY):
        raise DemoError("WECOM_API_URL is given, so there is no stand-in to play a scenario: say --scenario empty.")
    if real_platform and options.speed != 1:
        raise DemoError("WECOM_API_URL is given: a real platform has no other speed than 1. Leave --speed out.")
    if not 1 <= options.port <= 65535:
        raise DemoError(f"--port {options.port} is no port: give one from 1 to 65535.")
    for name in ("customers", "days"):
        number = getattr(options, name)
        if number is not None and number < 1:
            raise DemoError(f"--{name} {number}: give a whole number from 1.")
    if not 0 < options.speed <= 10_000:
        raise DemoError(f"--speed {options.speed:g}: give a number above 0, at most 10000.")
    if options.exit_after is not None and options.exit_after < 0:
        raise DemoError("--exit-after is a number of seconds from ready on.")


def complete(
    options: Options,
    note: Mapping[str, Any],
    now: dt.datetime,
    *,
    real_platform: bool,
    cure: str = "Add --fresh to begin anew with other options.",
) -> Options:
    """The options with every blank filled: from what the database holds (`note`, see database.py), else defaults.

    Raises DemoError when the database holds something else than is asked for: two scenarios don't mix.
    `cure` is what the person can do about it.
    """
    if "scenario" not in note:
        return _with_defaults(options, now, real_platform=real_platform)
    held = {name: note[name] for name in ("scenario", "customers", "days", "until")}
    asked = {name: value for name, value in options.played().items() if value}
    if any(held[name] != value for name, value in asked.items()) or (real_platform and held["scenario"] != EMPTY):
        there = f"--scenario {held['scenario']} --customers {held['customers']} --days {held['days']}"
        raise DemoError(f"The database holds a demo with {there}. {cure}")
    return dataclasses.replace(options, **held)


def _with_defaults(options: Options, now: dt.datetime, *, real_platform: bool) -> Options:
    scenario = options.scenario or (EMPTY if real_platform else DEFAULT)
    empty = scenario == EMPTY
    return dataclasses.replace(
        options,
        scenario=scenario,
        customers=0 if empty else options.customers or CUSTOMERS,
        days=0 if empty else options.days or DAYS,
        until=now.replace(second=0, microsecond=0).isoformat(),
    )
