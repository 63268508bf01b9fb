"""Durable work: claimed once per entity, settled while the lease holds, quarantined after three failures."""

import datetime as dt
import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from scrm.base import announcing
from scrm.base.announcing import Happening
from scrm.base.clock import now
from scrm.base.dbclock import db_now
from scrm.base.models import Announcement, Heartbeat, Work
from scrm.base.models.announcement import Source
from scrm.base.work import Again, Claim, LeaseLost, enqueue, lane, lanes, replay, run
from scrm.base.work.claim import claim, reclaim

LANE = "test:lane"


@pytest.fixture
def handler(committed: None) -> Iterator[Callable[[Callable[[Claim], None]], None]]:
    """Registers what the test lane does."""

    def use(function: Callable[[Claim], None]) -> None:
        lane(LANE, queue="mirror", lease=5, back_off=(0.0, 0.0))(function)

    yield use
    lanes.pop(LANE, None)


def state(source_id: int) -> str:
    return Work.objects.get(source_id=source_id, lane=LANE).state


def test_siblings_of_an_entity_are_one_job(handler: Callable[..., None]) -> None:
    seen: list[list[int]] = []
    handler(lambda job: seen.append(job.source_ids("test")))
    for source in (1, 2, 3):
        enqueue("test", source, LANE, "thing:a")
    enqueue("test", 4, LANE, "thing:b")

    assert run.run_due([LANE]) == 2
    assert seen == [[1, 2, 3], [4]]
    assert {state(number) for number in (1, 2, 3, 4)} == {"done"}


def test_an_entity_in_hand_is_nobody_elses(handler: Callable[..., None]) -> None:
    handler(lambda job: None)
    enqueue("test", 1, LANE, "thing:a")
    held = claim(lanes[LANE])
    enqueue("test", 2, LANE, "thing:a")

    assert held is not None and held.source_ids("test") == [1]
    assert claim(lanes[LANE]) is None

    held.done()
    later = claim(lanes[LANE])
    assert later is not None and later.source_ids("test") == [2]


