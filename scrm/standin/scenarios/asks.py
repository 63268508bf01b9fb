"""Who was asked to confirm what in a history: eight slots a day, and what owners sent of their own accord."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from random import Random

from .draws import DAY, day_begin
from .profiles import Profile
from .rows import BroadcastRow, FollowRow, History
from .slots import EVENING, Share, Slot, band_of_day, every, link_of, name_of, parts_of, shares, text_of

BEIJING = timezone(timedelta(hours=8))
DAYS = 30  # of broadcasts at most
PLANNED_AHEAD = int(5.5 * 3600)  # the evening before
PER_CALL = 10_000  # customers, wecom-api.md §10.1
DOUBLE, DOUBLE_SLOT = 8, 3  # days before the end of the double push, and its slot
DOUBLE_AFTER = 25 * 60
AGAIN = "（重发）"
BUSY_CHATS = 0.06  # whose owners also send by hand
BY_HAND = 14  # times a month, from the 2nd to the 24th


@dataclass(slots=True)
class Ask:
    """A task while it is being told. `ends`: when each receiver stops being reachable. `broadcast` None: nobody asked."""

    broadcast: int | None
    chat_type: str
    userid: str
    created_at: int
    receivers: list[str]
    ends: list[float]
    dropped: tuple[str, ...] = ()
    part: int = 0
    number: int = 0
    reminded_at: tuple[int, ...] = ()
    confirmed_at: int | None = None
    statuses: bytes = b""


class Asks:
    """Fills the broadcasts of a history; `all` are the tasks, in order of creation."""

    def __init__(self, history: History, profile: Profile, customers: int, rng: Random, eager: set[str]) -> None:
        """`eager`: members who don't put off what they are asked."""
        self._eager = eager
        self.history = history
        self.profile = profile
        self.rng = rng
        self.all: list[Ask] = []
        self._pause = every(customers)
        self._chats: dict[str, list[tuple[int, str]]] = {}  # by owner, in order of creation
        for chat in sorted(history.chats, key=lambda chat: (chat.created_at, chat.chat_id)):
            self._chats.setdefault(chat.owner, []).append((chat.created_at, chat.chat_id))
        self.owners = [staff.userid for staff in history.staff if staff.userid in self._chats]
        self._parts = parts_of(len(self.owners), len(profile.slots))
        self._bounds: dict[str, list[int]] = {}
        self._bands: dict[str, list[list[FollowRow]]] = {}

    def fill(self) -> None:
        """Every slot whose deadline has passed at the end, then what owners sent by hand."""
        self._cut_customers()
        count = len(self.profile.slots)
        to_chats, to_customers = shares(self.owners, count), shares(self.owners, count, shift=1)
        first = self.first_day()
        for day in range(first, day_begin(self.history.until) + 1, DAY):
            for place, slot in enumerate(self.profile.slots):
                if slot.times(day)[1] > self.history.until:
                    continue
                self._to_chats(day, slot, [share for share in to_chats if share.slot == place])
                if place == DOUBLE_SLOT and day == self.days_before(DOUBLE):
                    self._to_chats(day, slot, [share for share in to_chats if share.slot == place], again=True)
                for share in to_customers:
                    if share.slot == place:
                        self._to_customers(day, slot, share)
        self._by_hand(first)
        self.all.sort(key=lambda ask: (ask.created_at, ask.broadcast is None, ask.broadcast or 0))

    def first_day(self) -> int:
        """The first whole day of the history, at most DAYS before its end."""
        return max(day_begin(self.history.since) + DAY, self.days_before(DAYS - 1))

    def days_before(self, days: int) -> int:
        """Midnight so many days before that of the history's last day."""
        return day_begin(self.history.until) - days * DAY

    def evening_owner(self) -> str:
        """Whose groups the evening slot is for (the first of them)."""
        return next(share.owner for share in shares(self.owners, len(self.profile.slots)) if share.slot == EVENING)

    # -- whom ----------------------------------------------------------------------------------------

    def _cut_customers(self) -> None:
        """Each owner's people in bands of about the same size by when they were first added."""
        first: dict[str, int] = {}
        own: dict[str, list[FollowRow]] = {owner: [] for owner in self.owners}
        for follow in self.history.follows:
            first[follow.external_userid] = min(first.get(follow.external_userid, follow.added_at), follow.added_at)
            if follow.userid in own:
                own[follow.userid].append(follow)
        bands = self._parts * self._pause
        for owner, follows in own.items():
            moments = sorted({first[follow.external_userid] for follow in follows})
            bounds = sorted({moments[place * len(moments) // bands] for place in range(1, bands)}) if moments else []
            cut: list[list[FollowRow]] = [[] for _ in range(bands)]
            for follow in follows:
                cut[bisect_right(bounds, first[follow.external_userid])].append(follow)
            self._bounds[owner], self._bands[owner] = bounds, cut

    def _to_chats(self, day: int, slot: Slot, slices: list[Share], *, again: bool = False) -> None:
        planned = self._planned(day)
        here = {share.owner: self._part_of_chats(share, planned) for share in slices}
        here = {owner: own for owner, own in here.items() if own}
        if not here:
            return
        at = slot.times(day)[0] + (DOUBLE_AFTER if again else 0)
        number = self._announce(day, at, slot, tuple(here), chats=True, more=AGAIN if again else "")
        for owner, own in here.items():
            self.all.append(Ask(number, "group", owner, at, own, [math.inf] * len(own)))

    def _part_of_chats(self, share: Share, planned: int) -> list[str]:
        own = enumerate(self._chats[share.owner])
        return [chat for index, (made, chat) in own if index % self._parts == share.part and made <= planned]

    def _to_customers(self, day: int, slot: Slot, share: Share) -> None:
        planned, bounds, at = self._planned(day), self._bounds[share.owner], slot.times(day)[0]
        band = band_of_day(share.part, day // DAY, self._pause)
        here = [
            follow
            for follow in self._bands[share.owner][band]
            if follow.added_at <= planned and (follow.ended_at is None or follow.ended_at > planned)
        ]
        full = [follow for follow in here if not follow.half]
        if not full:
            return
        number = self._announce(
            day, at, slot, (share.owner,), chats=False, more=f" {share.owner[-2:]}-{band + 1}",
            half=tuple(follow.external_userid for follow in here if follow.half),
            added_after=bounds[band - 1] if 0 < band <= len(bounds) else None,
            added_before=bounds[band] if band < len(bounds) else None,
        )  # fmt: skip
        for begin in range(0, len(full), PER_CALL):
            self._ask(number, share.owner, at, full[begin : begin + PER_CALL], begin // PER_CALL)

    def _ask(self, number: int, owner: str, at: int, call: list[FollowRow], part: int) -> None:
        ends = [math.inf if follow.ended_at is None else follow.ended_at for follow in call]
        kept = [(follow.external_userid, end) for follow, end in zip(call, ends, strict=True) if end > at]
        dropped = tuple(follow.external_userid for follow, end in zip(call, ends, strict=True) if end <= at)
        receivers, ends = [person for person, _ in kept], [end for _, end in kept]
        self.all.append(Ask(number, "single", owner, at, receivers, ends, dropped, part))

    def _planned(self, day: int) -> int:
        return max(day - PLANNED_AHEAD, self.history.since)

    def _announce(
        self, day: int, at: int, slot: Slot, owners: tuple[str, ...], *, chats: bool, more: str = "",
        half: tuple[str, ...] = (), added_after: int | None = None, added_before: int | None = None,
    ) -> int:  # fmt: skip
        date, number = datetime.fromtimestamp(day, BEIJING), day // DAY
        text = text_of(slot, number, chats=chats) + ("～" if more == AGAIN else "")
        self.history.broadcasts.append(
            BroadcastRow(
                name_of(slot, date.month, date.day, chats=chats, more=more), "group" if chats else "single", text,
                link_of(slot, number), owners, added_after, added_before, self._planned(day), at, slot.times(day)[1], half,
            )
        )  # fmt: skip
        return len(self.history.broadcasts) - 1

    # -- by hand -------------------------------------------------------------------------------------

    def _by_hand(self, first: int) -> None:
        """Eager owners write themselves, on top of what the corp sends to the same groups."""
        rng, history = self.rng, self.history
        older = [row.chat_id for row in history.chats if row.created_at < first and row.owner in self._eager]
        chosen = set(rng.sample(older, math.ceil(BUSY_CHATS * len(older))))
        months = sorted({_month(day) for day in range(first, history.until, DAY)})
        for owner in self.owners:
            own = [chat for _, chat in self._chats[owner] if chat in chosen]
            for month in months:
                moments = [
                    month + int(rng.uniform(1, 24)) * DAY + int(rng.uniform(9, 21) * 3600) for _ in range(BY_HAND)
                ]
                for at in moments:
                    if own and first <= at < history.until:
                        self.all.append(Ask(None, "group", owner, at, own, [math.inf] * len(own), confirmed_at=at))


def _month(moment: int) -> int:
    """Its first midnight in Beijing."""
    date = datetime.fromtimestamp(moment, BEIJING)
    return int(date.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp())
