"""Plans the broadcasts of today and tomorrow while the demo runs, as an operator does and with the same verbs."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext as _

from campaigns.models import Broadcast
from campaigns.sending import compose, pace, rules
from contacts.models import Customer, Staff
from groups.models import GroupChat
from scrm.base import clock
from scrm.base.logs import story
from scrm.base.models import User
from scrm.site.demo.operator import operator
from scrm.standin.scenarios.draws import DAY
from scrm.standin.scenarios.profiles import PROFILES
from scrm.standin.scenarios.slots import (
    EVENING,
    Share,
    Slot,
    band_of_day,
    every,
    link_of,
    name_of,
    parts_of,
    shares,
    text_of,
)

TIME_TO_CONFIRM = dt.timedelta(minutes=10)  # a slot with less left is let go
DAYS_AHEAD = 1


@dataclass(frozen=True)
class Wish:
    """A broadcast that is to be there. `waits`: as a draft, for whoever tries the demo to approve."""

    name: str
    audience: dict[str, Any]
    text: str
    link: tuple[str, str]
    create_at: dt.datetime
    confirm_by: dt.datetime
    waits: bool


def plan(scenario: str) -> int:
    """Makes the broadcasts of the scenario's slots that are missing; how many it made. Called again and again."""
    slots = PROFILES[scenario].slots if scenario in PROFILES else ()
    if not slots:
        return 0
    user, now = operator(), clock.now()
    own = Broadcast.objects.filter(created_by=user)
    own.filter(state=Broadcast.State.DRAFT, confirm_by__lte=now).delete()
    taken = set(own.filter(create_at__gte=clock.day_start(clock.today())).values_list("name", flat=True))
    drafted = own.filter(state=Broadcast.State.DRAFT).exists()
    made = 0
    for wish in Wishes(slots).missing(taken, drafted=drafted):
        made += _make(wish, user)
    if made:
        story.info(_("📅 %(who)s planned %(count)d broadcasts") % {"who": user, "count": made})
    return made


def _make(wish: Wish, user: User) -> bool:
    """False where somebody else has just made it, or nobody would get it."""
    title, url = wish.link
    try:
        with transaction.atomic():
            User.objects.select_for_update(no_key=True).get(pk=user.pk)  # one planner at a time
            today = clock.day_start(clock.day_of(wish.create_at))
            if Broadcast.objects.filter(created_by=user, name=wish.name, create_at__gte=today).exists():
                return False
            draft = compose.draft(
                user,
                name=wish.name,
                audience_=wish.audience,
                text=wish.text,
                attachments=[{"msgtype": "link", "link": {"title": title, "url": url}}],
                create_at=wish.create_at,
                confirm_by=wish.confirm_by,
            )
            draft.save()
            if not wish.waits:
                pace.approve(draft, user)
    except (pace.NotNow, ValidationError):
        return False
    return True