def test_many_workers_share_out_the_entities_without_doubles(handler: Callable[..., None]) -> None:
    seen: list[str] = []
    handler(lambda job: seen.append(job.entity))
    for number in range(60):
        enqueue("test", number, LANE, f"thing:{number % 20}")

    def pump() -> None:
        run.run_due([LANE])
        connection.close()

    threads = [threading.Thread(target=pump) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(seen) == sorted({f"thing:{number}" for number in range(20)})


def test_three_failures_lead_into_quarantine_and_block_nobody(handler: Callable[..., None]) -> None:
    def poison(job: Claim) -> None:
        if 1 in job.source_ids("test"):
            raise ValueError("bad row")

    handler(poison)
    enqueue("test", 1, LANE, "thing:a")
    run.run_due([LANE])

    row = Work.objects.get(source_id=1)
    assert (row.state, row.attempts, row.error) == ("quarantined", 3, "ValueError: bad row")

    enqueue("test", 2, LANE, "thing:a")
    run.run_due([LANE])
    assert state(2) == "done"


def test_failures_count_in_a_row_only(handler: Callable[..., None]) -> None:
    """Work that is taken up for days, such as asking for results, may fail now and then."""
    turns = iter(["fails", "fails", "goes on", "fails", "fails", "waits"])

    def now_and_then(job: Claim) -> None:
        turn = next(turns)
        if turn == "fails":
            raise ValueError(turn)
        job.again(0 if turn == "goes on" else 3600, further=turn == "goes on")

    handler(now_and_then)
    enqueue("test", 1, LANE, "thing:a")
    run.run_due([LANE])

    row = Work.objects.get()
    assert (row.state, row.attempts) == ("waiting", 2)


def test_a_deadlock_is_tried_again_soon_and_is_no_failure(handler: Callable[..., None]) -> None:
    tries: list[str] = []

    def crossing(job: Claim) -> None:
        tries.append(job.entity)
        if len(tries) > 2:
            return
        with transaction.atomic():
            Heartbeat.objects.select_for_update().get(queue=job.key)
            both.wait(5)
            Heartbeat.objects.select_for_update().exclude(queue=job.key).get()

    both = threading.Barrier(2)
    handler(crossing)
    for name in ("a", "b"):
        Heartbeat.objects.create(queue=name, worker="w")
        enqueue("test", ord(name), LANE, f"thing:{name}")

    def pump() -> None:
        run.run_one(lanes[LANE])
        connection.close()

    threads = [threading.Thread(target=pump) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    victim = Work.objects.exclude(state="done").get()
    assert (victim.state, victim.attempts, victim.error) == ("waiting", 0, "somebody else writes the same rows")
    assert victim.not_before < db_now() + dt.timedelta(seconds=1)


def test_waiting_is_no_failure(handler: Callable[..., None]) -> None:
    def not_yet(job: Claim) -> None:
        raise Again(3600, "later")

    handler(not_yet)
    enqueue("test", 1, LANE, "thing:a")
    run.run_due([LANE])

    row = Work.objects.get()
    assert (row.state, row.attempts, row.error) == ("waiting", 0, "later")
    assert run.run_due([LANE]) == 0


def test_an_expired_lease_is_taken_over_and_its_first_holder_writes_nothing(handler: Callable[..., None]) -> None:
    handler(lambda job: None)
    enqueue("test", 1, LANE, "thing:a")
    first = claim(lanes[LANE])
    assert first is not None
    Work.objects.update(lease_until=Now())
    reclaim(lanes[LANE])
    second = claim(lanes[LANE])
    assert second is not None

    with pytest.raises(LeaseLost), first.writing():
        enqueue("test", 99, LANE, "thing:z")
    with pytest.raises(LeaseLost):
        first.done()
    second.done()

    assert state(1) == "done"
    assert not Work.objects.filter(source_id=99).exists()


def test_work_that_kills_its_worker_three_times_is_quarantined(handler: Callable[..., None]) -> None:
    handler(lambda job: None)
    enqueue("test", 1, LANE, "thing:a")
    for _ in range(3):
        assert claim(lanes[LANE]) is not None
        Work.objects.update(lease_until=Now())
        reclaim(lanes[LANE])

    assert state(1) == "quarantined"


def test_results_are_written_only_whole(handler: Callable[..., None]) -> None:
    def half(job: Claim) -> None:
        with job.writing():
            enqueue("test", 50, LANE, "thing:result")
            job.done()
            raise RuntimeError("in the middle")

    handler(half)
    enqueue("test", 1, LANE, "thing:a")
    held = claim(lanes[LANE])
    assert held is not None
    run.handle(held)

    assert not Work.objects.filter(source_id=50).exists()
    assert state(1) == "waiting"


def test_a_replay_opens_quarantined_rows(handler: Callable[..., None]) -> None:
    handler(lambda job: None)
    enqueue("test", 1, LANE, "thing:a")
    Work.objects.update(state="quarantined", error="x", attempts=3)

    assert replay("test", [1]) == 1
    run.run_due([LANE])

    assert state(1) == "done"


def test_a_row_is_written_once_per_source_and_lane(handler: Callable[..., None]) -> None:
    handler(lambda job: None)
    enqueue("test", 1, LANE, "thing:a")
    enqueue("test", 1, LANE, "thing:a")

    assert Work.objects.count() == 1


def test_sending_subscribers_take_live_sources_only(handler: Callable[..., None]) -> None:
    seen: list[str] = []
    handler(lambda job: seen.append(job.entity))
    announcing.subscribe("test.kind", lane=LANE)
    try:
        for source in Source:
            announcing.announce("test.kind", [Happening(f"contact:{source}", now(), {})], source=source)
    finally:
        announcing.unsubscribe("test.kind", lane=LANE)
    run.run_due([LANE])

    assert sorted(seen) == [f"contact:{source}" for source in ("api", "callback", "console", "page", "rule")]
    assert Announcement.objects.count() == 5
