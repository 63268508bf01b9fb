"""Every number on a ledger small enough to count by hand: what counts, and what must not."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.query import Unanswerable, measure
from analytics.scope import Filters
from contacts.models import Channel, Department, Staff
from scrm.base.models import User
from tests.analytics.conftest import Book, at, day

Filled = Callable[[], None]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def forty_days_later() -> Iterator[None]:
    """All windows have ended."""
    with time_machine.travel(at(40), tick=False):
        yield


@pytest.fixture
def persona(departments: list[Department]) -> Staff:
    return Staff.objects.create(userid="xiaomi", name="小蜜", department_ids=[2], is_persona=True)


def test_adds_are_periods_begun_and_no_hand_overs(book: Book, wanglei: Staff, zhaomin: Staff, filled: Filled) -> None:
    first, second = book.person(), book.person()
    book.follow(wanglei, first, at(0))
    book.follow(zhaomin, first, at(1))
    book.follow(wanglei, second, at(1), half=True)
    book.follow(zhaomin, second, at(2), by_transfer=True, add_way=202)
    filled()

    assert book.value("adds") == 3
    assert book.value("adds", 1, 2) == 2
    assert book.value("adds", 2, 7) == 0


def test_new_customers_are_persons_at_their_first_period_ever(
    book: Book, wanglei: Staff, zhaomin: Staff, filled: Filled
) -> None:
    known, new, handed = book.person(), book.person(), book.person()
    book.follow(wanglei, known, at(-30), at(-20))
    book.follow(zhaomin, known, at(1))
    book.follow(wanglei, new, at(1))
    book.follow(zhaomin, new, at(1))
    book.follow(zhaomin, handed, at(2), by_transfer=True)
    filled()

    assert book.value("new_customers") == 1
    assert book.split("new_customers", "staff") == {"wanglei": 1}
    assert book.value("new_customers", -31, 7) == 2


def test_readds_need_an_earlier_period_that_customer_or_staff_ended(
    book: Book, wanglei: Staff, zhaomin: Staff, filled: Filled
) -> None:
    back, moved, still = book.person(), book.person(), book.person()
    book.follow(wanglei, back, at(-9), at(0))
    book.follow(wanglei, back, at(1))
    book.follow(wanglei, moved, at(-9), at(0), ended_by="transfer")
    book.follow(zhaomin, moved, at(1))
    book.follow(wanglei, still, at(-9))
    book.follow(zhaomin, still, at(1))
    filled()

    assert book.value("readds") == 1


def test_losses_are_ended_by_customer_or_staff_only(book: Book, wanglei: Staff, filled: Filled) -> None:
    for ended_by in ("customer", "staff", "transfer", "staff_left"):
        book.follow(wanglei, book.person(), at(-9), at(2), ended_by=ended_by, ended_known_by="event")
    filled()

    [point] = book.measure("losses")
    assert (point.value, point.estimated) == (2, False)


def test_an_end_that_was_found_later_is_estimated(book: Book, wanglei: Staff, filled: Filled) -> None:
    book.follow(wanglei, book.person(), at(-9), at(2), ended_known_by="event")
    book.follow(wanglei, book.person(), at(-9), at(2), ended_by="staff", ended_known_by="sync")
    filled()

    [point] = book.measure("losses")
    assert (point.value, point.estimated, point.estimated_rows) == (2, True, 1)


def test_a_customer_is_lost_with_the_last_open_period(
    book: Book, wanglei: Staff, zhaomin: Staff, filled: Filled
) -> None:
    gone, kept, twice = book.person(), book.person(), book.person()
    book.follow(wanglei, gone, at(-9), at(1))
    book.follow(zhaomin, gone, at(-9), at(2))
    book.follow(wanglei, kept, at(-9), at(1))
    book.follow(zhaomin, kept, at(-9))
    book.follow(wanglei, twice, at(-9), at(1))
    book.follow(wanglei, twice, at(2), at(3))
    filled()

    assert book.value("losses") == 5
    assert book.value("lost_customers") == 2
    assert book.split("lost_customers", "day", 1, 4) == {"2026-03-03": 1, "2026-03-04": 1, "2026-03-05": 1}


def test_customers_are_persons_with_an_open_period_at_the_end(
    book: Book, wanglei: Staff, zhaomin: Staff, filled: Filled
) -> None:
    both, moved, gone = book.person(), book.person(), book.person()
    book.follow(wanglei, both, at(-9))
    book.follow(zhaomin, both, at(1))
    book.follow(wanglei, moved, at(-9), at(3), ended_by="transfer")
    book.follow(zhaomin, moved, at(3))
    book.follow(wanglei, gone, at(2), at(4))
    filled()

    assert book.value("customers", 0, 1) == 2
    assert book.value("customers", 0, 3) == 3
    assert book.value("customers") == 2
    assert book.value("follows") == 3
    assert book.split("customers", "staff") == {"wanglei": 1, "zhaomin": 2}


@pytest.mark.parametrize("metric", ["customers", "follows", "members"])
def test_a_state_by_day_equals_the_state_at_each_days_end(
    book: Book, wanglei: Staff, zhaomin: Staff, filled: Filled, metric: str
) -> None:
    chats = [book.chat("福利群", wanglei), book.chat("快闪群", zhaomin)]
    for number in range(12):
        person = book.person()
        begin, length = number - 4, (number * 5) % 7
        book.follow(wanglei, person, at(begin, number), at(begin + length, 13) if number % 3 else None)
        book.follow(zhaomin, person, at(begin + 2, 1), at(begin + 3, 1))
        book.stay(chats[0], person, at(begin, number), at(begin + length, 13) if number % 3 else None)
        book.stay(chats[1], person, at(begin + 2, 1), at(begin + 3, 0))
    filled()

    by_day = book.split(metric, "day", -6, 9)

    assert by_day == {day(number).isoformat(): book.value(metric, number, number + 1) for number in range(-6, 9)}
    assert len(set(by_day.values())) > 3


def test_what_happens_at_midnight_belongs_to_the_day_that_begins(book: Book, wanglei: Staff, filled: Filled) -> None:
    book.follow(wanglei, book.person(), at(1, 0), at(2, 0))
    filled()

    assert book.split("adds", "day", 0, 3) == {"2026-03-02": 0, "2026-03-03": 1, "2026-03-04": 0}
    assert book.split("losses", "day", 0, 3) == {"2026-03-02": 0, "2026-03-03": 0, "2026-03-04": 1}
    assert book.split("customers", "day", 0, 3) == {"2026-03-02": 0, "2026-03-03": 1, "2026-03-04": 0}


def test_persona_accounts_count_nowhere(book: Book, wanglei: Staff, persona: Staff, filled: Filled) -> None:
    person = book.person()
    book.follow(persona, person, at(-3), at(2))
    book.follow(wanglei, person, at(1))
    book.welcome(persona, person, at(1))
    filled()

    expected = {"adds": 1, "new_customers": 1, "readds": 0, "losses": 0, "customers": 1, "welcomes_due": 0}
    assert {name: book.value(name, -9, 7) for name in expected} == expected


def test_joins_leave_out_own_staff_and_who_was_already_there(book: Book, wanglei: Staff, filled: Filled) -> None:
    chat, other = book.chat("福利群", wanglei), book.chat("快闪群", wanglei)
    twice = book.person()
    book.stay(chat, wanglei, at(1))
    book.stay(chat, book.person(), at(1), counted=False, joined_known_by="first_read")
    book.stay(chat, twice, at(1), at(2))
    book.stay(chat, twice, at(3))
    book.stay(other, twice, at(3))
    book.stay(other, book.person(), at(4))
    filled()

    assert book.value("joins") == 4
    assert book.value("joiners") == 2
    assert book.split("joiners", "group_chat") == {"wr-福利群": 1, "wr-快闪群": 2}
    assert book.value("members") == 3
    assert book.split("members", "group_chat") == {"wr-福利群": 2, "wr-快闪群": 2}


def test_leaves_are_quits_and_unknown_ends_but_no_removals_and_no_dismissals(
    book: Book, wanglei: Staff, filled: Filled
) -> None:
    chat = book.chat("福利群", wanglei)
    book.stay(chat, book.person(), at(-5), at(1), quit_scene=0)
    book.stay(chat, book.person(), at(-5), at(1), left_known_by="diff")
    book.stay(chat, book.person(), at(-5), at(2), quit_scene=1)
    book.stay(chat, book.person(), at(-5), at(3), left_known_by="dismissed")
    book.stay(chat, wanglei, at(-5), at(1), quit_scene=0)
    filled()

    [leaves] = book.measure("leaves")
    assert (leaves.value, leaves.estimated_rows) == (2, 1)
    assert book.value("removals") == 1


def test_leave_rate_is_leaves_over_present_at_the_start_plus_joiners(
    book: Book, wanglei: Staff, filled: Filled
) -> None:
    chat, other = book.chat("福利群", wanglei), book.chat("快闪群", wanglei)
    in_both = book.person()
    book.stay(chat, in_both, at(-5))
    book.stay(other, in_both, at(-5), at(1), quit_scene=0)
    book.stay(chat, book.person(), at(-5), at(2), quit_scene=0)
    book.stay(chat, book.person(), at(3))
    book.stay(chat, book.person(), at(3), at(4), quit_scene=1)
    filled()

    [rate] = book.measure("leave_rate")
    assert (rate.numerator, rate.denominator, rate.value) == (2, 4, 0.5)
    [snapshot] = book.measure("leave_rate_snapshot")
    assert (snapshot.numerator, snapshot.denominator) == (2, 2)
    first = book.measure("leave_rate", by="day")[1]
    assert (first.key, first.numerator, first.denominator) == ("2026-03-03", 1, 2)


def test_add_to_join_rate_watches_new_customers_for_48_hours(book: Book, wanglei: Staff, filled: Filled) -> None:
    chat, other = book.chat("福利群", wanglei), book.chat("快闪群", wanglei)
    soon, late, never, member, seen = (book.person() for _ in range(5))
    for person in (soon, late, never, member, seen):
        book.follow(wanglei, person, at(1))
    book.stay(chat, soon, at(3, 12))
    book.stay(chat, late, at(3, 12.01))
    book.stay(chat, member, at(0))
    book.stay(other, member, at(1, 13))
    book.stay(chat, seen, at(1, 13), counted=False, joined_known_by="first_read")
    filled()

    [rate] = book.measure("add_to_join_rate")
    assert (rate.numerator, rate.denominator, rate.value) == (1, 4, 0.25)
    [week] = book.measure("add_to_join_rate", window=dt.timedelta(days=7))
    assert (week.numerator, week.denominator) == (2, 4)


def test_cohorts_with_an_open_window_are_left_out(book: Book, wanglei: Staff, filled: Filled) -> None:
    chat = book.chat("福利群", wanglei)
    for number in (35, 38):
        person = book.person()
        book.follow(wanglei, person, at(number))
        book.stay(chat, person, at(number, 13))
    filled()

    [total] = book.measure("add_to_join_rate", 34, 41)
    assert (total.numerator, total.denominator) == (1, 1)
    points = book.measure("add_to_join_rate", 35, 41, by="day")
    assert [point.null_reason for point in points] == ["", "no_base", "no_base", "immature", "immature", "immature"]
    assert book.measure("add_to_join_rate", 38, 41)[0].null_reason == "immature"


def test_retention_asks_whether_the_joiner_is_in_that_chat_after_n_days(
    book: Book, wanglei: Staff, filled: Filled
) -> None:
    chat, other = book.chat("福利群", wanglei), book.chat("快闪群", wanglei)
    stays, leaves, moves, returns = (book.person() for _ in range(4))
    book.stay(chat, stays, at(0))
    book.stay(chat, leaves, at(0), at(7, 12))
    book.stay(chat, moves, at(0), at(1))
    book.stay(other, moves, at(-9))
    book.stay(chat, returns, at(0), at(1))
    book.stay(chat, returns, at(6))
    filled()

    [week] = book.measure("retention_d7", 0, 1)
    assert (week.numerator, week.denominator) == (2, 4)
    [first] = book.measure("retention_d1", 0, 1)
    assert (first.numerator, first.denominator) == (2, 4)


def test_welcomes(book: Book, wanglei: Staff, filled: Filled) -> None:
    for number in range(101):
        person = book.person()
        book.follow(wanglei, person, at(1))
        if number < 100:
            book.welcome(wanglei, person, at(1), latency_ms=1000 - number)
    for outcome in ("refused", "expired", "no_rule"):
        book.welcome(wanglei, book.person(), at(1), outcome)
    filled()

    assert book.value("welcomes_due") == 103
    assert book.value("welcomes_sent") == 100
    [rate] = book.measure("welcome_rate")
    assert (rate.numerator, rate.denominator) == (100, 102)
    [coverage] = book.measure("welcome_coverage")
    assert (coverage.numerator, coverage.denominator) == (103, 101)
    [p99] = book.measure("welcome_p99")
    assert (p99.value, p99.denominator) == (999, 100)


def test_no_base_is_null_and_not_zero(book: Book, filled: Filled) -> None:
    filled()

    for name in ("leave_rate", "welcome_rate", "welcome_coverage", "add_to_join_rate", "welcome_p99", "retention_d7"):
        [point] = book.measure(name)
        assert (point.value, point.null_reason) == (None, "no_base"), name
    assert book.value("adds") == 0


def test_days_before_the_connection_are_null_and_left_out_of_totals(book: Book, wanglei: Staff, filled: Filled) -> None:
    book.connected(at(2))
    for number in range(4):
        book.follow(wanglei, book.person(), at(number))
    filled()

    points = book.measure("adds", 0, 4, by="day")
    assert [(point.value, point.null_reason) for point in points] == [
        (None, "before_connection"), (None, "before_connection"), (1, ""), (1, ""),
    ]  # fmt: skip
    assert book.value("adds", 0, 4) == 2
    assert book.measure("adds", 0, 2)[0].null_reason == "before_connection"
    assert book.measure("adds", 0, 2, by="channel") == []
    assert book.value("customers", 0, 4) == 4


def test_channels_are_named_and_people_without_one_are_a_part(book: Book, wanglei: Staff, filled: Filled) -> None:
    Channel.objects.create(state="parcel", name="包裹卡")
    for state in ("parcel", "parcel", "unknown", ""):
        book.follow(wanglei, book.person(), at(1), state=state)
    filled()

    points = book.measure("adds", by="channel")
    assert [(point.key, point.value) for point in points] == [("parcel", 2), ("", 1), ("unknown", 1)]
    assert points[0].label == "包裹卡"
    assert book.value("adds", filters=Filters(channel="parcel")) == 2
    assert book.value("adds", filters=Filters(channel="")) == 1


def test_a_user_counts_only_what_the_own_departments_staff_and_their_chats_did(
    book: Book, wanglei: Staff, zhaomin: Staff, bob: User, charlie: User, filled: Filled
) -> None:
    chats = {wanglei: book.chat("福利群", wanglei), zhaomin: book.chat("快闪群", zhaomin)}
    for staff, people in ((wanglei, 1), (zhaomin, 2)):
        for _ in range(people):
            person = book.person()
            book.follow(staff, person, at(1))
            book.stay(chats[staff], person, at(1), at(3), quit_scene=0)
            book.welcome(staff, person, at(1))
    filled()

    for name in ("adds", "new_customers", "customers", "follows", "joins", "joiners", "leaves", "welcomes_due"):
        assert (book.value(name), book.value(name, user=bob), book.value(name, user=charlie)) == (3, 1, 0), name
    assert book.split("joins", "staff", user=bob) == {"wanglei": 1}
    assert book.value("adds", user=bob, filters=Filters(staff="zhaomin")) == 0
    assert book.value("adds", filters=Filters(department=3)) == 2
    assert book.value("joins", filters=Filters(department=1)) == 3
    assert sum(value or 0 for value in book.split("customers", "day", 0, 2, user=bob).values()) == 1


def test_numbers_of_chats_follow_the_present_owner(book: Book, wanglei: Staff, zhaomin: Staff, filled: Filled) -> None:
    chat = book.chat("福利群", wanglei)
    book.stay(chat, book.person(), at(1))
    filled()
    chat.owner = zhaomin
    chat.save(update_fields=["owner"])

    assert book.split("joins", "staff") == {"zhaomin": 1}


def test_a_metric_refuses_dimensions_that_it_does_not_have(book: Book) -> None:
    with pytest.raises(Unanswerable):
        book.measure("adds", by="group_chat")
    with pytest.raises(Unanswerable):
        book.measure("adds", filters=Filters(group_chat="wr-福利群"))
    with pytest.raises(KeyError):
        book.measure("no_such_metric")


@pytest.mark.parametrize(
    ("rate", "table"), [("welcome_rate", "analytics_fact f"), ("delivery_rate", "campaigns_delivery d")]
)
def test_a_rate_of_some_rows_to_all_reads_them_once(alice: User, rate: str, table: str) -> None:
    with CaptureQueriesContext(connection) as asked:
        measure(rate, start=dt.date(2026, 11, 1), end=dt.date(2026, 11, 2), user=alice)
    assert sum(table in query["sql"] for query in asked) == 1
