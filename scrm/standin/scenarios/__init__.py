"""Seeded histories: the same arguments give the same rows, here and in the demo's loader."""

from __future__ import annotations

from datetime import datetime
from random import Random

from .corp import ROOT, found
from .draws import DAY
from .people import People
from .profiles import PROFILES
from .rooms import Rooms
from .rows import History
from .sends import Sends

SCENARIOS = ("empty", *PROFILES)


def history(scenario: str, *, customers: int, days: int, until: datetime, seed: int = 1) -> History:
    """The `days` before `until` (aware; whole seconds count) of a corp that has `customers` customers at its end.

    ValueError for a scenario that does not exist and for numbers below zero. 300,000 customers take some
    ten seconds and half a GB while the rows are kept.
    """
    if scenario not in SCENARIOS:
        raise ValueError(f"there is no scenario {scenario!r}; there are {', '.join(SCENARIOS)}")
    if customers < 0 or days < 0:
        raise ValueError("customers and days are not negative")
    end = int(until.timestamp())
    made = History(scenario=scenario, since=end - days * DAY, until=end, seed=seed)
    if scenario == "empty":
        made.departments.append(ROOT)
        return made
    profile = PROFILES[scenario]
    rng = Random(f"{scenario}:{seed}:{customers}:{days}")
    found(made, profile, customers, rng)
    people = People(made, profile, customers, rng)
    if customers:
        people.fill()
    Rooms(made, profile, people, rng).fill()
    Sends(made, profile, customers).fill()
    return made
