"""What is done once a night: by one of two beats, late rather than not at all, and not in the middle of the day."""

import datetime as dt
import threading
from collections.abc import Callable

import pytest
import time_machine
from django.db import connection

from contacts.models import SyncRun
from scrm.base import nightly
from scrm.base.models import Slot
from scrm.site.tasks import start_nightly_sync

AT = dt.time(3, 10)


def at(clock: str) -> time_machine.travel:
    """A moment of 12 March, company time (UTC+8)."""
    return time_machine.travel(dt.datetime.fromisoformat(f"2026-03-12T{clock}:00+08:00"), tick=False)


@pytest.fixture
def earlier(db: None) -> None:
    Slot.objects.create(name="thing", day=dt.date(2026, 3, 11))


def taken(*moments: str) -> list[str]:
    """The moments at which it would be done."""
    done = []
    for moment in moments:
        with at(moment):
            if nightly.takes("thing", AT):
                done.append(moment)
    return done


def test_it_is_done_at_its_time_and_once(earlier: None) -> None:
    assert taken("03:09", "03:10", "03:10", "03:11", "12:00", "23:59") == ["03:10"]


def test_a_beat_that_was_dead_for_ten_minutes_makes_up_for_it_once(earlier: None) -> None:
    assert taken("03:05", "03:20", "03:21") == ["03:20"]


def test_what_was_missed_all_night_is_left_to_the_next(earlier: None) -> None:
    assert taken("07:10", "07:11", "12:00") == []


def test_a_new_installation_does_not_begin_with_what_it_never_missed(db: None) -> None:
    assert taken("05:00", "05:01") == []
    with at("03:10") as traveller:
        traveller.shift(dt.timedelta(days=1))
        assert nightly.takes("thing", AT)


def test_two_beats_start_one_sync(committed: None) -> None:
    with at("03:10"):
        together(start_nightly_sync, 4)
        SyncRun.objects.update(state=SyncRun.State.DONE)  # a small corp is read within seconds
        start_nightly_sync()

    assert SyncRun.objects.count() == 1


def test_without_the_unique_row_the_late_message_of_a_second_beat_starts_another(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "takes", lambda name, moment: True)
    for _ in range(2):
        start_nightly_sync()
        SyncRun.objects.update(state=SyncRun.State.DONE)

    assert SyncRun.objects.count() == 2


def together(do: Callable[[], None], times: int) -> None:
    gate = threading.Barrier(times)

    def one() -> None:
        gate.wait()
        do()
        connection.close()

    threads = [threading.Thread(target=one) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
