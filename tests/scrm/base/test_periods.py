"""Periods out of evidence: exact cases, and that neither order nor repetition matters."""

import datetime as dt
import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from scrm.base.periods import Mark, Period, fold

T0 = dt.datetime(2026, 11, 2, 8, tzinfo=dt.UTC)


def at(seconds: int) -> dt.datetime:
    return T0 + dt.timedelta(seconds=seconds)


def spans(periods: list[Period[Any]]) -> list[tuple[int, int | None]]:
    return [
        (int((p.start - T0).total_seconds()), int((p.end - T0).total_seconds()) if p.end else None) for p in periods
    ]


def folded(
    begins: list[int], ends: list[int], listed: list[int], *, restarts: bool = True
) -> list[tuple[int, int | None]]:
    return spans(
        fold(
            [Mark(at(second), "b") for second in begins],
            [Mark(at(second), "e") for second in ends],
            [at(second) for second in listed],
            listed_restarts=restarts,
        )
    )


def test_begin_end_begin() -> None:
    assert folded([0, 300], [100], []) == [(0, 100), (300, None)]


def test_a_begin_while_open_goes_on() -> None:
    assert folded([0, 300], [], []) == [(0, None)]


def test_an_end_without_a_begin_is_a_stay_of_no_length_but_no_friendship() -> None:
    assert folded([], [100], []) == [(100, 100)]
    assert folded([], [100], [], restarts=False) == []


def test_a_late_listed_start_is_the_same_stay() -> None:
    assert folded([0], [], [90]) == [(90, None)]
    assert folded([0], [], [90_000]) == [(90_000, None)]


def test_a_rejoin_whose_leave_was_lost_is_another_stay() -> None:
    assert folded([0, 500], [], [0, 500]) == [(0, 500), (500, None)]
    assert folded([500], [], [0, 500]) == [(0, 500), (500, None)]


def test_the_list_dates_the_start_that_an_event_told() -> None:
    assert folded([10], [], [8]) == [(8, None)]


def test_a_listed_start_of_its_own_is_another_stay() -> None:
    assert folded([0], [], [0, 500]) == [(0, 500), (500, None)]


def test_presence_never_reopens_a_friendship() -> None:
    assert folded([0], [100], [0], restarts=False) == [(0, 100)]
    assert folded([0], [100], [500], restarts=False) == [(0, 100)]


def test_a_listed_start_opens_the_first_friendship() -> None:
    assert folded([], [100], [0], restarts=False) == [(0, 100)]


def test_within_one_second_the_old_ends_before_the_new_begins() -> None:
    assert folded([0, 100], [100], []) == [(0, 100), (100, None)]
    assert folded([0, 100], [100, 100], []) == [(0, 100), (100, None)]


def test_within_one_second_what_begins_may_end() -> None:
    assert folded([100], [100], []) == [(100, 100)]


def test_a_concluded_end_does_not_end_what_begins_in_its_second() -> None:
    result = fold(
        [Mark(at(0), "b"), Mark(at(200), "b")],
        [Mark(at(100), "e"), Mark(at(200), "w", weak=True)],
        [],
        listed_restarts=True,
    )

    assert spans(result) == [(0, 100), (200, None)]


seconds = st.lists(st.integers(0, 1000), max_size=6)


@settings(max_examples=300, deadline=None)
@given(seconds, seconds, seconds, st.booleans(), st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_matters(
    begins: list[int], ends: list[int], listed: list[int], restarts: bool, random: Any
) -> None:
    expected = folded(begins, ends, listed, restarts=restarts)
    mixed = [items * 2 for items in (begins, ends, listed)]
    for items in mixed:
        random.shuffle(items)

    assert folded(*mixed, restarts=restarts) == expected


@settings(max_examples=300, deadline=None)
@given(seconds, seconds, seconds, st.booleans())
def test_periods_never_overlap_and_only_the_last_is_open(
    begins: list[int], ends: list[int], listed: list[int], restarts: bool
) -> None:
    result = folded(begins, ends, listed, restarts=restarts)

    assert all(end is not None for _, end in result[:-1])
    for (_, end), (start, _) in itertools.pairwise(result):
        assert end is not None and end <= start
