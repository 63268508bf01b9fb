"""Customers of a scenario: when they were added, by whom, whether they joined a chat, and how it ended."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from scrm.standin.names import nickname, unionid_of
from scrm.standin.settings import at_quantile

from .corp import adds_a_day, full_accounts
from .draws import (
    DAY,
    HOURS_ADDS,
    HOURS_EVENT_DAY,
    JOIN_DELAY,
    WELCOME_LATENCY,
    Hours,
    day_begin,
    weekday,
)
from .profiles import Profile, Source
from .rows import CustomerRow, FollowRow, History, WelcomeRow

FOREIGN_STATE = "wb:1:4285486"  # platform.md 19
READD_SHARE = 0.05  # of those who deleted us
REJOIN_SHARE = 0.12  # of leavers, within 30 days (stand-in.md §3)
LEAVE_AND_DELETE = 0.08  # of leavers, within the hour
NO_CODE = 0.02  # a native welcome is on: no WelcomeCode (stand-in.md §1)
REFUSED, EXPIRED = 0.006, 0.001  # of the codes: staff spoke first; too late
WITHIN_48_H = 0.97  # of the joins, see JOIN_DELAY
ROOM_KEPT = 19_900  # no second friendship on accounts above it
CLEAN_UP = 300 / 320_000  # staff delete so many on one day (stand-in.md §2)


@dataclass(slots=True)
class Stay:
    """A wish to be in a chat from `at` on; `left_at` None: still there. `again` names an earlier stay."""

    person: str
    owner: str
    at: int
    left_at: int | None
    scene: int
    again: Stay | None = None
    chat_id: str = ""


class People:
    """Fills customers, follows and welcomes of a history and collects the stays for the rooms."""

    def __init__(self, history: History, profile: Profile, customers: int, rng: Random) -> None:
        self.history = history
        self.profile = profile
        self.wanted = customers
        self.rng = rng
        self.old_stays: list[Stay] = []  # begun before the window
        self.new_stays: list[Stay] = []
        self._open = 0
        self._tags = [tag.tag_id for tag in history.tags]
        self._receiving = [staff.userid for staff in history.staff if staff.receiving]
        self._friends: dict[str, int] = {staff.userid: 0 for staff in history.staff if staff.follows}
        self._turn = 0

    def fill(self) -> None:
        """New ones day by day, then as many older ones as are missing."""
        for at, rate in self._add_times():
            if self._open >= self.wanted:
                break
            self._add_new(at, rate)
        self._add_older(self.wanted - self._open)

    # -- inside the window ---------------------------------------------------------------------------

    def _add_times(self) -> Iterator[tuple[int, float]]:
        """(moment, that day's join rate) of each add in the window, in order."""
        history, profile, rng = self.history, self.profile, self.rng
        days = max(1, (history.until - history.since) // DAY)
        base = adds_a_day(profile, self.wanted, days)
        usual, busy = Hours(HOURS_ADDS), Hours(HOURS_EVENT_DAY)
        event = None if profile.event_day is None else day_begin(history.until - profile.event_day * DAY)
        for day in range(day_begin(history.since), history.until, DAY):
            factor = profile.event_factor if day == event else 1.0
            mean = base * factor * profile.weekdays[weekday(day)] * max(0.5, rng.gauss(1.0, 0.085))
            hours = busy if day == event else usual
            rate = min(0.97, max(0.0, rng.gauss(profile.join_rate, profile.join_sd)))
            moments = sorted(day + hours.second(rng) for _ in range(int(mean + rng.random())))
            yield from ((at, rate) for at in moments if history.since <= at < history.until)

    def _add_new(self, at: int, join_rate: float) -> None:
        source = self._source()
        self._turn += 1
        userid = self._receiving[self._turn % len(self._receiving)]
        person = self._person()
        sent = self._welcome(person, userid, at, source)
        stay = None
        if sent and self.rng.random() < join_rate / WITHIN_48_H / (1 - NO_CODE - REFUSED - EXPIRED):
            joined = at + int(at_quantile(JOIN_DELAY, self.rng.random()))
            stay = self._stay(person, userid, joined, self.new_stays)
        ended = at + int(self.profile.deletes.seconds(self.rng))
        if stay is not None and stay.left_at is not None and self.rng.random() < LEAVE_AND_DELETE:
            ended = min(ended, stay.left_at + int(self.rng.random() * 3600))
        half = source.add_way == 4 and self.rng.random() < 0.03
        self._follow(person, userid, at, source, ended, half=half)
        if self.rng.random() < self.profile.second_chat and stay is not None:
            other = self._receiving[(self._turn + 1) % len(self._receiving)]
            self._stay(person, other, stay.at + 3600 + int(self.rng.random() * 5 * DAY), self.new_stays)

    def _welcome(self, person: str, userid: str, at: int, source: Source) -> bool:
        """Book what became of the welcome; whether it arrived."""
        draw, rng = self.rng.random(), self.rng
        code = base64.urlsafe_b64encode(rng.randbytes(32)).decode().rstrip("=")
        latency = int(at_quantile(WELCOME_LATENCY, rng.random()))
        if draw < NO_CODE:
            outcome, errcode, code, latency = "no_code", 0, "", 0
        elif draw < NO_CODE + REFUSED:
            outcome, errcode = "refused", 41051
        elif draw < NO_CODE + REFUSED + EXPIRED:
            outcome, errcode, latency = "expired", 41050, 20_000 + latency
        else:
            outcome, errcode = "sent", 0
        self.history.welcomes.append(WelcomeRow(person, userid, at, source.state, code, outcome, errcode, latency))
        return outcome == "sent"

    def _follow(self, person: str, userid: str, at: int, source: Source, ended: int, *, half: bool = False) -> None:
        """One period, perhaps a second one with somebody else, perhaps a return after an end."""
        until, rng = self.history.until, self.rng
        lost = ended if ended < until else None
        self._period(person, userid, at, source, lost, half=half)
        if lost is None:
            self._open += 1
            if rng.random() < self.profile.second_staff:
                self._second_staff(person, userid, at)
        elif rng.random() < READD_SHARE:
            back = lost + 600 + int(rng.random() * 4 * DAY)
            if back < until:
                told = rng.choices((source.state, "", FOREIGN_STATE), (0.65, 0.30, 0.05))[0]
                self._period(person, userid, back, Source(told, "", 0, source.add_way), None)
                self._open += 1

    def _second_staff(self, person: str, userid: str, at: int) -> None:
        others = [item for item, friends in self._friends.items() if item != userid and friends < ROOM_KEPT]
        later = at + int(self.rng.random() * 10 * DAY)
        if others and later < self.history.until:
            other, source = self.rng.choice(others), Source("", "", 0, add_way=4)
            if later >= self.history.since:
                self._welcome(person, other, later, source)
            self._period(person, other, later, source, None)

    def _period(
        self, person: str, userid: str, at: int, source: Source, lost: int | None, *, half: bool = False,
        by: str = "customer",
    ) -> None:  # fmt: skip
        rng = self.rng
        self._friends[userid] += 1
        tags = tuple(rng.sample(self._tags, rng.choice((1, 1, 2)))) if rng.random() < 0.35 and not half else ()
        remark = f"{self.profile.account[:2]}-{person[-4:]}" if rng.random() < 0.1 else ""
        self.history.follows.append(
            FollowRow(
                person, userid, at, source.add_way, source.state, half, remark, "", tags, lost,
                by if lost is not None else None,
            )
        )  # fmt: skip

    # -- before the window ---------------------------------------------------------------------------

    def _add_older(self, count: int) -> None:
        """Survivors of earlier days; those who end inside the window come on top."""
        moments = [] if count <= 0 else self._older_moments(count)
        clean_up = self.history.since + (self.history.until - self.history.since) // 2
        to_clean = max(1, round(self.wanted * CLEAN_UP)) if count else 0
        owners = self._older_owners(count)
        place = open_before = 0
        while self._open < self.wanted:
            at = moments[place % len(moments)]
            userid = owners[place] if place < len(owners) else self.rng.choice(owners)
            place += 1
            if place <= to_clean:
                self._period(self._person(), userid, at, self._source(), clean_up + place * 11, by="staff")
                continue
            open_before = self._open
            self._older_person(at, userid)
            if place > 3 * self.wanted + 10 and self._open == open_before:
                break

    def _older_moments(self, count: int) -> list[int]:
        hours, rng = Hours(HOURS_ADDS), self.rng
        first = day_begin(self.history.since - self.profile.old_days * DAY)
        days = max(1, (day_begin(self.history.since) - first) // DAY)
        return sorted(first + int(rng.random() * days) * DAY + hours.second(rng) for _ in range(count))

    def _older_owners(self, count: int) -> list[str]:
        """By position in time: full accounts one after the other, then those that receive now."""
        names = [staff.userid for staff in self.history.staff]
        full = full_accounts(self.wanted)
        if not full:
            older = names[: 1 + self.profile.receiving]
            return [older[int(self.rng.random() ** 1.6 * len(older))] for _ in range(max(1, count))]
        owners: list[str] = []
        for userid in names[:full]:
            owners.extend([userid] * int(count / full * self.rng.uniform(0.985, 1.015)))
        return owners

    def _older_person(self, at: int, userid: str) -> None:
        history, rng = self.history, self.rng
        person, source = self._person(), self._source()
        lived = history.since - at
        ended = at + int(self.profile.deletes.seconds(rng, lived))
        self._follow(person, userid, at, source, max(ended, history.since + 1))
        if rng.random() < self.profile.old_in_chat:
            self._stay(person, userid, at + int(at_quantile(JOIN_DELAY, rng.random() * 0.9)), self.old_stays)
        elif self.profile.wake_ups:
            self._wake_up(person, userid, min(ended, history.until))

    def _wake_up(self, person: str, userid: str, gone: int) -> None:
        """Rounds of asking; who answers joins that evening or the next day."""
        for wake_up in self.profile.wake_ups:
            asked = day_begin(self.history.since) + wake_up.day * DAY + 20 * 3600
            if self.rng.random() < wake_up.answer:
                joined = asked + 120 + int(min(self.rng.expovariate(1 / 5400), 2 * DAY))
                if joined < gone:
                    self._stay(person, userid, joined, self.new_stays)
                return

    # -- both ----------------------------------------------------------------------------------------

    def _stay(self, person: str, owner: str, at: int, into: list[Stay]) -> Stay | None:
        """A stay and, for some who leave, a return to the same chat. None when it would begin too late."""
        history, rng = self.history, self.rng
        if at >= history.until:
            return None
        lived = max(0, history.since - at)
        left = at + int(self.profile.leaves.seconds(rng, lived))
        stay = Stay(person, owner, at, left if left < history.until else None, 3)
        into.append(stay)
        if stay.left_at is not None and rng.random() < REJOIN_SHARE:
            back = stay.left_at + 3600 + int(rng.random() * 20 * DAY)
            if back < history.until:
                self.new_stays.append(Stay(person, owner, back, None, 3, again=stay))
        return stay

    def _person(self, *, stranger: bool = False) -> str:
        rng = self.rng
        person = "wm" + base64.urlsafe_b64encode(rng.randbytes(23)).decode()[:30]
        kind = 2 if rng.random() < 0.004 else 1
        draw = rng.random()
        gender = 0 if draw < 0.08 else 2 if draw < 0.08 + 0.92 * self.profile.girls else 1
        self.history.customers.append(
            CustomerRow(person, nickname(rng), kind, gender, unionid_of(person, kind), "", stranger)
        )
        return person

    def stranger(self) -> str:
        """A person who is nobody's friend."""
        return self._person(stranger=True)

    def _source(self) -> Source:
        sources = self.profile.sources
        return self.rng.choices(sources, [source.share for source in sources])[0]
