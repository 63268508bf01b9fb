"""Broadcasts under faults: whatever breaks where, each recipient is in exactly one accepted call, by the ledger."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from campaigns.models import Broadcast, Delivery, Dispatch
from campaigns.sending import booking, compose, deliver, pace
from scrm.base import clock
from scrm.base.models import User, Work
from scrm.base.work import replay_failed, run
from scrm.wecom import errors
from tests.campaigns.tasks import Tasks
from tests.faults import places
from tests.faults.dying import dies
from tests.faults.wire import WIRE

pytestmark = pytest.mark.timeout(240)

EVERYBODY = Counter(["wmW0", "wmW1", "wmW2", "wmZ0", "wmZ1", "wmZ2"])
CREATE = "externalcontact/add_msg_template"
LIST = "externalcontact/get_groupmsg_list_v2"
RESULTS = "externalcontact/get_groupmsg_send_result"

# Of the wire's faults those that a creating call must tell apart: was it carried out or not?
FAULTS = [fault for fault in WIRE if fault not in {"too many at once", "slow"}]


@pytest.fixture
def tasks(corp: Any, settings: Any, departments: list[Any]) -> Iterator[Tasks]:
    settings.SENDING, settings.QUIET_HOURS = "on", "none"
    settings.SEND_LOOKUP_DELAYS, settings.SEND_CREATE_SECONDS = (0.0, 0.0), 0.5
    settings.SEND_FAILURES_BEFORE_PAUSE = 100
    yield Tasks(corp)


@pytest.fixture
def approved(tasks: Tasks, alice: User) -> Broadcast:
    """A broadcast to all six, approved and due."""
    broadcast = compose.draft(alice, name="上新", audience_={"filter": {}}, text="新品上架")
    broadcast.save()
    return pace.approve(broadcast, alice)


def reached(tasks: Tasks) -> Counter[str]:
    """How often each recipient stands in an accepted call."""
    return Counter(recipient for row in tasks.created() for recipient in row["recipients"])


def settle(tasks: Tasks) -> None:
    """Everything that is left gets done, then all confirm."""
    tasks.no_faults()
    tasks.work()
    tasks.confirm()


def all_is_well(tasks: Tasks, approved: Broadcast) -> None:
    assert reached(tasks) == EVERYBODY
    assert Counter(Delivery.objects.values_list("state", flat=True)) == {"sent": 6}
    assert {row.msgid for row in Dispatch.objects.all()} == {row["msgid"] for row in tasks.created()}
    approved.refresh_from_db()
    assert approved.state == "done"


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", [1, 2])
def test_a_call_that_goes_wrong_reaches_everybody_once(
    tasks: Tasks, approved: Broadcast, fault: str, call: int
) -> None:
    action, value = WIRE[fault]
    tasks.corp.standin.faults.add({"api": CREATE, "call": call, "action": action, "value": value})

    tasks.work()
    settle(tasks)

    all_is_well(tasks, approved)


@pytest.mark.crash
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("place", places.SEND)
def test_a_killed_worker_and_a_call_that_goes_wrong_reach_everybody_once(
    tasks: Tasks, approved: Broadcast, place: str, fault: str
) -> None:
    action, value = WIRE[fault]
    tasks.corp.standin.faults.add({"api": CREATE, "call": 1, "action": action, "value": value})

    dies(place, "send")
    assert not reached(tasks) - EVERYBODY
    settle(tasks)

    all_is_well(tasks, approved)


def test_while_the_list_cannot_be_read_nothing_is_created_again(tasks: Tasks, approved: Broadcast) -> None:
    tasks.fault(CREATE, "reset_after", times=2)
    tasks.fault(LIST, "status", value=503, times=0)

    tasks.work()
    assert set(Dispatch.objects.values_list("state", flat=True)) == {"unknown"}
    assert reached(tasks) == EVERYBODY

    settle(tasks)
    all_is_well(tasks, approved)


def test_a_task_that_is_being_dispatched_is_waited_for(tasks: Tasks, approved: Broadcast) -> None:
    """41063: results can't be read yet, which is neither an absence nor a failure."""
    tasks.settings(dispatching=3600)

    tasks.work()
    waiting = Work.objects.filter(lane="results")
    assert {(row.state, row.attempts) for row in waiting} == {("waiting", 0)}

    for broadcast in tasks.corp.standin.world.broadcasts.sent.values():
        broadcast.ready = 0
    settle(tasks)
    all_is_well(tasks, approved)


