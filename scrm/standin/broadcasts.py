"""Broadcasts (企业群发): tasks that wait for their members, reminders, cancelling, and what was delivered.

Nothing is sent before a member confirms; then each receiver is sent to once, under the receive quota
(platform.md 1–3).
"""

from __future__ import annotations

import asyncio
import heapq
import time
from typing import TYPE_CHECKING, Any

from .audience import Audience, group, single
from .confirming import Confirming
from .contacts import find
from .errors import Refusal
from .records import Broadcast, Change, Task
from .scenarios.draws import DAY, day_begin
from .settings import DISPATCHING, RESULT_LAG

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .world import World

NOT_SENT, SENT, LOST, REFUSED = range(4)
REMINDERS = 3  # in 24 h, wecom-api.md §10.3
PRIVATE_MOST = 20_000  # customers of a private broadcast, wecom-api.md §10.2
TICK = 0.1  # real seconds between two looks at who confirms


class Broadcasts:
    """Every broadcast by msgid, oldest first."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._confirming = Confirming(world.settings)
        self.sent: dict[str, Broadcast] = {}
        self.due: list[tuple[float, str, str]] = []  # heap of (domain second, msgid, userid)
        self.tasks: dict[str, tuple[int, int, int]] = {}  # by userid: (all so far, a day's begin, those of that day)

    def get(self, msgid: str) -> Broadcast:
        """A broadcast, with everything confirmed that is due by now: 41047 for an unknown one."""
        self.catch_up()
        found = self.sent.get(msgid)
        if found is None:
            raise Refusal(41047)
        return found

    # -- through the API -------------------------------------------------------------------------

    def create(self, chat_type: str, audience: Audience, text: str, attachments: list[dict[str, Any]]) -> Broadcast:
        """A broadcast with one task per member: 41048 without anybody to send to."""
        by_staff = {userid: receivers for userid, receivers in audience.by_staff.items() if receivers}
        if not by_staff:
            raise Refusal(41048)
        world, now = self._world, self._world.now()
        ready = time.time() + world.settings.seconds(world.settings.dispatching, DISPATCHING, world.rng)
        made = Broadcast(world.new_id("msg"), chat_type, now, text, attachments, ready=ready)
        self.sent[made.msgid] = made
        for userid, receivers in by_staff.items():
            number, today = self._count(userid, now)
            task = made.tasks[userid] = Task(userid, receivers, bytearray(len(receivers)), number)
            self._expect(made, task, self._confirming.due(userid, number, today, now))
        self.catch_up()
        return made

    def remind(self, msgid: str) -> None:
        """Ask those who have not confirmed: 41063 while dispatched, 41093 cancelled, 41094 above three in 24 h."""
        broadcast, now = self._open(msgid), self._world.now()
        if len([at for at in broadcast.reminders if at > now - DAY]) >= REMINDERS:
            raise Refusal(41094)
        broadcast.reminders.append(now)
        for task in broadcast.tasks.values():
            if task.confirmed_at is None and task.reluctant:
                due = self._confirming.reminded(task.userid, task.number, len(broadcast.reminders), now)
                self._expect(broadcast, task, due)

    def cancel(self, msgid: str) -> None:
        """Stop what is not confirmed; nothing is recalled. 41063 while dispatched, 41093 when it was cancelled."""
        self._open(msgid).cancelled_at = self._world.now()

    # -- happenings ------------------------------------------------------------------------------

    def confirm(self, msgid: str | None = None, userid: str | None = None) -> Change:
        """Members confirm now: one task, all of a broadcast, all of a member, or all that wait."""
        self.catch_up()
        chosen = list(self.sent.values()) if msgid is None else [self.get(msgid)]
        done = []
        for broadcast in chosen:
            for task in broadcast.tasks.values():
                if userid in (None, task.userid) and self._deliver(broadcast, task, self._world.now()):
                    done.append({"msgid": broadcast.msgid, "userid": task.userid, **task.counts()})
        return Change({"confirmed": done})

    def send_privately(
        self,
        userid: str,
        external_userids: list[str] | None = None,
        chat_ids: list[str] | None = None,
        share: float = 1.0,
        text: str = "",
        attachments: list[dict[str, Any]] | None = None,
    ) -> Change:
        """A member broadcasts without us: to customers, a random share of all, or groups. It uses up quota."""
        self._world.book.get(userid)
        kind = "single" if chat_ids is None else "group"
        audience = (
            single(self._world, userid, external_userids or [], [])
            if chat_ids is None
            else group(self._world, userid, chat_ids)
        )
        people = audience.by_staff.get(userid, [])
        if share < 1:
            people = [person for person in people if self._world.rng.random() < share]
        if not people:
            raise Refusal(41048)
        people, now = people[:PRIVATE_MOST], self._world.now()
        made = Broadcast(self._world.new_id("msg"), kind, now, text, attachments or [], userid)
        self.sent[made.msgid] = made
        task = made.tasks[userid] = Task(userid, people, bytearray(len(people)), 0)
        self._deliver(made, task, now)
        return Change({"msgid": made.msgid, "userid": userid, **task.counts()})

    def catch_up(self) -> None:
        """Confirm whatever is due by now, each at its moment."""
        now = self._world.now()
        while self.due and self.due[0][0] <= now:
            at, msgid, userid = heapq.heappop(self.due)
            broadcast = self.sent[msgid]
            if userid in broadcast.tasks and self._deliver(broadcast, broadcast.tasks[userid], int(at)):
                self._world.changes += 1

    async def live(self) -> None:
        """Let members confirm until cancelled."""
        while True:
            with self._world.lock:
                self.catch_up()
            await asyncio.sleep(TICK)

    def rename_staff(self, old: str, new: str) -> None:
        """A member has another userid: tasks follow, what was sent privately too."""
        for broadcast in self.sent.values():
            broadcast.creator = new if broadcast.creator == old else broadcast.creator
            if old in broadcast.tasks:
                task = broadcast.tasks.pop(old)
                task.userid = new
                broadcast.tasks[new] = task
        self.due = [(at, msgid, new if userid == old else userid) for at, msgid, userid in self.due]
        heapq.heapify(self.due)
        if old in self.tasks:
            self.tasks[new] = self.tasks.pop(old)

    # -- inside ----------------------------------------------------------------------------------

    def _open(self, msgid: str) -> Broadcast:
        broadcast = self.get(msgid)
        if broadcast.ready > time.time():
            raise Refusal(41063)
        if broadcast.cancelled_at is not None:
            raise Refusal(41093)
        return broadcast

    def _count(self, userid: str, now: int) -> tuple[int, int]:
        """(the member's tasks so far, those of today), with the one that begins now."""
        total, day, today = self.tasks.get(userid, (0, 0, 0))
        begin = day_begin(now)
        today = today + 1 if day == begin else 1
        self.tasks[userid] = (total + 1, begin, today)
        return total + 1, today

    def _expect(self, broadcast: Broadcast, task: Task, due: float | None) -> None:
        task.reluctant = due is None
        if due is not None:
            heapq.heappush(self.due, (due, broadcast.msgid, task.userid))

    def _deliver(self, broadcast: Broadcast, task: Task, at: int) -> bool:
        """The member confirms; False when there is nothing to confirm, or nobody to do it."""
        world = self._world
        if task.confirmed_at is not None or broadcast.cancelled_at is not None or task.userid not in world.book.staff:
            return False
        reached = self._friends(task) if broadcast.chat_type == "single" else self._chats(task)
        take = world.quota.taker(at)
        for place, (receiver, reaches) in enumerate(zip(task.receivers, reached, strict=True)):
            if not reaches:
                task.statuses[place] = LOST
            else:
                task.statuses[place] = SENT if take(receiver) else REFUSED
        task.confirmed_at = at
        task.readable = time.time() + world.settings.seconds(world.settings.result_lag, RESULT_LAG, world.rng)
        if world.on_confirmed is not None:
            world.on_confirmed(broadcast, task)
        return True

    def _friends(self, task: Task) -> Iterable[bool]:
        customers = self._world.contacts.customers
        for receiver in task.receivers:
            follow = find(customers[receiver].follows, task.userid)
            yield follow is not None and not follow.one_way and not follow.half

    def _chats(self, task: Task) -> Iterable[bool]:
        chats = self._world.chats.chats
        for receiver in task.receivers:
            yield chats[receiver].owner == task.userid and not chats[receiver].dismissed
