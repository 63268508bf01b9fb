"""Small ledgers made by hand, on fixed company days."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from analytics import fill
from analytics.models import Fact, FillState
from analytics.query import Point, measure
from campaigns.models import Broadcast, Delivery, Dispatch, Welcome
from contacts.models import Customer, Follow, Staff, SyncRun
from groups.models import GroupChat, Stay
from scrm.base import clock
from scrm.base.models import User

MONDAY = dt.date(2026, 3, 2)


def at(day: int, hour: float = 12) -> dt.datetime:
    """`hour` o'clock of the company, `day` days after MONDAY."""
    return clock.day_start(MONDAY + dt.timedelta(days=day)) + dt.timedelta(hours=hour)


def day(number: int) -> dt.date:
    return MONDAY + dt.timedelta(days=number)


class Book:
    """Writes ledger rows as the mirror would, and asks for numbers."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.number = 0

    def person(self, name: str = "") -> Customer:
        self.number += 1
        return Customer.objects.create(external_userid=f"wm{self.number:04}", name=name or f"客户{self.number}")

    def follow(
        self, staff: Staff, person: Customer, added: dt.datetime, ended: dt.datetime | None = None, **more: Any
    ) -> Follow:
        more.setdefault("ended_by", "customer" if ended else "")
        return Follow.objects.create(staff=staff, customer=person, added_at=added, ended_at=ended, **more)

    def chat(self, name: str, owner: Staff | None = None) -> GroupChat:
        return GroupChat.objects.create(chat_id=f"wr-{name}", name=name, owner=owner)

    def stay(
        self,
        chat: GroupChat,
        person: Customer | Staff,
        joined: dt.datetime,
        left: dt.datetime | None = None,
        **more: Any,
    ) -> Stay:
        who: dict[str, Any] = {"staff": person} if isinstance(person, Staff) else {"customer": person}
        more.setdefault("left_known_by", "event" if left else "")
        more.setdefault("joined_known_by", "event")
        member = person.userid if isinstance(person, Staff) else person.external_userid
        return Stay.objects.create(chat=chat, member_id=member, joined_at=joined, left_at=left, **who, **more)

    def welcome(
        self, staff: Staff, person: Customer, happened: dt.datetime, outcome: str = "sent", **more: Any
    ) -> Welcome:
        self.number += 1
        if outcome == "sent":
            more.setdefault("latency_ms", 900)
        return Welcome.objects.create(
            code=f"code{self.number}", userid=staff.userid, external_userid=person.external_userid, happened_at=happened,
            received_at=happened, outcome=outcome, **more,
        )  # fmt: skip

    def broadcast(self, create_at: dt.datetime, hours: float = 6, **more: Any) -> Broadcast:
        """An approved one whose tasks are to be confirmed within `hours`."""
        more.setdefault("plan_date", clock.day_of(create_at))
        return Broadcast.objects.create(
            name="上新", to="single", audience={}, text="新品上架", state="running", create_at=create_at,
            confirm_by=create_at + dt.timedelta(hours=hours), created_by=self.user, created_at=create_at, **more,
        )  # fmt: skip

    def task(self, broadcast: Broadcast, staff: Staff, state: str = "sent", **more: Any) -> Dispatch:
        """A dispatch, created at the broadcast's time unless `sent_at` says otherwise."""
        self.number += 1
        if state not in ("planned", "sending", "unknown", "refused"):
            more.setdefault("sent_at", broadcast.create_at)
        return Dispatch.objects.create(
            broadcast=broadcast, staff=staff, number=self.number, digest=f"{self.number}", recipients=1, state=state, **more
        )  # fmt: skip

    def delivery(
        self, task: Dispatch, to: Customer | GroupChat, state: str = "planned", sent: dt.datetime | None = None, reach: int = 1
    ) -> Delivery:  # fmt: skip
        more: dict[str, Any] = {"chat": to} if isinstance(to, GroupChat) else {"customer": to}
        more["plan_date"] = task.broadcast.plan_date
        return Delivery.objects.create(
            broadcast=task.broadcast, dispatch=task, staff=task.staff, state=state, sent_at=sent,
            reach=reach if sent else 0, **more,
        )  # fmt: skip

    def connected(self, moment: dt.datetime) -> None:
        SyncRun.objects.create(started_at=moment, state="done", first=True)

    def measure(self, metric: str, start: int = 0, end: int = 7, **more: Any) -> list[Point]:
        return measure(metric, start=day(start), end=day(end), **{"user": self.user, **more})

    def value(self, metric: str, start: int = 0, end: int = 7, **more: Any) -> float | None:
        """The total of the days [start, end)."""
        [point] = self.measure(metric, start, end, **more)
        return point.value

    def split(self, metric: str, by: str, start: int = 0, end: int = 7, **more: Any) -> dict[str, float | None]:
        return {point.key: point.value for point in self.measure(metric, start, end, by=by, **more)}


@pytest.fixture
def book(alice: User) -> Book:
    return Book(alice)


@pytest.fixture
def filled(book: Book) -> Callable[[], None]:
    """Rebuilds all facts."""

    def rebuild() -> None:
        FillState.objects.all().delete()
        fill.fill_dirty()

    return rebuild


def facts() -> set[tuple[Any, ...]]:
    """All facts, comparable."""
    columns = (
        "stat",
        "day",
        "at",
        "customer_id",
        "staff_id",
        "chat_id",
        "state",
        "detail",
        "value",
        "estimated",
        "source_id",
    )
    found = list(Fact.objects.values_list(*columns))
    assert len(found) == len(set(found))
    return set(found)
