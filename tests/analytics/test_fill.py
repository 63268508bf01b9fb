"""The fill engine: what changed is found, once, whatever the order; facts are always what the ledgers say."""

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics import fill
from analytics.checks import facts_have_partitions
from analytics.models import PARTITIONS, Fact, FillState
from analytics.query import measure
from analytics.stats import STATS
from contacts.models import Customer, Follow, Staff
from groups.models import GroupChat, Stay
from scrm.base.models import User
from tests.analytics.conftest import Book, at, day, facts

pytestmark = pytest.mark.usefixtures("committed")


def taken_over() -> None:
    """Fills until nothing is dirty: rows of the last second are looked at again."""
    fill.fill_dirty()
    _age()
    fill.fill_dirty()
    assert fill.is_clean()


def _age() -> None:
    """Lets ten seconds pass for the ledgers: what was written is old now."""
    with connection.cursor() as cursor:
        for table in ("contacts_follow", "groups_stay", "campaigns_welcome"):
            cursor.execute(f"UPDATE {table} SET changed_at = changed_at - interval '10 seconds'")


def refilled() -> set[tuple[Any, ...]]:
    """All facts after a complete refill."""
    FillState.objects.all().delete()
    fill.fill_dirty()
    return facts()


def test_a_corrected_time_dirties_the_old_and_the_new_day(book: Book, wanglei: Staff) -> None:
    row = book.follow(wanglei, book.person(), at(0), at(3))
    taken_over()

    Follow.objects.filter(pk=row.pk).update(added_at=at(1), ended_at=at(5), changed_at=Now())
    assert not fill.is_clean()
    fill.fill_dirty()

    assert book.split("adds", "day", 0, 3) == {"2026-03-02": 0, "2026-03-03": 1, "2026-03-04": 0}
    assert book.split("losses", "day", 3, 6) == {"2026-03-05": 0, "2026-03-06": 0, "2026-03-07": 1}


def test_an_earlier_period_that_comes_late_takes_the_new_customer_from_the_later_one(
    book: Book, wanglei: Staff, zhaomin: Staff
) -> None:
    person = book.person()
    book.follow(wanglei, person, at(5))
    taken_over()

    book.follow(zhaomin, person, at(2))
    fill.fill_dirty()

    assert book.split("new_customers", "staff") == {"zhaomin": 1}
    assert book.value("new_customers", 5, 6) == 0


def test_a_period_that_goes_is_found_by_the_persons_other_rows(book: Book, wanglei: Staff, zhaomin: Staff) -> None:
    person = book.person()
    wrong, right = book.follow(wanglei, person, at(1)), book.follow(zhaomin, person, at(2))
    taken_over()

    wrong.delete()
    Follow.objects.filter(pk=right.pk).update(changed_at=Now())
    fill.fill_dirty()

    assert book.split("adds", "day", 1, 3) == {"2026-03-03": 0, "2026-03-04": 1}
    assert book.value("new_customers", 2, 3) == 1


def test_a_change_that_commits_late_is_not_missed(book: Book, wanglei: Staff) -> None:
    other = psycopg2.connect(_dsn())
    person = book.person()
    taken_over()
    with other.cursor() as cursor:  # began long before the next fill, commits after it
        cursor.execute(
            "INSERT INTO contacts_follow (staff_id, customer_id, added_at, added_known_by, by_transfer, half, ended_by,"
            " ended_known_by, state, oper_userid, remark, description, tag_ids)"
            " VALUES (%s, %s, %s, 'event', false, false, '', '', '', '', '', '', '{}')",
            [wanglei.pk, person.pk, at(1)],
        )
        book.follow(wanglei, book.person(), at(1))
        fill.fill_dirty()
        assert book.value("adds") == 1
        other.commit()
        cursor.execute("UPDATE contacts_follow SET changed_at = changed_at - interval '1 second'")
        other.commit()
    other.close()

    fill.fill_dirty()
    assert book.value("adds") == 2


def _dsn() -> str:
    found = connection.settings_dict
    return f"host={found['HOST']} port={found['PORT']} dbname={found['NAME']} user={found['USER']} password={found['PASSWORD']}"


def test_nothing_is_written_when_nothing_changed(book: Book, wanglei: Staff) -> None:
    book.follow(wanglei, book.person(), at(1))
    taken_over()
    before = {fact.pk for fact in Fact.objects.all()}
    change = fill.last_change()

    assert fill.fill_dirty() == 0

    assert {fact.pk for fact in Fact.objects.all()} == before
    assert fill.last_change() == change


