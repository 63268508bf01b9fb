"""What live staff do with broadcasts, and what their customers do about them.

Staff confirm (see `confirming`), and now and then send one of their own. A few of those who get a broadcast delete the
friend or leave the group.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from .broadcasts import SENT
from .records import Broadcast, Task
from .scenarios.draws import DAY, HOURS_ADDS, Hours, day_begin

if TYPE_CHECKING:
    from .behaviour import LivePeople
    from .server import StandIn

PRIVATE_A_DAY = 0.15  # broadcasts of one's own per member, stand-in.md §2
PRIVATE_SHARE = (0.05, 0.30)  # of the member's people
DELETES = 0.0004  # of those who get a single broadcast, stand-in.md §3
LEAVES = 0.0012  # of a group's people after its first broadcast of a day; twice and three times as many after more
AT_ONCE, AT_ONCE_SECONDS = 0.7, 3600.0  # of them within the first hour, the rest within the day
TEXTS = ("老朋友专享,明天截止~", "新到一批,要的扣我", "周末门店有活动,来看看呀")


class StaffLife:
    """Members of the live scenario who work with broadcasts."""

    def __init__(self, standin: StandIn, people: LivePeople) -> None:
        self._standin = standin
        self._world = standin.world
        self._people = people
        self._hours = Hours(HOURS_ADDS)
        self._today: tuple[int, Counter[str]] = (0, Counter())  # a day's begin, and its broadcasts by group

    def own_sends(self, minutes: float) -> float:
        """How many broadcasts of their own members send in so many real minutes."""
        now = self._world.now()
        hour = (now - day_begin(now)) // 3600
        days = minutes * 60 * self._world.clock.speed / DAY
        return PRIVATE_A_DAY * len(self._senders()) * days * 24 * self._hours.weight(hour)

    def somebody_sends(self) -> None:
        """One member sends to some of their people; it uses up quota."""
        rng, senders = self._people.rng, self._senders()
        if not senders:
            return
        userid, text = rng.choice(senders), rng.choice(TEXTS)
        done = self._standin.act("send_privately", userid=userid, share=rng.uniform(*PRIVATE_SHARE), text=text)
        self._people.tell(f"{self._name(userid)} 自己群发了一条，送达 {done['sent']} 人")

    def confirmed(self, broadcast: Broadcast, task: Task) -> None:
        """A member confirmed: one line about ours, and what the receivers do."""
        reached = [receiver for receiver, status in zip(task.receivers, task.statuses, strict=True) if status == SENT]
        if broadcast.chat_type == "single":
            self._deletions(reached)
        else:
            self._leaves(reached)
        if not broadcast.creator:
            what = "人" if broadcast.chat_type == "single" else "个群"
            counts = task.counts()
            self._people.tell(
                f"{self._name(task.userid)} 确认了群发，送达 {counts['sent']} {what}，"
                f"已非好友 {counts['lost']}，达到上限 {counts['refused']}"
            )

    def _deletions(self, people: list[str]) -> None:
        for person in people:
            if self._people.rng.random() < DELETES:
                self._people.delete_after(self._moment(), person)

    def _leaves(self, chat_ids: list[str]) -> None:
        begin = day_begin(self._world.now())
        if self._today[0] != begin:
            self._today = (begin, Counter())
        for chat_id in chat_ids:
            self._today[1][chat_id] += 1
            times = min(self._today[1][chat_id], 3)
            expected = len(self._world.chats.chats[chat_id].members) * LEAVES * times
            for _ in range(int(expected) + (self._people.rng.random() < expected % 1)):
                self._people.after(self._moment(), partial(self._leave, chat_id))

    def _leave(self, chat_id: str) -> None:
        self._people.groups.leave(self._world.chats.get(chat_id))

    def _moment(self) -> float:
        """When somebody reacts, domain seconds."""
        rng = self._people.rng
        return rng.random() * (AT_ONCE_SECONDS if rng.random() < AT_ONCE else DAY)

    def _senders(self) -> list[str]:
        return [staff.userid for staff in self._world.book.staff.values() if staff.people and staff.status == 1]

    def _name(self, userid: str) -> str:
        return self._world.book.staff[userid].name