def test_too_many_calls_are_a_refusal_that_waits(tasks: Tasks, approved: Broadcast) -> None:
    """45009: surely nothing was created; the whole API pauses for its minute and nobody asks meanwhile."""
    tasks.fault(CREATE, "errcode", value=45009, times=0)

    tasks.work(1)

    assert set(Dispatch.objects.values_list("state", flat=True)) == {"planned"}
    assert not reached(tasks)
    assert tasks.corp.standin.calls.as_dict()[CREATE]["calls"] == 1


def test_an_equal_task_of_somebody_else_is_not_taken_for_ours(tasks: Tasks, approved: Broadcast) -> None:
    """The same words, sent by the members themselves: personal records are not looked at."""
    for userid, letter in (("wanglei", "W"), ("zhaomin", "Z")):
        people = [f"wm{letter}{number}" for number in range(3)]
        tasks.corp.act("send_privately", userid=userid, external_userids=people, text="新品上架")
    tasks.fault(CREATE, "status", value=503, times=2)

    tasks.work()
    settle(tasks)

    all_is_well(tasks, approved)


def test_the_harness_catches_an_engine_that_tries_again_after_a_time_out(
    tasks: Tasks, approved: Broadcast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(claim: Any, work: Work, dispatch: Dispatch, error: errors.WecomError) -> None:
        booking.put_back(claim, work, dispatch, 0.0, str(error))

    monkeypatch.setattr(deliver, "_not_created", careless)
    tasks.fault(CREATE, "delay_after", value=2, times=1)

    tasks.work()

    assert max(reached(tasks).values()) == 2


def test_a_cancelled_task_that_can_not_be_read_any_more_ends_all_the_same(
    tasks: Tasks, approved: Broadcast, alice: User
) -> None:
    """41093: whether it is said to who reads a cancelled task is not documented; both answers end the broadcast."""
    tasks.work(1)
    pace.cancel(approved, alice)
    tasks.fault("externalcontact/get_groupmsg_task", "errcode", value=41093, times=0)

    tasks.work()

    assert Counter(Delivery.objects.values_list("state", "reason")) == {("cancelled", "by_user"): 6}
    assert not Work.objects.filter(state="quarantined").exists()


def deadline_passes(broadcast: Broadcast) -> None:
    hours = dt.timedelta(hours=1)
    Broadcast.objects.filter(pk=broadcast.pk).update(create_at=clock.now() - 2 * hours, confirm_by=clock.now() - hours)


def progress() -> Counter[str]:
    return Counter(Delivery.objects.with_progress().values_list("progress", flat=True))  # type: ignore[misc]


def test_a_result_that_wecom_refuses_to_tell_ends_the_broadcast(tasks: Tasks, approved: Broadcast) -> None:
    """40058 for good: the task is still taken back at its deadline, and a later read by hand books what it brings."""
    tasks.fault("externalcontact/get_groupmsg_task", "errcode", value=40058, times=0)
    tasks.work()
    assert not Work.objects.filter(state="quarantined").exists()

    tasks.corp.act("confirm", userid="wanglei")
    deadline_passes(approved)
    tasks.work()

    approved.refresh_from_db()
    assert approved.state == "done"
    assert set(Dispatch.objects.values_list("state", flat=True)) == {"unread"}
    assert all("40058" in error for error in Dispatch.objects.values_list("error", flat=True))
    assert progress() == {"unknown": 6}
    assert len(tasks.cancelled()) == 2

    tasks.no_faults()
    assert replay_failed("results") == 2
    tasks.work()
    assert progress() == {"sent": 3, "unconfirmed": 3}
    assert not Work.objects.exclude(state="done").exists()


def test_a_search_that_wecom_refuses_ends_the_broadcast(tasks: Tasks, approved: Broadcast) -> None:
    """Nothing is created again, before the deadline or after it."""
    tasks.fault(CREATE, "reset_after", times=2)
    tasks.fault(LIST, "errcode", value=40058, times=0)
    tasks.work()
    assert set(Dispatch.objects.values_list("state", flat=True)) == {"unknown"}

    deadline_passes(approved)
    tasks.work()

    approved.refresh_from_db()
    assert (approved.state, progress(), reached(tasks)) == ("done", {"unknown": 6}, EVERYBODY)


def test_failures_far_apart_do_not_add_up(tasks: Tasks, approved: Broadcast) -> None:
    """A task is polled for days: workers that die now and then are no poison."""
    tasks.work(1)
    for _ in range(5):
        Work.objects.filter(lane="results").update(not_before="2000-01-01T00:00:00Z")
        dies("results.claimed", "results")
        run.run_due(["results"])
    settle(tasks)

    all_is_well(tasks, approved)