def test_a_second_fill_at_the_same_time_does_nothing(book: Book, wanglei: Staff) -> None:
    book.follow(wanglei, book.person(), at(1))
    other = psycopg2.connect(_dsn())
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [fill._LOCK])
        assert fill.fill_dirty() == 0
        with pytest.raises(fill.FillBusy):
            fill.fill(day(0), day(7), wait=0.3)
    other.close()

    assert Fact.objects.count() == 0
    assert fill.fill_dirty() > 0


def test_another_definition_refills_everything(book: Book, wanglei: Staff) -> None:
    book.follow(wanglei, book.person(), at(1))
    taken_over()

    Staff.objects.filter(pk=wanglei.pk).update(is_persona=True)
    assert not fill.is_clean()
    fill.fill_dirty()

    assert book.value("adds") == 0
    assert fill.is_clean()


def test_a_chosen_stat_is_rebuilt_for_chosen_days(book: Book, wanglei: Staff) -> None:
    for number in range(3):
        book.follow(wanglei, book.person(), at(number))
    taken_over()
    Fact.objects.all().delete()

    assert fill.fill(day(1), day(3), ["adds"]) == 2

    assert {(stat, moment.isoformat()) for stat, moment in Fact.objects.values_list("stat", "day")} == {
        ("adds", "2026-03-03"),
        ("adds", "2026-03-04"),
    }
    with pytest.raises(KeyError):
        fill.fill(day(0), day(1), ["no_such_stat"])


def test_a_welcome_gets_its_staff_member_when_the_mirror_has_read_him(book: Book, departments: list[Any]) -> None:
    person, late = book.person(), Staff(userid="late", name="晚到", department_ids=[2])
    book.welcome(late, person, at(1))
    taken_over()
    assert book.split("welcomes_sent", "staff") == {"": 1}

    late.save()
    fill.fill_dirty()

    assert book.split("welcomes_sent", "staff") == {"late": 1}


def test_an_empty_installation_is_clean_and_says_when_it_was_filled(alice: User) -> None:
    assert fill.is_clean()
    assert fill.updated_at() is None

    fill.fill_dirty()

    assert fill.is_clean()
    assert fill.updated_at() is not None


def test_facts_lie_in_the_partition_of_their_month(book: Book, wanglei: Staff) -> None:
    book.follow(wanglei, book.person(), at(0))
    book.follow(wanglei, book.person(), at(-40))
    fill.fill_dirty()

    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tableoid::regclass::text FROM analytics_fact ORDER BY 1")
        assert [name for (name,) in cursor.fetchall()] == ["analytics_fact_202601", "analytics_fact_202603"]
    assert PARTITIONS.stray_rows() == 0
    assert facts_have_partitions(["default"]) == []


def test_a_date_beyond_all_partitions_is_kept_and_reported(book: Book, wanglei: Staff) -> None:
    book.follow(wanglei, book.person(), dt.datetime(2001, 1, 1, tzinfo=dt.UTC))
    fill.fill_dirty()

    assert PARTITIONS.stray_rows() == 2
    assert [message.id for message in facts_have_partitions(["default"])] == ["analytics.W001"]


def test_rows_of_the_default_partition_move_into_their_month(book: Book, wanglei: Staff) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO analytics_fact_default (id, stat, day, at) VALUES (1, 'adds', '2012-05-03', now())")
    try:
        PARTITIONS.ensure([dt.date(2012, 5, 9)], today=day(0))
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM analytics_fact_201205")
            assert cursor.fetchone()[0] == 1
        assert PARTITIONS.stray_rows() == 0
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS analytics_fact_201205")


# --- any history, any order ---------------------------------------------------------------------------------------------
PERIOD = st.tuples(
    st.integers(0, 3),  # person
    st.integers(0, 1),  # staff member or chat
    st.integers(0, 200),  # hour of the beginning
    st.one_of(st.none(), st.integers(0, 100)),  # hours until the end
    st.booleans(),  # hand-over, or not counted
)
CHANGES = st.lists(st.lists(st.tuples(st.booleans(), PERIOD), min_size=1, max_size=6), min_size=1, max_size=4)
QUICK = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def _write(
    rounds: list[list[tuple[bool, tuple[int, int, int, int | None, bool]]]], after_each: Callable[[], object]
) -> None:
    """Writes periods in rounds; the same period again is corrected, as the mirror does with better evidence."""
    people = [Customer.objects.create(external_userid=f"wm{number}") for number in range(4)]
    staff = list(Staff.objects.order_by("pk")[:2])
    chats = [GroupChat.objects.create(chat_id=f"wr{number}", owner=staff[number]) for number in range(2)]
    for changes in rounds:
        with transaction.atomic():
            for is_follow, (person, other, begin, length, odd) in changes:
                start = at(0, begin)
                end = None if length is None else start + dt.timedelta(hours=length)
                if is_follow:
                    _put_follow(staff[other], people[person], start, end, odd)
                else:
                    _put_stay(chats[other], people[person], start, end, odd)
        after_each()


