"""The corp of a scenario before any customer: departments, staff, tags, channels."""

from __future__ import annotations

import math
from random import Random

from .draws import DAY
from .profiles import Profile
from .rows import ChannelRow, DepartmentRow, History, StaffRow, TagRow

CAPACITY = 20_000  # platform.md 23
FULL = 18_900  # first friends of an account that is (nearly) full; second friendships come on top
OLDER = 0.885  # part of a large corp's customers that came before the window
ROOT = DepartmentRow(1, "总部", 0, 100_000_000)


def found(history: History, profile: Profile, customers: int, rng: Random) -> None:
    """Fill departments, staff, tags and channels."""
    history.departments.append(ROOT)
    for place, name in enumerate(profile.departments):
        history.departments.append(DepartmentRow(place + 2, name, 1, 100_000_000 - place))
    _staff(history, profile, customers)
    born = history.since - profile.old_days * DAY
    for place, (group, names) in enumerate(profile.tags):
        group_id = _id("et", rng)
        for order, name in enumerate(names):
            row = TagRow(_id("et", rng), name, len(names) - order, group_id, group, 100 - place, born)
            history.tags.append(row)
    receiving = tuple(staff.userid for staff in history.staff if staff.receiving)
    for source in profile.sources:
        if source.state:
            config = f"{rng.getrandbits(128):032x}"
            history.channels.append(ChannelRow(source.state, source.name, config, receiving, source.share, born))


def adds_a_day(profile: Profile, customers: int, days: int) -> float:
    """At scale what the receiving accounts get; a small corp has won a share of its people in the window."""
    scaled = profile.adds_at_scale * customers / 320_000
    small = min(profile.recent_share * customers / max(days, 30), 525.0 * profile.receiving / 2)
    return min(max(scaled, small), 0.8 * customers / (days + _extra_days(profile, days)))


def full_accounts(customers: int) -> int:
    """How many accounts take no more, because older customers fill them: 15 at 320,000 (stand-in.md §4)."""
    older = customers * OLDER
    return math.ceil(older / FULL) if older >= FULL else 0


def receiving_accounts(profile: Profile, customers: int, days: int) -> int:
    """How many accounts receive: enough that the window's customers leave them some room."""
    adds = adds_a_day(profile, customers, days) * (days + _extra_days(profile, days))
    return max(profile.receiving, math.ceil(adds / FULL))


def _extra_days(profile: Profile, days: int) -> float:
    """What the event day counts above a usual one."""
    inside = profile.event_day is not None and profile.event_day < days
    return profile.event_factor - 1 if inside else 0.0


def _staff(history: History, profile: Profile, customers: int) -> None:
    older = max(1, full_accounts(customers))
    receiving = receiving_accounts(profile, customers, max(1, (history.until - history.since) // DAY))
    count = older + receiving + 1
    for number in range(1, count + 1):
        receives = older < number <= older + receiving
        userid, name = profile.userid.format(n=number), profile.account.format(n=number)
        history.staff.append(StaffRow(userid, name, (2,), "福利官", 1, True, CAPACITY, receives))
    history.staff.append(StaffRow("yunying01", profile.manager, (2,), "社群运营", 1, True, CAPACITY, False))
    history.staff.append(StaffRow("zhuguan", "社群主管", (1, 2), "主管", 1, False, CAPACITY, False))


def _id(prefix: str, rng: Random) -> str:
    return prefix + f"{rng.getrandbits(120):030x}"
