"""The numbers of sending, counted by hand: deliveries, staff tasks, people reached."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics import sendings
from analytics.metrics import METRICS
from analytics.query import Unanswerable
from analytics.rows import rows
from analytics.scope import Filters
from campaigns.checks import deliveries_have_partitions
from campaigns.models import PARTITIONS, Delivery
from contacts.models import Staff
from scrm.base import clock
from scrm.base.models import User
from tests.analytics.conftest import Book, at, day

pytestmark = pytest.mark.django_db
REASONS = ("not_friend", "over_quota", "refused", "unconfirmed", "cancelled")
SENDING = [name for name in METRICS if name.startswith("deliveries_")]


@pytest.fixture(autouse=True)
def forty_days_later() -> Iterator[None]:
    with time_machine.travel(at(40), tick=False):
        yield


def numbers(book: Book, start: int = 0, end: int = 7, **more: Any) -> dict[str, float | None]:
    """What is not nought of the deliveries' numbers, without their common beginning."""
    found = {name.removeprefix("deliveries_"): book.value(name, start, end, **more) for name in SENDING}
    return {name: value for name, value in found.items() if value}


def test_what_became_of_deliveries_adds_up_to_those_planned(book: Book, wanglei: Staff) -> None:
    broadcast = book.broadcast(at(1, 20))
    task = book.task(broadcast, wanglei, "confirmed", confirmed_at=at(1, 21))
    for number, state in enumerate(("sent", *REASONS)):
        for _ in range(number + 1):
            book.delivery(task, book.person(), state, at(1, 21) if state == "sent" else None)
    book.delivery(task, book.person(), "excluded")
    for _ in range(4):
        book.delivery(book.task(broadcast, wanglei, "unknown"), book.person())

    assert numbers(book) == {
        "planned": 25, "sent": 1, "not_friend": 2, "over_quota": 3, "refused": 4, "unconfirmed": 5, "cancelled": 6,
        "unknown": 4,
    }  # fmt: skip
    [rate] = book.measure("delivery_rate")
    assert (rate.numerator, rate.denominator, rate.value) == (1, 25, 0.04)


def test_an_open_delivery_is_planned_and_nothing_else(book: Book, wanglei: Staff) -> None:
    broadcast = book.broadcast(at(1, 20))
    for state in ("planned", "sending", "sent", "confirmed"):
        book.delivery(book.task(broadcast, wanglei, state), book.person())

    assert numbers(book) == {"planned": 4}
    span = {"start": day(0), "end": day(7), "user": book.user}
    assert sendings.progress(**span) == {"planned": 1, "sending": 1, "waiting": 2}  # type: ignore[arg-type]
    assert sendings.progress_rows("waiting", **span).count() == 2  # type: ignore[arg-type]
    assert sendings.progress_rows("sent", **span).count() == 0  # type: ignore[arg-type]


def test_sent_counts_on_the_day_it_was_and_the_plan_on_its_own(book: Book, wanglei: Staff) -> None:
    task = book.task(book.broadcast(at(1, 23)), wanglei, "confirmed", confirmed_at=at(2, 1), settled_at=at(2, 1))
    book.delivery(task, book.person(), "sent", at(2, 0))
    book.delivery(task, book.person(), "not_friend")

    by_day = {name: list(book.split(name, "day", 1, 3).values()) for name in SENDING[:3]}
    assert by_day == {"deliveries_planned": [2, 0], "deliveries_sent": [0, 1], "deliveries_not_friend": [1, 0]}
    assert [(point.value, point.null_reason) for point in book.measure("delivery_rate", 1, 3, by="day")] == [
        (0.5, ""),
        (None, "no_base"),
    ]
    assert book.value("group_reach", 1, 2) == 0
    assert book.value("group_reach", 2, 3) == 1


def test_a_broadcast_approved_a_month_before_counts_on_its_day(book: Book, wanglei: Staff) -> None:
    early = book.task(book.broadcast(at(30, 20), plan_date=day(-1)), wanglei, "confirmed", confirmed_at=at(30, 21))
    book.delivery(early, book.person(), "sent", at(30, 21))
    late = book.task(book.broadcast(at(30, 9), 48, plan_date=day(31)), wanglei, "confirmed", confirmed_at=at(31, 21))
    book.delivery(late, book.person(), "sent", at(31, 21))

    assert numbers(book, 30, 31) == {"planned": 2, "sent": 1}
    assert numbers(book, -2, 30) == {}
    assert numbers(book, 31, 40) == {"sent": 1}


