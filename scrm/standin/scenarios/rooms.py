"""Puts stays into chats: older chats of about the same size, then new rooms as the last one fills."""

from __future__ import annotations

import heapq
import math
from random import Random

from .people import People, Stay
from .profiles import Profile
from .rows import ChatRow, History, StayRow

SCAN_CAP = 200  # platform.md 14
FULL = 196  # a new room is opened a little before the code stops admitting


class _Room:
    """A chat while it fills. `ends` is a heap of the moments at which its people leave."""

    def __init__(self, row: ChatRow) -> None:
        self.row = row
        self.stays: list[StayRow] = []
        self.people: set[str] = set()
        self.ends: list[float] = []

    def present(self, at: int) -> int:
        """People inside at `at`; moments must not go back."""
        while self.ends and self.ends[0] <= at:
            heapq.heappop(self.ends)
        return len(self.ends)


class Rooms:
    """Fills chats and stays of a history."""

    def __init__(self, history: History, profile: Profile, people: People, rng: Random) -> None:
        self._history = history
        self._profile = profile
        self._people = people
        self._rng = rng
        self._rooms: dict[str, _Room] = {}
        self._current: dict[str, _Room] = {}

    def fill(self) -> None:
        """Older stays first, in rooms of about the profile's size; then those of the window by time."""
        by_owner: dict[str, list[Stay]] = {}
        for stay in self._people.old_stays:
            by_owner.setdefault(stay.owner, []).append(stay)
        for owner, stays in by_owner.items():
            self._older_rooms(owner, sorted(stays, key=lambda stay: stay.at))
        for stay in sorted(self._people.new_stays, key=lambda stay: stay.at):
            self._place(stay)
        for room in self._rooms.values():
            self._history.stays.extend(sorted(room.stays, key=lambda row: row.joined_at))

    def _older_rooms(self, owner: str, stays: list[Stay]) -> None:
        own = 1 - self._profile.strangers
        begin = 0
        while begin < len(stays):
            size = max(40, min(int(self._rng.gauss(self._profile.room, 35) * own), int(SCAN_CAP * own)))
            part = stays[begin : begin + size]
            room = self._open(owner, part[0].at - 600)
            for stay in part:
                self._sit(room, stay)
            begin += size

    def _place(self, stay: Stay) -> None:
        if stay.again is not None and stay.again.chat_id:
            room = self._rooms[stay.again.chat_id]
            if room.present(stay.at) < SCAN_CAP:
                self._sit(room, stay, alone=True)
            return
        current = self._current.get(stay.owner)
        if current is None or current.present(stay.at) >= FULL or stay.person in current.people:
            current = self._open(stay.owner, stay.at - 60 - int(self._rng.random() * 600))
        self._sit(current, stay)

    def _sit(self, room: _Room, stay: Stay, *, alone: bool = False) -> None:
        self._write(room, stay.person, stay.at, stay.left_at, stay.scene, "")
        stay.chat_id = room.row.chat_id
        odds = self._profile.strangers / (1 - self._profile.strangers)
        if not alone and self._rng.random() < odds and room.present(stay.at) < FULL:
            self._stranger(room, stay.at + int(self._rng.random() * 3600))

    def _stranger(self, room: _Room, at: int) -> None:
        history, rng = self._history, self._rng
        if at >= history.until:
            return
        left = at + int(self._profile.leaves.seconds(rng, max(0, history.since - at)))
        scene = rng.choices((3, 2, 1), (0.62, 0.2, 0.18))[0]
        invitor = room.row.owner if scene == 1 else ""
        self._write(room, self._people.stranger(), at, left if left < history.until else None, scene, invitor)

    def _open(self, owner: str, at: int) -> _Room:
        number, rng = len(self._rooms) + 1, self._rng
        chat_id = f"wr{rng.getrandbits(120):030x}"
        admins = ("yunying01",)
        row = ChatRow(
            chat_id, self._profile.chat_name.format(n=number), owner, at, self._profile.notice, admins,
            f"{rng.getrandbits(128):032x}", None,
        )  # fmt: skip
        room = _Room(row)
        self._history.chats.append(row)
        self._rooms[chat_id] = self._current[owner] = room
        self._write(room, owner, at, None, 1, "", kind=1)
        self._write(room, admins[0], at + 5, None, 1, owner, kind=1)
        return room

    def _write(
        self, room: _Room, member: str, at: int, left: int | None, scene: int, invitor: str, kind: int = 2
    ) -> None:
        room.stays.append(
            StayRow(room.row.chat_id, member, kind, at, scene, "", invitor, left, 0 if left is not None else None)
        )
        room.people.add(member)
        heapq.heappush(room.ends, math.inf if left is None else float(left))
