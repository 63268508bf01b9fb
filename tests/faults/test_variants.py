"""Programs that are wrong in a way of their own; the harness tells each of them from ours."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F

from campaigns.models import Welcome
from contacts import follows
from contacts.models import Customer
from groups import handlers, versions
from groups.models import ChatGap, GroupChat
from scrm.base import periods
from scrm.base.models import Work
from scrm.base.work import Claim, LeaseLost, lanes, pump, run
from scrm.base.work.claim import _LEASE, claim
from tests.corp import Corp
from tests.faults.dying import dies, let_leases_end
from tests.faults.installation import seen
from tests.faults.test_platform import time_passes
from tests.faults.worlds import ours, theirs

Patch = pytest.MonkeyPatch
GREET = "externalcontact/send_welcome_msg"


def parted(corp: Corp) -> None:
    """A customer deletes us; the platform goes on listing them."""
    corp.act("add", userid="wanglei", external_userid="wmLin", welcome=False, at=1_700_000_000)
    corp.act("delete_by_customer", userid="wanglei", external_userid="wmLin", at=1_700_001_000)
    corp.deliver()
    time_passes()


def test_presence_reopens_no_friendship(corp: Corp) -> None:
    parted(corp)

    assert ours()["friends"] == theirs(corp)["friends"] == set()


def test_the_harness_catches_a_ledger_that_believes_in_presence(corp: Corp, monkeypatch: Patch) -> None:
    def trusting(begins: Any, ends: Any, listed: Any, *, listed_restarts: bool) -> Any:
        return periods.fold(begins, [] if listed else ends, listed, listed_restarts=listed_restarts)

    monkeypatch.setattr(follows, "fold", trusting)

    parted(corp)

    assert ours()["friends"] - theirs(corp)["friends"] == {("wanglei", "wmLin", False)}


def late_worker_writes(corp: Corp) -> None:
    """A worker sleeps over the end of its lease; another one has done its job meanwhile."""
    corp.act("add", userid="wanglei", external_userid="wmLin", welcome=False)
    corp.deliver()
    late = claim(lanes["mirror:contact"])
    assert late is not None
    let_leases_end()
    run.run_due(["mirror:contact"])

    with late.writing():
        Customer.objects.update(name="旧名字")


def test_a_late_worker_writes_nothing(corp: Corp) -> None:
    with pytest.raises(LeaseLost):
        late_worker_writes(corp)

    assert Customer.objects.get().name != "旧名字"


def test_the_harness_catches_claims_without_a_look_at_the_lease(corp: Corp, monkeypatch: Patch) -> None:
    @contextmanager
    def careless(self: Claim) -> Iterator[None]:
        with transaction.atomic():
            yield

    monkeypatch.setattr(Claim, "writing", careless)

    late_worker_writes(corp)

    assert Customer.objects.get().name == "旧名字"


def dead_workers_customer(corp: Corp) -> list[str]:
    """A worker dies with a welcome in hand, three seconds pass. Returns who is greeted."""
    corp.act("add", userid="wanglei", external_userid="wmLin")
    corp.deliver()
    dies("welcome.claimed", "welcome", leases_end=False)
    Work.objects.filter(state="leased").update(lease_until=F("lease_until") - dt.timedelta(seconds=3))
    run.run_due(["welcome"])
    return [row["external_userid"] for row in corp.welcomes()]


@pytest.mark.crash
def test_a_dead_workers_lease_ends(corp: Corp) -> None:
    assert dead_workers_customer(corp) == ["wmLin"]


@pytest.mark.crash
def test_the_harness_catches_a_lease_that_never_ends(corp: Corp, monkeypatch: Patch) -> None:
    monkeypatch.setattr("scrm.base.work.claim._LEASE", _LEASE.replace("%(lease)s)", "%(lease)s * 1e6)"))

    assert dead_workers_customer(corp) == []


def calls_for_one_greeting(corp: Corp) -> int:
    """The platform takes longer for it than the lane's lease lasts."""
    corp.standin.faults.add({"api": GREET, "action": "delay_after", "value": 3})
    corp.act("add", userid="wanglei", external_userid="wmLin")
    corp.deliver()
    pump.start(["welcome"], "tests")
    try:
        seen(lambda: Welcome.objects.filter(outcome="sent").exists())
    finally:
        pump.stop()
    assert [row["external_userid"] for row in corp.welcomes()] == ["wmLin"]
    calls: Any = corp.standin.calls.as_dict()[GREET]
    return int(calls["calls"])


def test_the_lease_of_a_slow_job_is_renewed(corp: Corp) -> None:
    assert calls_for_one_greeting(corp) == 1


def test_the_harness_catches_a_lease_that_is_never_renewed(corp: Corp, monkeypatch: Patch) -> None:
    monkeypatch.setattr(pump, "renew", lambda lane, claims: None)

    assert calls_for_one_greeting(corp) == 2


def an_event_is_lost(corp: Corp) -> None:
    corp.act("create_chat", owner="wanglei", chat_id="wrA", name="福利群")
    corp.act("join", chat_id="wrA", members="wmLin")
    corp.deliver()
    time_passes()
    corp.act("join", chat_id="wrA", members="wmLost")
    corp.deliver([])
    corp.act("join", chat_id="wrA", members="wmMei")
    corp.deliver()
    time_passes()


def test_a_lost_event_is_a_gap_that_a_read_heals(corp: Corp) -> None:
    an_event_is_lost(corp)

    assert list(ChatGap.objects.values_list("healed_by", flat=True)) == ["read"]
    assert ours()["chats"] == theirs(corp)["chats"]


def test_the_harness_catches_a_mirror_that_ignores_gaps(corp: Corp, monkeypatch: Patch) -> None:
    monkeypatch.setattr(versions, "note_event", lambda chat, event: False)

    an_event_is_lost(corp)

    assert not ChatGap.objects.exists()


def repeated_joins(corp: Corp) -> int:
    """Two real joins, each told three times. Returns how many people our row counts."""
    corp.act("create_chat", owner="wanglei", chat_id="wrA", name="福利群")
    corp.act("join", chat_id="wrA", members=["wmLin", "wmMei"])
    told = corp.waiting
    corp.deliver(told, times=3)
    time_passes()
    corp.deliver(told)
    time_passes()
    return GroupChat.objects.get().external_people


def test_people_are_counted_not_added_up(corp: Corp) -> None:
    assert repeated_joins(corp) == 2


def test_the_harness_catches_a_counter_that_adds_what_events_say(corp: Corp, monkeypatch: Patch) -> None:
    real: Callable[..., Any] = handlers._evidence

    def adding(chat: GroupChat, item: Any) -> Any:
        told = item.event.integer("MemChangeCnt") or 0
        GroupChat.objects.filter(pk=chat.pk).update(external_people=F("external_people") + told)
        return real(chat, item)

    monkeypatch.setattr(handlers, "_evidence", adding)
    monkeypatch.setattr("groups.stays.refresh_people", lambda chat_ids: None)

    assert repeated_joins(corp) > 2