def _put_follow(staff: Staff, person: Customer, start: dt.datetime, end: dt.datetime | None, odd: bool) -> None:
    values = {"ended_at": end, "ended_by": "customer" if end else "", "by_transfer": odd, "changed_at": Now()}
    found = Follow.objects.filter(staff=staff, customer=person)
    if found.filter(added_at=start).update(**values):
        return
    if not end and found.filter(ended_at=None).update(added_at=start, changed_at=Now()):
        return
    Follow.objects.create(staff=staff, customer=person, added_at=start, **values)


def _put_stay(chat: GroupChat, person: Customer, start: dt.datetime, end: dt.datetime | None, odd: bool) -> None:
    values = {
        "left_at": end, "left_known_by": "event" if end else "", "quit_scene": 1 if end and odd else None,
        "counted": not odd, "changed_at": Now(),
    }  # fmt: skip
    found = Stay.objects.filter(chat=chat, customer=person)
    if found.filter(joined_at=start).update(**values):
        return
    if not end and found.filter(left_at=None).update(joined_at=start, changed_at=Now()):
        return
    Stay.objects.create(
        chat=chat, customer=person, member_id=person.external_userid, joined_at=start, joined_known_by="event", **values
    )


@given(rounds=CHANGES)
@QUICK
def test_filling_after_every_change_equals_filling_once(rounds: Any, wanglei: Staff, zhaomin: Staff) -> None:
    _empty_ledgers()
    fill.fill_dirty()

    _write(rounds, fill.fill_dirty)
    step_by_step = facts()

    assert step_by_step == refilled()


@given(rounds=CHANGES)
@QUICK
def test_days_add_up_to_the_interval_and_never_show_more_than_there_is(
    rounds: Any, wanglei: Staff, zhaomin: Staff, alice: User
) -> None:
    _empty_ledgers()
    _write(rounds, lambda: None)
    refilled()
    asked: dict[str, Any] = {"start": day(-1), "end": day(20), "user": alice}

    for name in ("adds", "losses", "joins", "leaves", "removals", "readds", "new_customers"):
        [total] = measure(name, **asked)
        assert total.value == sum(point.value or 0 for point in measure(name, by="day", **asked)), name
    [joiners] = measure("joiners", **asked)
    assert joiners.value == len(set(Stay.objects.filter(counted=True).values_list("customer_id", flat=True)))


@given(rounds=CHANGES, order=st.randoms())
@QUICK
def test_the_order_of_writing_does_not_matter(rounds: Any, order: Any, wanglei: Staff, zhaomin: Staff) -> None:
    """Rows written in another order, one transaction each, give the same numbers."""
    _empty_ledgers()
    _write(rounds, lambda: None)
    refilled()
    rows = list(Follow.objects.all())
    expected = {fact[:-1] for fact in facts() if fact[0] in ("adds", "readds", "losses")}

    Follow.objects.all().delete()
    order.shuffle(rows)
    for row in rows:
        row.pk = None
        row.save(force_insert=True)
        fill.fill_dirty()

    assert {fact[:-1] for fact in refilled() if fact[0] in ("adds", "readds", "losses")} == expected


def _empty_ledgers() -> None:
    with connection.cursor() as cursor:
        for table in ("analytics_fact", "analytics_fillstate", "contacts_follow", "groups_stay", "groups_groupchat"):
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute("DELETE FROM contacts_customer")


def test_threads_that_write_while_days_are_filled_lose_nothing(book: Book, wanglei: Staff) -> None:
    people = [book.person() for _ in range(60)]

    def write(part: int) -> None:
        for person in people[part::3]:
            with transaction.atomic():
                Follow.objects.create(staff=wanglei, customer=person, added_at=at(person.pk % 5))
        connection.close()

    threads = [threading.Thread(target=write, args=(part,)) for part in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        fill.fill_dirty()
    taken_over()

    assert book.value("adds") == 60
    assert facts() == refilled()


def test_every_stat_states_intent_indexes_and_evidence() -> None:
    for stat in STATS.values():
        for word in ("-- Intent:", "-- Indexes:", "-- Evidence:"):
            assert word in stat.select, (stat.name, word)
