"""Broadcasts of a history, confirmed as staff do (stand-in.md §2 and §4), and what became of them.

Must be seen going wrong: an owner off sick, one clumsy double push with the leaves that follow, groups at their limit
because owners also send by hand.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime
from random import Random

from scrm.standin import confirming  # as a module: it reads the draws of this package
from scrm.standin.settings import Settings

from .asks import AGAIN, BEIJING, Ask, Asks
from .draws import DAY, day_begin
from .profiles import Profile
from .rows import History, TaskRow

REMINDERS = 3  # evenly until the deadline, as long as nobody has confirmed; the platform takes no more
SICK = (5, 4)  # days before the end on which one owner is off
DOUBLE_LEAVES = 0.006  # of a group's people within the day: its usual leaves and 180 % more
DOUBLE_CHATS = 40
NOT_SENT, SENT, LOST, REFUSED = range(4)


class Sends:
    """Fills broadcasts and tasks of a history; the double push makes some people leave."""

    def __init__(self, history: History, profile: Profile, customers: int) -> None:
        self._history = history
        self._rng = Random(f"sends:{history.scenario}:{history.seed}:{customers}")
        self._confirming = confirming.Confirming(Settings(confirm_seed=history.seed))
        eager = {staff.userid for staff in history.staff if self._confirming.factor(staff.userid) <= 1}
        self._asks = Asks(history, profile, customers, self._rng, eager)
        self._numbers: dict[str, tuple[int, int, int]] = {}  # (all tasks, a day's begin, those of that day)

    def fill(self) -> None:
        """Ask, confirm, then count against the quota in the order of confirmation."""
        if not self._asks.profile.slots or not self._asks.owners:
            return
        self._asks.fill()
        away = self._asks.evening_owner(), {self._asks.days_before(days) for days in SICK}
        for ask in self._asks.all:
            if ask.broadcast is not None:
                self._confirm(ask, self._history.broadcasts[ask.broadcast].confirm_by, away)
        confirmed = [(ask.confirmed_at, ask) for ask in self._asks.all if ask.confirmed_at is not None]
        self._deliver(sorted(confirmed, key=lambda item: item[0]))
        self._leave(confirmed)
        self._history.tasks.extend(self._row(ask) for ask in self._asks.all)

    def _confirm(self, ask: Ask, deadline: int, away: tuple[str, set[int]]) -> None:
        """When the member confirmed, before the deadline or not at all; those who wait are reminded."""
        created = ask.created_at
        total, day, today = self._numbers.get(ask.userid, (0, 0, 0))
        today = today + 1 if day == day_begin(created) else 1
        ask.number = total + 1
        self._numbers[ask.userid] = (ask.number, day_begin(created), today)
        due = self._confirming.due(ask.userid, ask.number, today, created)
        if (ask.userid, day_begin(created)) in {(away[0], day) for day in away[1]}:
            due = float(deadline)
        for count in range(1, REMINDERS + 1):
            at = created + (deadline - created) * count // (REMINDERS + 1)
            if due is not None and due <= at:
                break
            ask.reminded_at = (*ask.reminded_at, at)
            due = due or self._confirming.reminded(ask.userid, ask.number, count, at)
        if due is not None and due < deadline:
            ask.confirmed_at = int(due)

    def _deliver(self, confirmed: list[tuple[int, Ask]]) -> None:
        """What each confirmation reached: friends who still are, under the month's quota."""
        used: dict[tuple[int, int], dict[str, int]] = {}  # by month and receiver
        for at, ask in confirmed:
            month = datetime.fromtimestamp(at, BEIJING)
            most, counts = monthrange(month.year, month.month)[1], used.setdefault((month.year, month.month), {})
            statuses = bytearray()
            for receiver, end in zip(ask.receivers, ask.ends, strict=True):
                sent = counts.get(receiver, 0)
                status = LOST if end <= at else SENT if sent < most else REFUSED
                statuses.append(status)
                if status == SENT:
                    counts[receiver] = sent + 1
            ask.statuses = bytes(statuses)

    def _leave(self, confirmed: list[tuple[int, Ask]]) -> None:
        """People who had enough after the double push."""
        rng, history = self._rng, self._history
        again = {place for place, row in enumerate(history.broadcasts) if row.name.endswith(AGAIN)}
        pushed = {chat: at for at, ask in confirmed if ask.broadcast in again for chat in ask.receivers}
        chosen = dict(sorted(pushed.items())[:DOUBLE_CHATS])
        for place, stay in enumerate(history.stays):
            at = chosen.get(stay.chat_id)
            if at is None or stay.member_type != 2 or stay.left_at is not None or stay.joined_at >= at:
                continue
            if rng.random() < DOUBLE_LEAVES:
                left = at + int(rng.random() ** 2 * DAY)
                history.stays[place] = stay._replace(left_at=min(left, history.until - 1), quit_scene=0)

    def _row(self, ask: Ask) -> TaskRow:
        msgid = f"msg{self._rng.getrandbits(112):028x}"
        return TaskRow(
            ask.broadcast, msgid, ask.chat_type, ask.userid, ask.part, ask.number, ask.created_at, ask.reminded_at,
            ask.confirmed_at, tuple(ask.receivers), ask.statuses or bytes(len(ask.receivers)), ask.dropped,
        )  # fmt: skip