class Wishes:
    """What is to be said today and tomorrow."""

    def __init__(self, slots: tuple[Slot, ...]) -> None:
        self._slots = slots
        self._owners: list[str] = []
        self._chats: dict[str, list[str]] = {}
        self._bounds: dict[str, list[dt.datetime]] = {}
        self._pause = 2

    def missing(self, taken: set[str], *, drafted: bool) -> Iterator[Wish]:
        """Those whose names are not `taken`, in order of time. Looks at people only when something is missing.
        `drafted`: one waits already.
        """
        days = [clock.today() + dt.timedelta(days=ahead) for ahead in range(DAYS_AHEAD + 1)]
        coming = [(day, place, slot) for day in days for place, slot in enumerate(self._slots) if _can_start(day, slot)]
        coming = [item for item in coming if _name(item[2], item[0], chats=True) not in taken]
        if not coming:
            return
        self._look_around()
        for day, place, slot in coming:
            for wish in self._of_slot(day, place, slot):
                if wish.name in taken:
                    continue
                waits = wish.waits and day != days[0] and not drafted
                drafted = drafted or waits
                yield replace(wish, waits=waits)

    def _look_around(self) -> None:
        able = dict(Staff.objects.able_to_send().order_by("userid").values_list("pk", "userid"))
        living = GroupChat.objects.living().filter(owner__in=able).order_by("created_at", "chat_id")
        for owner, chat in living.values_list("owner__userid", "chat_id"):
            self._chats.setdefault(owner, []).append(chat)
        self._owners = [userid for userid in able.values() if userid in self._chats]
        self._pause = every(Customer.objects.kept().count())
        bands = parts_of(len(self._owners), len(self._slots)) * self._pause
        self._bounds = _bounds([pk for pk, userid in able.items() if userid in self._chats], bands)

    def _of_slot(self, day: dt.date, place: int, slot: Slot) -> Iterator[Wish]:
        count = len(self._slots)
        parts = parts_of(len(self._owners), count)
        here = [share for share in shares(self._owners, count) if share.slot == place]
        for share in shares(self._owners, count, shift=1):
            if share.slot == place and (band := self._band(share, day)) is not None:
                yield _wish(day, slot, band[1], chats=False, more=band[0], waits=place == EVENING)
        chats = [chat for share in here for chat in self._chats[share.owner][share.part :: parts]]
        if chats:  # last: it says that the slot is complete
            yield _wish(day, slot, {"chat_ids": chats}, chats=True)

    def _band(self, share: Share, day: dt.date) -> tuple[str, dict[str, Any]] | None:
        """(its name, the audience) of the customers whose turn it is; None where an owner has too few."""
        bounds, band = self._bounds.get(share.owner, []), band_of_day(share.part, _number(day), self._pause)
        if band > len(bounds):
            return None
        chosen: dict[str, Any] = {"userids": [share.owner]}
        if band:
            chosen["added_after"] = bounds[band - 1].isoformat()
        if band < len(bounds):
            chosen["added_before"] = bounds[band].isoformat()
        return f" {share.owner[-2:]}-{band + 1}", {"filter": chosen}


_BOUNDS = """
SELECT s.userid, percentile_disc(%s::float8[]) WITHIN GROUP (ORDER BY c.first_added_at)
FROM contacts_follow f JOIN contacts_customer c ON c.id = f.customer_id JOIN contacts_staff s ON s.id = f.staff_id
WHERE f.ended_at IS NULL AND NOT f.half AND f.staff_id = ANY (%s) GROUP BY s.userid
"""


def _bounds(owners: list[int], bands: int) -> dict[str, list[dt.datetime]]:
    """By userid: the moments of first adding that part an owner's people into bands of about the same size."""
    with connection.cursor() as cursor:
        cursor.execute(_BOUNDS, [[place / bands for place in range(1, bands)], owners])
        found: dict[str, list[dt.datetime]] = dict(cursor.fetchall())
    return {userid: sorted(set(moments)) for userid, moments in found.items()}


def _times(day: dt.date, slot: Slot) -> tuple[dt.datetime, dt.datetime]:
    create_at, confirm_by = slot.times(int(clock.day_start(day).timestamp()))
    return max(clock.from_unix(create_at), clock.now()), clock.from_unix(confirm_by)


def _can_start(day: dt.date, slot: Slot) -> bool:
    create_at, confirm_by = _times(day, slot)
    return confirm_by - create_at >= TIME_TO_CONFIRM and rules.quiet_until(create_at) is None


def _name(slot: Slot, day: dt.date, *, chats: bool, more: str = "") -> str:
    return name_of(slot, day.month, day.day, chats=chats, more=more)


def _number(day: dt.date) -> int:
    return int(clock.day_start(day).timestamp()) // DAY


def _wish(
    day: dt.date, slot: Slot, audience: dict[str, Any], *, chats: bool, more: str = "", waits: bool = False
) -> Wish:
    number, (create_at, confirm_by) = _number(day), _times(day, slot)
    return Wish(
        _name(slot, day, chats=chats, more=more), audience, text_of(slot, number, chats=chats), link_of(slot, number),
        create_at, confirm_by, waits,
    )  # fmt: skip
