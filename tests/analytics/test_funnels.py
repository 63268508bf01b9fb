"""Funnels: by hand, and equal to a computation person by person over random ledgers."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics import fill
from analytics.funnels import STEPS, Step, funnel, funnel_rows
from analytics.models import FillState
from analytics.query import Unanswerable
from campaigns.models import Welcome
from contacts.models import Customer, Follow, Staff
from groups.models import GroupChat, Stay
from scrm.base import clock
from scrm.base.models import User
from tests.analytics.conftest import Book, at, day

ALL = list(STEPS)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def forty_days_later() -> Iterator[None]:
    with time_machine.travel(at(40), tick=False):
        yield


def ask(user: User, steps: list[str] = ALL, start: int = 0, end: int = 41, window: int = 2, **more: Any) -> list[Step]:
    found = funnel(steps, day(start), day(end), window, user=user, **more)
    return found.parts if more.get("breakdown") else found.whole


def test_people_pass_the_steps_in_order(book: Book, wanglei: Staff, filled: Callable[[], None]) -> None:
    chat = book.chat("福利群", wanglei)
    whole, before_welcome, leaver, silent, late = (book.person() for _ in range(5))
    for person in (whole, before_welcome, leaver, silent, late):
        book.follow(wanglei, person, at(1))
    for person in (whole, before_welcome, leaver, late):
        book.welcome(wanglei, person, at(1), latency_ms=1500)
    book.stay(chat, whole, at(1) + dt.timedelta(seconds=41))
    book.stay(chat, before_welcome, at(1) - dt.timedelta(seconds=5))
    book.stay(chat, leaver, at(2), at(3))
    book.stay(chat, silent, at(2))
    book.stay(chat, late, at(4))
    filled()

    steps = ask(book.user)

    assert [(step.step, step.customers, step.base, step.dropped) for step in steps] == [
        ("added", 5, 5, 0),
        ("welcomed", 4, 5, 1),
        ("joined", 2, 4, 2),
        ("stayed_7d", 1, 2, 1),
    ]
    assert [step.rate for step in steps] == [1.0, 0.8, 0.4, 0.2]
    assert [step.rate_from_previous for step in steps] == [None, 0.8, 0.5, 0.5]
    assert [step.median_seconds for step in steps][:2] == [None, 1.5]
    assert steps[2].median_seconds == pytest.approx((39.5 + 86398.5) / 2)


def test_a_join_in_the_second_of_the_welcome_is_after_it(
    book: Book, wanglei: Staff, filled: Callable[[], None]
) -> None:
    person = book.person()
    book.follow(wanglei, person, at(1))
    book.welcome(wanglei, person, at(1), latency_ms=900)
    book.stay(book.chat("福利群", wanglei), person, at(1))
    filled()

    assert [step.customers for step in ask(book.user)] == [1, 1, 1, 1]


def test_open_windows_are_told_apart_from_drops(book: Book, wanglei: Staff, filled: Callable[[], None]) -> None:
    chat = book.chat("福利群", wanglei)
    for number in (20, 39):
        for joins in (True, False):
            person = book.person()
            book.follow(wanglei, person, at(number))
            if joins:
                book.stay(chat, person, at(number, 13))
    filled()

    _, joined, stayed = ask(book.user, ["added", "joined", "stayed_7d"])

    assert (joined.customers, joined.base, joined.waiting) == (2, 4, 1)
    assert (stayed.customers, stayed.base, stayed.waiting, stayed.rate, stayed.rate_from_previous) == (
        1,
        1,
        1,
        0.5,
        1.0,
    )


def test_breakdowns_name_their_parts_and_scope_narrows_them(
    book: Book, wanglei: Staff, zhaomin: Staff, bob: User, filled: Callable[[], None]
) -> None:
    for staff, state, people in ((wanglei, "parcel", 1), (zhaomin, "menu", 2)):
        for _ in range(people):
            book.follow(staff, book.person(), at(1), state=state)
    filled()

    parts = ask(book.user, ["added", "joined"], breakdown="staff")
    assert [(step.key, step.label, step.step, step.customers) for step in parts] == [
        ("zhaomin", "赵敏", "added", 2),
        ("zhaomin", "赵敏", "joined", 0),
        ("wanglei", "王磊", "added", 1),
        ("wanglei", "王磊", "joined", 0),
    ]
    assert [(step.key, step.customers) for step in ask(bob, ["added"], breakdown="channel")] == [("parcel", 1)]


def test_nobody_is_no_error(book: Book, filled: Callable[[], None]) -> None:
    filled()

    steps = ask(book.user)
    assert [(step.customers, step.rate, step.rate_from_previous, step.waiting) for step in steps] == [
        (0, None, None, 0)
    ] * 4
    assert ask(book.user, breakdown="channel") == []


@pytest.mark.parametrize("steps", [[], ["bought"], ["joined", "added"], ["added", "added"]])
def test_refuses_steps_that_make_no_sense(book: Book, steps: list[str]) -> None:
    with pytest.raises(Unanswerable):
        ask(book.user, steps)


# --- equal to a computation person by person -----------------------------------------------------------------------------
PERSON = st.fixed_dictionaries(
    {
        "added": st.integers(0, 39 * 24),
        "again": st.booleans(),
        "transfer": st.booleans(),
        "welcomes": st.lists(st.tuples(st.integers(-1, 60), st.booleans(), st.integers(1, 20_000)), max_size=2),
        "stays": st.lists(
            st.tuples(st.integers(0, 1), st.integers(-3, 80), st.one_of(st.none(), st.integers(0, 200)), st.booleans()),
            max_size=3,
            unique_by=(lambda stay: stay[0], lambda stay: stay[1]),
        ),
    }
)
NARROW = st.sampled_from(
    [ALL, ["added", "joined"], ["added", "joined", "stayed_7d"], ["added", "welcomed", "stayed_7d"], ["joined"]]
)


@given(people=st.lists(PERSON, max_size=8), steps=NARROW, window=st.sampled_from([1, 2, 7]))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_equals_a_computation_person_by_person(
    people: list[dict[str, Any]], steps: list[str], window: int, wanglei: Staff, alice: User
) -> None:
    _empty()
    for number, person in enumerate(people):
        _write(number, person, wanglei)
    FillState.objects.all().delete()
    fill.fill_dirty()

    found = funnel(steps, day(0), day(41), window, user=alice).whole

    assert [(step.step, step.customers, step.base, step.waiting) for step in found] == _by_hand(steps, window)
    for step in found:
        for outcome, number in (("reached", step.customers), ("dropped", step.dropped), ("waiting", step.waiting)):
            rows = funnel_rows(steps, day(0), day(41), window, step=step.step, outcome=outcome, user=alice)  # type: ignore[arg-type]
            assert rows.count() == number, (step, outcome)


def _empty() -> None:
    for model in (Follow, Stay, Welcome, Customer, GroupChat):
        model.objects.all().delete()


def _write(number: int, person: dict[str, Any], staff: Staff) -> None:
    row = Customer.objects.create(external_userid=f"wm{number}")
    added = at(0, person["added"])
    Follow.objects.create(
        staff=staff, customer=row, added_at=added, ended_at=added + dt.timedelta(hours=1), ended_by="customer",
        by_transfer=person["transfer"],
    )  # fmt: skip
    if person["again"]:
        Follow.objects.create(staff=staff, customer=row, added_at=added + dt.timedelta(hours=5))
    for count, (hours, sent, latency) in enumerate(person["welcomes"]):
        moment = added + dt.timedelta(hours=hours)
        Welcome.objects.create(
            code=f"{number}-{count}", userid=staff.userid, external_userid=row.external_userid, happened_at=moment,
            received_at=moment, outcome="sent" if sent else "refused", latency_ms=latency if sent else None,
        )  # fmt: skip
    for chat, hours, length, counted in person["stays"]:
        group, _ = GroupChat.objects.get_or_create(chat_id=f"wr{chat}", defaults={"owner": staff})
        joined = added + dt.timedelta(hours=hours)
        left = joined + dt.timedelta(hours=length) if length is not None else joined + dt.timedelta(days=400)
        Stay.objects.create(
            chat=group, customer=row, member_id=row.external_userid, joined_at=joined, joined_known_by="event",
            counted=counted, left_at=left, left_known_by="event",
        )  # fmt: skip


def _by_hand(steps: list[str], window: int) -> list[tuple[str, int, int, int]]:
    people = [_times(customer, steps, dt.timedelta(days=window)) for customer in Customer.objects.all()]
    cohort = [person for person in people if person is not None]
    found, before = [], cohort
    for step in steps:
        judged = [person for person in before if step != "stayed_7d" or person["ripe"]]
        reached = [person for person in judged if person[step]]
        key = {"joined": "closed", "stayed_7d": "ripe"}.get(step)
        waiting = [person for person in before if key and person not in reached and not person[key]]
        found.append((step, len(reached), len(judged), len(waiting)))
        before = reached
    return found


def _times(customer: Customer, steps: list[str], window: dt.timedelta) -> dict[str, Any] | None:
    first = Follow.objects.filter(customer=customer).order_by("added_at", "pk").first()
    if first is None or first.by_transfer:
        return None
    start, now = first.added_at, clock.now()
    welcomes = [
        max(start, row.happened_at + dt.timedelta(milliseconds=row.latency_ms or 0))
        for row in Welcome.objects.filter(external_userid=customer.external_userid, outcome="sent")
        if start - dt.timedelta(minutes=1) <= row.happened_at <= start + window
    ]
    welcomed = min(welcomes, default=None)
    after = welcomed if "welcomed" in steps else start
    stays = [
        row
        for row in Stay.objects.filter(customer=customer, counted=True).order_by("joined_at", "pk")
        if after and after.replace(microsecond=0) <= row.joined_at <= start + window
    ]
    joined = stays[0] if stays else None
    stayed = joined is not None and any(
        row.joined_at <= joined.joined_at + dt.timedelta(days=7) < (row.left_at or now)
        for row in Stay.objects.filter(customer=customer, chat=joined.chat_id)
    )
    return {
        "id": customer.pk, "added": True, "welcomed": welcomed is not None, "joined": joined is not None,
        "stayed_7d": stayed, "closed": start + window <= now, "ripe": start + window + dt.timedelta(days=7) <= now,
    }  # fmt: skip