def test_reach_is_people_in_chats_and_one_for_a_customer(book: Book, wanglei: Staff, zhaomin: Staff) -> None:
    broadcast, chat, other = book.broadcast(at(1)), book.chat("福利群", wanglei), book.chat("快闪群", zhaomin)
    mine, theirs = (book.task(broadcast, member, "confirmed", confirmed_at=at(1, 13)) for member in (wanglei, zhaomin))
    book.delivery(mine, chat, "sent", at(1, 13), reach=180)
    book.delivery(mine, book.person(), "sent", at(1, 13))
    book.delivery(theirs, other, "sent", at(1, 13), reach=20)
    book.delivery(theirs, book.chat("新群", zhaomin), "unconfirmed")

    assert book.value("deliveries_sent") == 3
    assert book.value("group_reach") == 201
    assert book.split("group_reach", "group_chat") == {"wr-福利群": 180, "wr-快闪群": 20, "": 1}
    assert book.split("group_reach", "staff") == {"wanglei": 181, "zhaomin": 20}
    [row] = rows("group_reach", start=day(0), end=day(7), by="group_chat", key="wr-福利群", user=book.user)[0:9]
    assert (row.chat_name, row.staff_name, row.value, row.at) == ("福利群", "王磊", 180, at(1, 13))


def test_a_delivery_stays_with_who_sent_it_whoever_owns_the_chat_now(
    book: Book, wanglei: Staff, zhaomin: Staff, bob: User
) -> None:
    chat = book.chat("福利群", zhaomin)
    task = book.task(book.broadcast(at(1)), wanglei, "confirmed", confirmed_at=at(1, 13))
    book.delivery(task, chat, "sent", at(1, 13), reach=50)

    for filters in (Filters(), Filters(group_chat="wr-福利群"), Filters(department=2), Filters(staff="wanglei")):
        assert book.value("group_reach", user=bob, filters=filters) == 50
    for filters in (
        Filters(group_chat=""),
        Filters(group_chat="wrNone"),
        Filters(department=3),
        Filters(staff="zhaomin"),
    ):
        assert book.value("group_reach", user=bob, filters=filters) == 0


def test_nothing_of_another_department_is_counted(
    book: Book, wanglei: Staff, zhaomin: Staff, bob: User, charlie: User
) -> None:
    broadcast = book.broadcast(at(1))
    for member, number in ((wanglei, 2), (zhaomin, 3)):
        for _ in range(number):
            task = book.task(broadcast, member, "confirmed", confirmed_at=at(1, 13))
            book.delivery(task, book.person(), "sent", at(1, 13))

    names = ("deliveries_planned", "deliveries_sent", "group_reach")
    assert [[book.value(name, user=user) for name in names] for user in (book.user, bob, charlie)] == [
        [5, 5, 5],
        [2, 2, 2],
        [0, 0, 0],
    ]
    rates = ("delivery_rate", "confirm_rate", "on_time_rate", "confirmations_per_staff")
    assert [book.measure(name, user=bob)[0].denominator for name in rates] == [2, 2, 2, 1]
    assert [book.measure(name, user=charlie)[0].null_reason for name in rates] == ["no_base"] * 4
    assert book.split("deliveries_sent", "staff", user=bob) == {"wanglei": 2}


def test_the_channel_is_the_customers_first(book: Book, wanglei: Staff) -> None:
    task = book.task(book.broadcast(at(1)), wanglei, "confirmed", confirmed_at=at(1, 13))
    person = book.person()
    type(person).objects.filter(pk=person.pk).update(first_state="parcel")
    for to in (person, book.person(), book.chat("福利群", wanglei)):
        book.delivery(task, to, "sent", at(1, 13))

    assert book.split("deliveries_sent", "channel") == {"parcel": 1, "": 2}
    assert book.value("deliveries_planned", filters=Filters(channel="parcel")) == 1


def test_tasks_are_confirmed_in_time_late_or_not_at_all(book: Book, wanglei: Staff, zhaomin: Staff) -> None:
    broadcast = book.broadcast(at(1, 12), 6)
    book.task(broadcast, wanglei, "confirmed", confirmed_at=at(1, 18))
    book.task(broadcast, wanglei, "confirmed", confirmed_at=at(1, 18.01))
    book.task(broadcast, wanglei, "unconfirmed")
    book.task(broadcast, zhaomin, "sent")
    for never_created in ("planned", "sending", "unknown", "refused"):
        book.task(broadcast, zhaomin, never_created)
    book.task(broadcast, zhaomin, "cancelled", sent_at=None)

    assert _parts(book, "confirm_rate") == (2, 4)
    assert _parts(book, "on_time_rate") == (1, 4)
    assert book.split("on_time_rate", "staff") == {"wanglei": 1 / 3, "zhaomin": 0}


