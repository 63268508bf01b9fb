"""Generated histories: the same for everybody, true to stand-in.md's numbers, and equal to the stand-in's world."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from scrm.standin.scenarios import history
from scrm.standin.scenarios.corp import full_accounts
from scrm.standin.scenarios.draws import DAY, Fate
from scrm.standin.scenarios.profiles import BEAUTY, MOTHER_BABY
from scrm.standin.scenarios.rows import History
from scrm.standin.server import StandIn

UNTIL = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def beauty() -> History:
    return history("beauty", customers=6000, days=30, until=UNTIL)


def test_the_same_arguments_give_the_same_rows() -> None:
    first = history("beauty", customers=300, days=30, until=UNTIL, seed=7)

    assert first == history("beauty", customers=300, days=30, until=UNTIL, seed=7)
    assert first != history("beauty", customers=300, days=30, until=UNTIL, seed=8)


@pytest.mark.parametrize("customers", [0, 1, 10, 777])
@pytest.mark.parametrize("scenario", ["beauty", "mother_baby"])
def test_so_many_customers_as_asked_have_a_friend_at_the_end(scenario: str, customers: int) -> None:
    made = history(scenario, customers=customers, days=30, until=UNTIL)

    assert len({row.external_userid for row in made.follows if row.ended_at is None}) == customers


def test_the_empty_scenario_has_one_department_and_nobody() -> None:
    made = history("empty", customers=3000, days=30, until=UNTIL)

    assert [row.id for row in made.departments] == [1]
    assert (made.staff, made.customers, made.chats, made.channels) == ([], [], [], [])


def test_nothing_happens_outside_its_time(beauty: History) -> None:
    assert (beauty.until - beauty.since) == 30 * DAY
    for follow in beauty.follows:
        assert follow.added_at < beauty.until
        assert follow.ended_at is None or max(follow.added_at, beauty.since) <= follow.ended_at < beauty.until
    for stay in beauty.stays:
        assert stay.joined_at < beauty.until
        assert stay.left_at is None or max(stay.joined_at, beauty.since) <= stay.left_at < beauty.until
        assert (stay.left_at is None) == (stay.quit_scene is None)


def test_every_row_names_rows_that_exist(beauty: History) -> None:
    people = {row.external_userid for row in beauty.customers}
    staff = {row.userid for row in beauty.staff}
    tags = {row.tag_id for row in beauty.tags}
    chats = {row.chat_id for row in beauty.chats}

    assert len(people) == len(beauty.customers)
    assert {row.external_userid for row in beauty.follows} <= people
    assert {row.userid for row in beauty.follows} <= staff
    assert {tag for row in beauty.follows for tag in row.tag_ids} <= tags
    assert {row.chat_id for row in beauty.stays} == chats
    assert {row.member_id for row in beauty.stays} <= people | staff
    strangers = {row.external_userid for row in beauty.customers if row.stranger}
    assert strangers.isdisjoint(row.external_userid for row in beauty.follows)


def test_periods_and_stays_of_one_person_do_not_overlap(beauty: History) -> None:
    last: dict[tuple[str, str], int | None] = {}
    for follow in beauty.follows:
        pair = (follow.external_userid, follow.userid)
        if pair in last:
            end = last[pair]
            assert end is not None and end <= follow.added_at
        last[pair] = follow.ended_at
    last.clear()
    for stay in beauty.stays:
        pair = (stay.chat_id, stay.member_id)
        if pair in last:
            end = last[pair]
            assert end is not None and end <= stay.joined_at
        last[pair] = stay.left_at


def test_the_shares_are_those_of_the_document(beauty: History) -> None:
    welcomes = Counter(row.outcome for row in beauty.welcomes)
    total = sum(welcomes.values())
    codes = total - welcomes["no_code"]
    assert welcomes["no_code"] / total == pytest.approx(0.02, abs=0.01)
    assert welcomes["sent"] / codes == pytest.approx(0.993, abs=0.006)
    latencies = sorted(row.latency_ms for row in beauty.welcomes if row.outcome == "sent")
    assert latencies[len(latencies) // 2] == pytest.approx(900, rel=0.1)

    firsts = {row.member_id: row.joined_at for row in reversed(beauty.stays)}
    newcomers = {row.external_userid: row for row in sorted(beauty.welcomes, key=lambda row: -row.added_at)}
    older = {row.external_userid for row in beauty.follows if row.added_at < beauty.since}
    cohort = [
        row for row in newcomers.values()
        if row.added_at < beauty.until - 2 * DAY and row.external_userid not in older
    ]  # fmt: skip
    joined = [row for row in cohort if 0 <= firsts.get(row.external_userid, 0) - row.added_at <= 2 * DAY]
    assert len(joined) / len(cohort) == pytest.approx(0.58, abs=0.03)

    present = [row.member_id for row in beauty.stays if row.left_at is None and row.member_type == 2]
    strangers = {row.external_userid for row in beauty.customers if row.stranger}
    assert sum(member in strangers for member in present) / len(present) == pytest.approx(0.22, abs=0.03)

    adds = Counter(row.state for row in beauty.welcomes)
    assert adds["bt_menu"] / total == pytest.approx(0.34, abs=0.03)
    assert adds["bt_store"] / total == pytest.approx(0.09, abs=0.02)


def test_only_who_was_welcomed_joins_by_an_add(beauty: History) -> None:
    """Whose first welcome inside the window failed is in no chat; a second friendship changes nothing of that."""
    older = {row.external_userid for row in beauty.follows if row.added_at < beauty.since}
    firsts = {row.external_userid: row for row in sorted(beauty.welcomes, key=lambda row: -row.added_at)}
    unwelcomed = {person for person, row in firsts.items() if row.outcome != "sent"} - older

    assert unwelcomed.isdisjoint(row.member_id for row in beauty.stays)


def test_leaves_follow_the_hazards() -> None:
    assert BEAUTY.leaves.share(8) == pytest.approx(0.078, abs=0.002)
    assert BEAUTY.leaves.share(31) == pytest.approx(0.123, abs=0.003)
    assert BEAUTY.leaves.share(91) == pytest.approx(0.169, abs=0.006)
    assert MOTHER_BABY.leaves.share(31) == pytest.approx(0.039, abs=0.002)
    assert BEAUTY.deletes.share(31) == pytest.approx(0.060)


def test_a_fate_without_later_ends_is_very_late() -> None:
    from random import Random

    never = Fate(((0, 0), (1, 0.5)), 0.0)
    ends = [never.seconds(Random(seed)) for seed in range(200)]

    assert sum(end <= DAY for end in ends) == pytest.approx(100, abs=25)
    assert all(end > 1000 * DAY for end in ends if end > DAY)


def test_idle_mothers_are_woken_in_three_rounds() -> None:
    made = history("mother_baby", customers=6000, days=30, until=UNTIL)

    older = {row.external_userid for row in made.follows if row.added_at < made.since}
    woken = {row.member_id for row in made.stays if row.member_id in older}
    assert len(woken) / len(older) == pytest.approx(0.229, abs=0.03)


@pytest.mark.parametrize(("customers", "full"), [(3000, 0), (45_000, 3), (300_000, 15), (320_000, 15)])
def test_at_scale_accounts_are_full(customers: int, full: int) -> None:
    assert full_accounts(customers) == full


@pytest.mark.parametrize("days", [30, 90])
def test_no_account_overflows_and_those_that_receive_have_room(days: int) -> None:
    made = history("beauty", customers=45_000, days=days, until=UNTIL)

    friends = Counter(row.userid for row in made.follows if row.ended_by != "staff")
    assert max(friends.values()) <= 20_000
    receiving = [staff for staff in made.staff if staff.receiving]
    assert all(friends[staff.userid] < 19_900 for staff in receiving)
    assert len(receiving) >= 2


def test_the_stand_in_begins_where_the_history_ends(make_standin: Callable[..., StandIn]) -> None:
    made = history("beauty", customers=400, days=30, until=UNTIL)
    world = make_standin(scenario="beauty", customers=400, until=UNTIL).world

    for chat in made.chats:
        present = {row.member_id for row in made.stays if row.chat_id == chat.chat_id and row.left_at is None}
        assert set(world.chats.get(chat.chat_id).members) == present
        assert world.chats.get(chat.chat_id).version == chat.member_version
    latest = {(row.external_userid, row.userid): row for row in made.follows}
    listed = {(person, userid) for (person, userid), row in latest.items() if row.ended_by != "staff"}
    truth = {
        (customer.external_userid, follow.userid)
        for customer in world.contacts.customers.values()
        for follow in customer.follows
    }
    assert truth == listed
    assert {way.state for way in world.ways.ways.values()} == {row.state for row in made.channels}
    assert sum(staff.friends for staff in world.book.staff.values()) == len(listed)
