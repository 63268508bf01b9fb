"""Pumps find work by themselves: no ring, no Redis, no beat is needed."""

import threading
import time
from collections.abc import Iterator

import pytest
from django.db.models.functions import Now

from scrm.base.dbclock import db_now
from scrm.base.models import Heartbeat, Work
from scrm.base.work import Again, Claim, lane, lanes, pump
from tests.processes import eventually

LANE = "test:pump"


@pytest.fixture
def seen(committed: None) -> Iterator[list[str]]:
    """What the lane's handler was given, while its pumps run."""
    entities: list[str] = []

    @lane(LANE, queue="export", lease=5, threads=3, poll=0.1)
    def handle(job: Claim) -> None:
        entities.append(job.entity)
        if job.entity == "thing:later" and len(entities) == 1:
            raise Again(0.5)

    pump.start(["export"], "tests")
    yield entities
    pump.stop()
    lanes.pop(LANE)


def write(*names: str) -> None:
    """Rows that nobody rings for, as after a lost message."""
    Work.objects.bulk_create(
        [
            Work(source_kind="test", source_id=number, lane=LANE, entity=f"thing:{name}")
            for number, name in enumerate(names, Work.objects.count())
        ]
    )


def wait(count: int) -> float:
    begun = time.monotonic()
    while Work.objects.filter(lane=LANE, state="done").count() < count:
        assert time.monotonic() - begun < 10
        time.sleep(0.02)
    return time.monotonic() - begun


def test_rows_are_found_without_a_ring(seen: list[str]) -> None:
    write("a", "b", "c", "d")

    wait(4)
    assert sorted(seen) == ["thing:a", "thing:b", "thing:c", "thing:d"]


def test_a_row_put_off_is_taken_up_when_it_is_due(seen: list[str]) -> None:
    write("later")

    assert wait(1) >= 0.4
    assert seen == ["thing:later", "thing:later"]


def test_a_dead_holders_row_is_taken_over(seen: list[str]) -> None:
    Work.objects.create(
        source_kind="test", source_id=1, lane=LANE, entity="thing:x", state="leased", holder="dead", lease_until=Now()
    )

    wait(1)
    assert Work.objects.get(lane=LANE).attempts == 1


def test_workers_are_seen(seen: list[str]) -> None:
    eventually(lambda: Heartbeat.objects.filter(queue="export").exists(), 5)

    assert Heartbeat.objects.get(queue="export").worker.startswith("tests@")


@pytest.fixture
def slow(committed: None) -> Iterator[tuple[list[int], threading.Event]]:
    """A first job that lasts until the event; the attempts that its row had at each beginning."""
    begun: list[int] = []
    ends = threading.Event()

    @lane(LANE, queue="export", lease=2, threads=2, poll=0.1)
    def handle(job: Claim) -> None:
        begun.append(job.works[0].attempts)
        if len(begun) == 1:
            ends.wait(20)

    pump.start(["export"], "tests")
    yield begun, ends
    ends.set()
    pump.stop()
    lanes.pop(LANE)


def test_a_slow_job_keeps_its_short_lease(slow: tuple[list[int], threading.Event]) -> None:
    begun, ends = slow
    write("slow")
    eventually(lambda: Work.objects.filter(state="leased").exists(), 10)
    over = Work.objects.get().lease_until or db_now()

    eventually(lambda: db_now() > over and len(begun) == 1, 10)
    ends.set()

    wait(1)
    assert begun == [0]


def test_a_job_that_hangs_is_given_to_another(
    slow: tuple[list[int], threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ends = slow
    monkeypatch.setattr("scrm.base.work.claim.LONGEST", 0.2)
    write("slow")

    wait(1)
    assert not ends.is_set(), "the first still hangs"
    assert begun == [0, 1]


def test_who_starts_again_has_a_crew_of_his_own(committed: None) -> None:
    """What the crew before has in hand lasts longer than the end waits for; it takes up nothing new."""
    taken: list[tuple[str, str]] = []
    held = threading.Event()

    def starts(crew: str, threads: int) -> None:
        @lane(LANE, queue="export", lease=5, threads=threads, poll=0.1)
        def handle(job: Claim) -> None:
            taken.append((crew, job.key))
            if crew == "old":
                held.wait(10)

        pump.start(["export"], "tests")

    try:
        starts("old", threads=1)
        write("slow")
        eventually(lambda: bool(taken), 5)
        pump.stop(0.1)
        starts("new", threads=3)
        write("a", "b", "c")
        wait(3)
        held.set()
        wait(4)
        write("d", "e", "f")
        wait(7)
    finally:
        begun = time.monotonic()
        pump.stop()
        lanes.pop(LANE)

    assert taken[0] == ("old", "slow")
    assert sorted(taken[1:]) == [("new", name) for name in "abcdef"]
    assert time.monotonic() - begun < 5, "three idle pumps end at once"
