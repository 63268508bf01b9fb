"""What live staff do with broadcasts: they confirm (see `confirming`), and now and then send one of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .records import Broadcast, Task
from .scenarios.draws import DAY, HOURS_ADDS, Hours, day_begin

if TYPE_CHECKING:
    from .behaviour import LivePeople
    from .server import StandIn

PRIVATE_A_DAY = 0.15  # broadcasts of one's own per member, stand-in.md §2
PRIVATE_SHARE = (0.05, 0.30)  # of the member's people
TEXTS = ("老朋友专享,明天截止~", "新到一批,要的扣我", "周末门店有活动,来看看呀")


class StaffLife:
    """Members of the live scenario who work with broadcasts."""

    def __init__(self, standin: StandIn, people: LivePeople) -> None:
        self._standin = standin
        self._world = standin.world
        self._people = people
        self._hours = Hours(HOURS_ADDS)

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
        """A member confirmed one of ours."""
        if not broadcast.creator:
            what = "人" if broadcast.chat_type == "single" else "个群"
            counts = task.counts()
            self._people.tell(
                f"{self._name(task.userid)} 确认了群发，送达 {counts['sent']} {what}，"
                f"已非好友 {counts['lost']}，达到上限 {counts['refused']}"
            )

    def _senders(self) -> list[str]:
        return [staff.userid for staff in self._world.book.staff.values() if staff.people and staff.status == 1]

    def _name(self, userid: str) -> str:
        return self._world.book.staff[userid].name
