"""People who act by themselves: live traffic with the numbers of stand-in.md §2–§5.

One task on the stand-in's loop looks every quarter of a second what is due. Domain delays are divided by the clock's
speed. A small corp would show one add an hour, too few to watch: `pace` sets the least number of adds a (real)
minute for the first quarter of an hour, a sixth of it afterwards; what follows from adds keeps its proportions.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from .errors import Refusal
from .live_groups import GroupLife
from .live_staff import StaffLife
from .records import Staff, WelcomeCode
from .scenarios.draws import HOURS_ADDS, JOIN_DELAY, Hours, day_begin, weekday
from .scenarios.people import LEAVE_AND_DELETE, NO_CODE, REFUSED, WITHIN_48_H
from .scenarios.profiles import PROFILES, Profile, Source
from .settings import at_quantile

if TYPE_CHECKING:
    from .server import StandIn

TICK = 0.25  # real seconds
LIVELY = 900.0  # real seconds of the full pace
KNOWN_AMONG_SCANNERS = 0.12  # friends already: no event (stand-in.md §3)
RETURNS = 0.02  # adds by people who had deleted us
HALF_BY_CARD = 0.03  # adds without a code that are only half at first (stand-in.md §1)
UPGRADES = 0.6  # of the half ones, within a day
# For each add a minute there are so many of these a minute:
EDITS, DELETES, LEAVES, GROUP_WORK = 0.25, 0.06, 0.12, 0.02


class LivePeople:
    """Customers and staff of one scenario, acting."""

    def __init__(
        self,
        standin: StandIn,
        scenario: str,
        customers: int,
        *,
        seed: int,
        pace: float,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._standin = standin
        self._world = standin.world
        self._profile: Profile | None = PROFILES.get(scenario)
        self._size = customers
        self._pace = pace
        self._say = say
        self.rng = Random(f"live:{scenario}:{seed}")
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._hours = Hours(HOURS_ADDS)
        self._known: list[str] = []
        self._begun = 0.0
        self.groups = GroupLife(standin, self)
        self.staff = StaffLife(standin, self)

    async def live(self) -> None:
        """Act until cancelled. The empty scenario has nobody."""
        if self._profile is None:
            return
        self._world.on_welcome = self.welcomed
        self._world.on_confirmed = self.staff.confirmed
        self._known = [customer.external_userid for customer in self._world.contacts.customers.values()]
        self._begun = before = time.monotonic()
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic()
            self._tick(self._profile, (now - before) / 60)
            before = now

    # -- for the groups ----------------------------------------------------------------------------

    def after(self, domain_seconds: float, act: Callable[[], None]) -> None:
        """Do `act` later, when so much domain time has passed."""
        due = time.monotonic() + domain_seconds / self._world.clock.speed
        heapq.heappush(self._due, (due, next(self._numbers), act))

    def tell(self, line: str) -> None:
        """One line of the story, with Beijing's time."""
        if self._say is not None:
            moment = time.strftime("%H:%M:%S", time.gmtime(self._world.now() + 8 * 3600))
            self._say(f"{moment}  {line}")

    @property
    def profile(self) -> Profile:
        """The scenario's numbers."""
        if self._profile is None:
            raise RuntimeError("the empty scenario has no people")
        return self._profile

    def name(self, external_userid: str) -> str:
        """A person's nickname."""
        return self._world.contacts.customers[external_userid].name

    def delete_soon(self, external_userid: str) -> None:
        """Some who leave a chat also delete the friend within the hour."""
        if self.rng.random() < LEAVE_AND_DELETE:
            self.delete_after(self.rng.random() * 3600, external_userid)

    def delete_after(self, domain_seconds: float, external_userid: str) -> None:
        """A customer deletes the friend, in a while."""
        self.after(domain_seconds, lambda: self._delete(external_userid))

    # -- rhythm ------------------------------------------------------------------------------------

    def _tick(self, profile: Profile, minutes: float) -> None:
        """Everything that happens in so many real minutes."""
        while self._due and self._due[0][0] <= time.monotonic():
            self._try(heapq.heappop(self._due)[2])
        adds = self._adds_a_minute(profile)
        for expected, act in (
            (adds * minutes, self._arrive),
            (adds * EDITS * minutes, self._edit),
            (adds * DELETES * minutes, lambda: self._delete(None)),
            (adds * LEAVES * minutes, self.groups.somebody_leaves),
            (adds * GROUP_WORK * minutes, self.groups.owner_works),
            (self.staff.own_sends(minutes), self.staff.somebody_sends),
        ):
            for _ in range(int(expected) + (self.rng.random() < expected % 1)):
                self._try(act)

    def _adds_a_minute(self, profile: Profile) -> float:
        now, speed = self._world.now(), self._world.clock.speed
        hour = (now - day_begin(now)) // 3600
        a_day = max(profile.adds_at_scale * self._size / 320_000, self._size / 60 if not profile.adds_at_scale else 0)
        natural = a_day * profile.weekdays[weekday(now)] * self._hours.weight(hour) / 60 * speed
        least = self._pace if time.monotonic() - self._begun < LIVELY else self._pace / 6
        return max(natural, least)

    def _try(self, act: Callable[[], None]) -> None:
        """People meet refusals (dismissed chats, ended friendships) and go on."""
        try:
            act()
        except Refusal:
            return

    # -- adding ------------------------------------------------------------------------------------

    def _arrive(self) -> None:
        draw = self.rng.random()
        source = self.rng.choices(self.profile.sources, [item.share for item in self.profile.sources])[0]
        if source.state and draw < KNOWN_AMONG_SCANNERS and (pair := self._pair()) is not None:
            self._standin.act("add", userid=pair[0], external_userid=pair[1], state=source.state)
            self.tell(f"{self.name(pair[1])} 又扫了「{source.name}」，本来就是好友")
        elif draw < KNOWN_AMONG_SCANNERS + RETURNS and self._return(source):
            return
        elif source.state:
            self._scan(source)
        else:
            self._add_by_hand(source)

    def _scan(self, source: Source) -> None:
        welcome = self.rng.random() >= NO_CODE
        added = self._standin.act("scan", state=source.state, welcome=welcome)
        if added.get("event"):
            self._added(added, f"扫了「{source.name}」")

    def _add_by_hand(self, source: Source) -> None:
        staff = self._receiver()
        if staff is None:
            return
        half = self.rng.random() < HALF_BY_CARD
        added = self._standin.act("half_add" if half else "add", userid=staff.userid, add_way=source.add_way)
        if not added.get("event"):
            return
        person = added["external_userid"]
        self._added(added, f"通过「{source.name}」找来" + ("（待通过）" if half else ""))
        if half and self.rng.random() < UPGRADES:
            self.after(
                self.rng.random() * 86_400,
                lambda: self._ignore(self._standin.act("upgrade", userid=staff.userid, external_userid=person)),
            )

    def _return(self, source: Source) -> bool:
        """Somebody who had deleted us comes back; the state may be missing or foreign (platform.md 19)."""
        pair = self._pair(one_way=True)
        if pair is None:
            return False
        kind = self.rng.random()
        added = self._standin.act(
            "add", userid=pair[0], external_userid=pair[1], foreign_state=kind < 0.05,
            state=None if kind < 0.35 or not source.state else source.state,
        )  # fmt: skip
        if added.get("event"):
            self._added(added, "又回来了")
        return True

    def _added(self, added: dict[str, object], how: str) -> None:
        userid, person = str(added["userid"]), str(added["external_userid"])
        self._known.append(person)
        self.tell(f"{self.name(person)} {how}，加了{self._world.book.staff[userid].name}")
        if added.get("welcome_code") and self.rng.random() < REFUSED:
            self._standin.act("start_chat", userid=userid, external_userid=person)

    def _receiver(self) -> Staff | None:
        users = {userid for way in self._world.ways.ways.values() for userid in way.users}
        staff = [self._world.book.staff[userid] for userid in sorted(users) if userid in self._world.book.staff]
        return self.rng.choice(staff) if staff else None

    # -- afterwards --------------------------------------------------------------------------------

    def welcomed(self, code: WelcomeCode) -> None:
        """A welcome arrived: only now may its reader join a chat."""
        rate = self.profile.join_rate if not self.profile.wake_ups else max(self.profile.join_rate, 0.25)
        if self.rng.random() >= rate / WITHIN_48_H:
            return
        delay = at_quantile(JOIN_DELAY, self.rng.random())
        self.after(delay, lambda: self.groups.join(code.userid, code.external_userid))

    def _edit(self) -> None:
        pair = self._pair()
        if pair is None:
            return
        userid, person = pair
        tags = [tag.id for group in self._world.tags.seen() for tag in group.tags]
        if tags and self.rng.random() < 0.7:
            self._standin.act("edit", userid=userid, external_userid=person, add_tags=[self.rng.choice(tags)])
            self.tell(f"{self._world.book.staff[userid].name} 给 {self.name(person)} 打了标签")
        else:
            remark = f"{self.name(person)}-{self.rng.choice(('老客', '回购', '咨询过', '要包邮'))}"
            self._standin.act("edit", userid=userid, external_userid=person, remark=remark)
            self.tell(f"{self._world.book.staff[userid].name} 给 {self.name(person)} 写了备注")

    def _delete(self, external_userid: str | None) -> None:
        pair = self._pair() if external_userid is None else self._relation(external_userid)
        if pair is None:
            return
        by_staff = external_userid is None and self.rng.random() < 0.03
        verb = "delete_by_staff" if by_staff else "delete_by_customer"
        self._standin.act(verb, userid=pair[0], external_userid=pair[1])
        first, second = self._world.book.staff[pair[0]].name, self.name(pair[1])
        self.tell(f"{first if by_staff else second} 删除了 {second if by_staff else first}")

    def _pair(self, *, one_way: bool = False) -> tuple[str, str] | None:
        """A random open (or one-way) relation; None when a few draws find none."""
        for _ in range(12 if self._known else 0):
            found = self._relation(self.rng.choice(self._known), one_way=one_way)
            if found is not None:
                return found
        return None

    def _relation(self, external_userid: str, *, one_way: bool = False) -> tuple[str, str] | None:
        for follow in self._world.contacts.customers[external_userid].follows:
            if follow.one_way == one_way and not follow.half and follow.userid in self._world.book.staff:
                return follow.userid, external_userid
        return None

    def _ignore(self, _: object) -> None:
        """Callbacks of `after` return nothing."""
