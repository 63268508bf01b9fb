"""The corp of a scenario before any customer: departments, staff, tags, channels."""

from __future__ import annotations

from random import Random

from .draws import DAY
from .profiles import Profile
from .rows import ChannelRow, DepartmentRow, History, StaffRow, TagRow

CAPACITY = 20_000  # platform.md 23
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


def full_accounts(profile: Profile, customers: int) -> int:
    """How many accounts have no room left: 15 at 320,000 customers (stand-in.md §4)."""
    return round(customers * 0.9 / profile.full_account) if profile.full_account else 0


def _staff(history: History, profile: Profile, customers: int) -> None:
    older = max(1, full_accounts(profile, customers))
    count = older + profile.receiving + 1
    for number in range(1, count + 1):
        receives = older < number <= older + profile.receiving
        userid, name = profile.userid.format(n=number), profile.account.format(n=number)
        history.staff.append(StaffRow(userid, name, (2,), "福利官", 1, True, CAPACITY, receives))
    history.staff.append(StaffRow("yunying01", profile.manager, (2,), "社群运营", 1, True, CAPACITY, False))
    history.staff.append(StaffRow("zhuguan", "社群主管", (1, 2), "主管", 1, False, CAPACITY, False))


def _id(prefix: str, rng: Random) -> str:
    return prefix + f"{rng.getrandbits(120):030x}"