def _parts(book: Book, metric: str, start: int = 0, end: int = 7) -> tuple[int | None, int | None]:
    [point] = book.measure(metric, start, end)
    return point.numerator, point.denominator


def test_confirmations_per_head_are_of_days_with_any(book: Book, wanglei: Staff, zhaomin: Staff) -> None:
    for number, count in ((0, 3), (2, 1)):
        for _ in range(count):
            book.task(book.broadcast(at(number)), wanglei)
    for _ in range(2):
        book.task(book.broadcast(at(2)), zhaomin)

    assert _parts(book, "confirmations_per_staff") == (6, 3)
    assert book.value("confirmations_per_staff") == 2
    assert book.split("confirmations_per_staff", "staff") == {"wanglei": 2, "zhaomin": 2}
    assert book.split("confirmations_per_staff", "day", 0, 3) == {
        "2026-03-02": 3,
        "2026-03-03": None,
        "2026-03-04": 1.5,
    }


@pytest.mark.parametrize("metric", ["confirm_rate", "on_time_rate", "confirmations_per_staff"])
def test_a_task_has_no_channel_and_no_chat(book: Book, metric: str) -> None:
    for filters in (Filters(channel=""), Filters(group_chat="wr-福利群")):
        with pytest.raises(Unanswerable):
            book.measure(metric, filters=filters)
    with pytest.raises(Unanswerable):
        book.measure(metric, by="channel")


# A delivery: state, day of the plan, hours until it was sent, one of two staff members, to one of two chats or a person.
_DELIVERIES = st.lists(
    st.tuples(
        st.sampled_from(("planned", "excluded", "sent", "sent", *REASONS)),
        st.integers(0, 9),
        st.integers(0, 60),
        st.booleans(),
        st.integers(0, 2),
    ),
    max_size=25,
)


@given(_DELIVERIES, st.integers(0, 9), st.integers(1, 12))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_parts_equal_the_whole_and_what_is_counted_by_hand(
    book: Book, wanglei: Staff, zhaomin: Staff, made: list[Any], start: int, length: int
) -> None:
    with transaction.atomic():
        _check(book, (wanglei, zhaomin), made, start, start + length)
        transaction.set_rollback(True)


def _check(book: Book, staff: tuple[Staff, Staff], made: list[Any], start: int, end: int) -> None:
    chats = [book.chat(name, staff[0]) for name in ("福利群", "快闪群")]
    for state, number, hours, second, to in made:
        sent = at(number, 12 + hours) if state == "sent" else None
        confirmed = {"confirmed_at": sent, "settled_at": sent} if sent else {}
        task = book.task(book.broadcast(at(number)), staff[second], "confirmed" if sent else "sent", **confirmed)
        book.delivery(task, chats[to] if to < 2 else book.person(), state, sent, reach=(30, 7, 1)[to])
    expected = _by_hand(day(start), day(end))

    for name in (*SENDING, "group_reach"):
        assert (book.value(name, start, end) or 0) == expected[name], name
        for by in METRICS[name].by:
            assert sum(value or 0 for value in book.split(name, by, start, end).values()) == expected[name], (name, by)
    for name in ("delivery_rate", "confirm_rate", "confirmations_per_staff"):
        [whole] = book.measure(name, start, end)
        for by in METRICS[name].by:
            points = book.measure(name, start, end, by=by)
            assert sum(point.numerator or 0 for point in points) == (whole.numerator or 0)
            assert sum(point.denominator or 0 for point in points) == (whole.denominator or 0)
    assert book.measure("delivery_rate", start, end)[0].denominator == expected["deliveries_planned"]


def _by_hand(start: dt.date, end: dt.date) -> Counter[str]:
    """The numbers of [start, end), row by row."""
    found: Counter[str] = Counter()
    for row in Delivery.objects.select_related("broadcast").exclude(state="excluded"):
        if start <= clock.day_of(row.broadcast.create_at) < end:
            found["deliveries_planned"] += 1
            found[f"deliveries_{row.state}"] += row.state in REASONS
        if row.sent_at and start <= clock.day_of(row.sent_at) < end:
            found["deliveries_sent"] += 1
            found["group_reach"] += row.reach
    return found


def test_deliveries_outside_every_month_are_reported(book: Book, wanglei: Staff) -> None:
    assert deliveries_have_partitions(["default"]) == []

    book.delivery(book.task(book.broadcast(at(1), plan_date=dt.date(1999, 1, 1)), wanglei), book.person())

    [warning] = deliveries_have_partitions(["default"])
    assert (warning.id, warning.msg) == ("campaigns.W001", "1 deliveries lie in no month's partition.")
    assert deliveries_have_partitions(None) == []


