"""Behind every number stand exactly as many rows as it says."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.metrics import METRICS, By, Part
from analytics.query import measure
from analytics.rows import Row, Rows, rows
from analytics.scope import Asker, Filters
from contacts.models import Customer, Staff
from groups.models import GroupChat
from scrm.base.models import User
from tests.analytics.conftest import Book, at, day

CASES = [(name, by) for name, metric in METRICS.items() for by in (None, *sorted(metric.by))]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def forty_days_later() -> Iterator[None]:
    with time_machine.travel(at(40), tick=False):
        yield


@pytest.fixture
def busy(book: Book, wanglei: Staff, zhaomin: Staff, filled: Callable[[], None]) -> Book:
    """Sixty people over five weeks who do a bit of everything, some of them twice."""
    chats = [book.chat("福利群", wanglei), book.chat("快闪群", zhaomin), book.chat("无主群")]
    for number in range(60):
        person, begin = book.person(), number % 35
        staff, chat = (wanglei, zhaomin)[number % 2], chats[number % 3]
        state = ("", "parcel", "menu")[number % 3]
        end = at(begin + number % 6, 14) if number % 4 == 0 else None
        book.follow(staff, person, at(begin), end, state=state, ended_known_by="sync" if end and number % 8 else "")
        book.welcome(staff, person, at(begin), ("sent", "sent", "refused", "expired")[number % 4], state=state)
        left = at(begin + number % 9, 15) if number % 5 == 0 else None
        book.stay(chat, person, at(begin + number % 3, 13), left, state=state, quit_scene=number % 2 if left else None)
        if left:
            book.stay(chats[(number + 1) % 3], person, at(begin + 10))
        if end:
            book.follow(staff, person, at(begin + 7), state=state)
    _broadcasts(book, (wanglei, zhaomin), chats)
    filled()
    return book


def _broadcasts(book: Book, staff: tuple[Staff, Staff], chats: list[GroupChat]) -> None:
    """One every other day: a task for each staff member with a delivery in each state, to people and to chats."""
    ends = ("sent", "not_friend", "over_quota", "refused", "unconfirmed", "cancelled", "excluded")
    for number in range(0, 36, 2):
        broadcast = book.broadcast(at(number, 20))
        for member in staff:
            confirmed = book.task(broadcast, member, "confirmed", confirmed_at=at(number, (21, 27)[number % 4 == 0]))
            for end in ends:
                person = Customer.objects.create(external_userid=f"wm-{confirmed.pk}-{end}", first_state="parcel")
                book.delivery(confirmed, person, end, at(number, 27) if end == "sent" else None)
            book.delivery(confirmed, chats[number % 3], "sent", at(number, 21), reach=7) if member is staff[0] else None
            book.delivery(book.task(broadcast, member, "unknown"), book.person())
            book.delivery(book.task(broadcast, member), book.person())


@pytest.mark.parametrize(("metric", "by"), CASES)
def test_rows_equal_the_number(busy: Book, bob: User, metric: str, by: By | None) -> None:
    checked = 0
    for user in (busy.user, bob):
        for point in busy.measure(metric, 2, 37, by=by, user=user):
            where = {"start": day(2), "end": day(37), "by": by, "key": point.key, "user": user}
            for part, number in _parts(metric, point.value, point.numerator, point.denominator):
                found = rows(metric, part=part, **where)  # type: ignore[arg-type]
                listed = found[0:1000]
                assert found.count() == len(listed)
                counted = round(sum(row.value for row in listed)) if _summed(metric, part) else len(listed)
                assert counted == (number or 0), (metric, point, part)
                checked += number or 0
    assert checked > 0


def _summed(metric: str, part: Part) -> bool:
    return any(count.summed for count in METRICS[metric].part(part))


def _parts(
    name: str, value: float | None, numerator: int | None, denominator: int | None
) -> list[tuple[Part, int | None]]:
    kind = METRICS[name].kind
    if kind == "P":
        return [("value", denominator)]
    if kind == "R":
        return [("numerator", numerator), ("denominator", denominator)]
    return [("value", int(value) if value is not None else None)]


def test_rows_name_people_chats_and_channels(busy: Book) -> None:
    first = rows("joins", start=day(0), end=day(1), user=busy.user)[0:1][0]

    assert (first.external_userid, first.name, first.chat_name, first.staff_name) == (
        "wm0001",
        "客户1",
        "福利群",
        "王磊",
    )
    assert first.at == at(0, 13)


def test_rows_come_latest_first_and_in_pages(busy: Book) -> None:
    found = rows("adds", start=day(0), end=day(40), user=busy.user)

    everything = found.page(0, 1000)
    assert [row.at for row in everything] == sorted((row.at for row in everything), reverse=True)
    assert found.page(0, 30) + found.page(30, 1000) == everything


def test_pages_from_either_end_are_those_of_the_whole_list(busy: Book) -> None:
    for metric in ("adds", "customers", "add_to_join_rate", "retention_d7", "deliveries_planned", "members"):
        _assert_pages_make_the_whole(rows(metric, start=day(0), end=day(40), user=busy.user))


def test_pages_of_two_sets_are_those_of_the_whole_list(busy: Book) -> None:
    """Present at the start, and joins: both are told by the same stays, so their ids are the same."""
    found = rows("leave_rate", part="denominator", start=day(5), end=day(40), user=busy.user)

    listed = _assert_pages_make_the_whole(found)
    assert {row.source for row in listed} == {"stay", "joins"}
    assert {row.source_id for row in listed if row.source == "stay"} & {
        row.source_id for row in rows("joins", start=day(0), end=day(40), user=busy.user)[0:1000]
    }


def _assert_pages_make_the_whole(found: Rows) -> list[Row]:
    everything = found.page(0, 1000)
    assert len(everything) == found.count() > 14
    assert [row for start in range(0, len(everything), 7) for row in found.page(start, 7)] == everything
    assert found.page(len(everything), 7) == found.page(len(everything) + 7, 7) == []
    return everything


def test_parts_are_named_once_for_an_asker(busy: Book) -> None:
    span: Any = {"start": day(0), "end": day(40), "by": "group_chat"}
    asker = Asker(busy.user)
    first = measure("joins", user=asker, **span)

    with CaptureQueriesContext(connection) as asked:
        joiners = measure("joiners", user=asker, **span)
    assert [query["sql"] for query in asked if "analytics_fact" not in query["sql"]] == []
    assert {point.key: point.label for point in joiners} == {point.key: point.label for point in first}
    assert sorted(point.label for point in first) == ["快闪群", "无主群", "福利群"]


def test_what_one_asker_asks_again_is_not_counted_again(busy: Book) -> None:
    span: Any = {"start": day(0), "end": day(40)}
    asker = Asker(busy.user)
    by_day = measure("adds", by="day", user=asker, **span)
    apart = [measure(name, user=busy.user, **span) for name in ("adds", "customers")]
    persons = measure("customers", user=asker, **span)

    with CaptureQueriesContext(connection) as asked:
        again = [measure("adds", user=asker, **span), measure("customers", user=asker, **span)]
    assert len(asked) == 0
    assert again == apart == [again[0], persons]
    assert again[0][0].value == sum(point.value or 0 for point in by_day) > 0
    assert measure("adds", user=asker, start=day(0), end=day(10))[0].value == busy.value("adds", 0, 10)


def test_parts_of_a_sum_add_up_to_the_whole(busy: Book) -> None:
    for name, metric in METRICS.items():
        if metric.kind == "S" and name != "follows":
            for by in sorted(metric.by):
                assert sum(value or 0 for value in busy.split(name, by, 0, 41).values()) == busy.value(name, 0, 41)


def test_a_filter_equals_the_part(busy: Book) -> None:
    parts = busy.split("joiners", "group_chat")
    assert parts == {key: busy.value("joiners", filters=Filters(group_chat=key)) for key in parts}
    assert len(parts) == 3


def test_days_before_the_connection_have_no_rows(busy: Book) -> None:
    busy.connected(at(20))

    assert rows("adds", start=day(0), end=day(19), user=busy.user).count() == 0
    assert rows("adds", start=day(0), end=day(40), by="day", key="2026-03-05", user=busy.user)[0:5] == []