def test_partitions_reach_a_year_ahead_and_take_what_lay_in_none(book: Book, wanglei: Staff) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'campaigns_delivery'::regclass")
        for (name,) in cursor.fetchall():
            if not name.endswith("_default"):
                cursor.execute(f"DROP TABLE {name}")
    book.delivery(book.task(book.broadcast(clock.now()), wanglei), book.person())
    assert PARTITIONS.stray_rows() == 1

    PARTITIONS.ensure([], today=clock.today())

    assert PARTITIONS.stray_rows() == 0
    assert Delivery.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'campaigns_delivery'::regclass"
        )
        names = sorted(name for (name,) in cursor.fetchall())
    months = [f"2026{month:02}" for month in range(4, 13)] + [f"2027{month:02}" for month in range(1, 5)]
    assert names == [*(f"campaigns_delivery_{month}" for month in months), "campaigns_delivery_default"]
    assert PARTITIONS.ensure([], today=clock.today()) == []


def test_losses_after_a_message_count_once_with_the_last_one_before(book: Book, wanglei: Staff, zhaomin: Staff) -> None:
    lost_soon, lost_late, removed, twice, elsewhere, found = (book.person() for _ in range(6))
    first, second = (book.task(book.broadcast(at(number, 20)), wanglei, "confirmed") for number in (1, 2))
    for person in (lost_soon, lost_late, removed, twice, elsewhere, found):
        book.delivery(first, person, "sent", at(1, 20))
    book.delivery(second, twice, "sent", at(2, 20))
    book.follow(wanglei, lost_soon, at(0), at(1, 20) + dt.timedelta(hours=47))
    book.follow(wanglei, lost_late, at(0), at(1, 20) + dt.timedelta(hours=49))
    book.follow(wanglei, removed, at(0), at(1, 21), ended_by="staff")
    book.follow(wanglei, twice, at(0), at(2, 21))
    book.follow(zhaomin, elsewhere, at(0), at(1, 21))
    book.follow(wanglei, found, at(0), at(1, 20.5), ended_known_by="send_result")

    [rate] = book.measure("loss_after")
    assert (rate.numerator, rate.denominator) == (2, 7)
    assert book.value("loss_after", 1, 2) == 1 / 6
    assert book.value("loss_after", 2, 3) == 1
    counted = rows("loss_after", start=day(0), end=day(7), user=book.user)[0:9]
    assert {row.external_userid for row in counted} == {lost_soon.external_userid, twice.external_userid}


def test_losses_are_compared_with_those_of_all_friendships(
    book: Book, filled: Callable[[], None], wanglei: Staff
) -> None:
    """Three friendships of 7 days, one of 3: 24 days are 12 spans of 48 hours, in which one was lost."""
    for _ in range(3):
        book.follow(wanglei, book.person(), at(-30))
    book.follow(wanglei, book.person(), at(-30), at(3, 0))
    filled()

    [expected] = book.measure("loss_after_expected")
    assert (expected.numerator, expected.denominator, expected.value) == (1, 12, 1 / 12)


def test_leaves_after_a_message_are_of_those_who_were_there(
    book: Book, filled: Callable[[], None], wanglei: Staff
) -> None:
    chat = book.chat("福利群", wanglei)
    task = book.task(book.broadcast(at(1, 20)), wanglei, "confirmed")
    book.delivery(task, chat, "sent", at(1, 20), reach=10)
    book.stay(chat, book.person(), at(0), at(2, 19))
    book.stay(chat, book.person(), at(0), at(2, 21))
    book.stay(chat, book.person(), at(0), at(1, 21), quit_scene=1)
    book.stay(chat, book.person(), at(1, 21), at(1, 22))
    book.stay(chat, wanglei, at(0), at(1, 21))

    [rate] = book.measure("leave_after")
    assert (rate.numerator, rate.denominator, rate.value) == (1, 10, 0.1)
    assert book.split("leave_after", "group_chat") == {"wr-福利群": 0.1}


def test_leaves_are_compared_with_those_of_all_stays(book: Book, filled: Callable[[], None], wanglei: Staff) -> None:
    """Two stays of 7 days, one of 4: in 18 days one left."""
    chat = book.chat("福利群", wanglei)
    for _ in range(2):
        book.stay(chat, book.person(), at(-30))
    book.stay(chat, book.person(), at(-30), at(4, 0))
    filled()

    [expected] = book.measure("leave_after_expected")
    assert (expected.numerator, expected.denominator) == (1, 18)
