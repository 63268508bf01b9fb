"""A full sync whose worker is killed again and again, each time in the midst of a page: it goes on where it stood."""

import datetime as dt
from typing import Any

import pytest

from contacts import sync
from contacts.models import Follow
from scrm.base import clock
from scrm.base.work import run
from tests.corp import Corp
from tests.faults.dying import dies
from tests.faults.worlds import ours, theirs

pytestmark = [pytest.mark.crash, pytest.mark.timeout(120)]

PAGES = "externalcontact/batch/get_by_user"
FRIENDS = 650  # of one member of staff: seven pages of one step
GONE = 5  # fewer than 2 %: they end by themselves
DRIFT = {"customers_missing": GONE, "follows_missing": GONE, "follows_gone": GONE}
AN_HOUR_AGO = int((clock.now() - dt.timedelta(hours=1)).timestamp())


@pytest.fixture
def drifted(corp: Corp) -> Corp:
    """Read once; since then some have been deleted and some have come, unseen."""
    for number in range(FRIENDS):
        befriend(corp, number)
    assert sync.run_inline(sync.start()).state == "done"
    for number in range(GONE):
        corp.act("delete_by_staff", userid="wanglei", external_userid=f"wm{number}")
    for number in range(FRIENDS, FRIENDS + GONE):
        befriend(corp, number)
    return corp


def befriend(corp: Corp, number: int) -> None:
    corp.act(
        "add", userid="wanglei", external_userid=f"wm{number}", name=f"客户{number}", at=AN_HOUR_AGO, welcome=False
    )


def pages_asked(corp: Corp) -> int:
    counted: Any = corp.standin.calls.as_dict()[PAGES]
    return int(counted["calls"])


@pytest.mark.parametrize(("place", "read_again"), [("sync.contacts.page_read:2", 6), ("sync.contacts.page_written", 0)])
def test_a_sync_that_is_killed_in_page_after_page_goes_on(drifted: Corp, place: str, read_again: int) -> None:
    """Six deaths of one step are more than a lane tries: between each two of them it came further."""
    begun, asked = sync.start(), pages_asked(drifted)

    for _ in range(6):
        dies(place, "sync")  # one page further each time
        assert Follow.objects.open().count() >= FRIENDS
        assert not Follow.objects.exclude(ended_at=None).exists()
    run.run_due(["sync"])

    begun.refresh_from_db()
    assert (begun.state, begun.error, begun.drift) == ("done", "", DRIFT)
    assert begun.steps.get(kind="contacts").rows == FRIENDS
    assert pages_asked(drifted) - asked == 7 + read_again
    assert ours() == theirs(drifted)


@pytest.mark.parametrize("place", ["sync.contacts.page_read:3", "sync.removals.page_read"])
def test_a_page_that_kills_its_worker_each_time_ends_the_run_and_takes_nobody(drifted: Corp, place: str) -> None:
    begun = sync.start()
    dies(place, "sync")
    for _ in range(2):
        dies(place.partition(":")[0], "sync")
    run.run_due(["sync"])
    assert not Follow.objects.exclude(ended_at=None).exists()

    healed = sync.run_inline(sync.start())

    begun.refresh_from_db()
    assert begun.state == "failed"
    assert "died or hung at each attempt" in begun.error
    assert (healed.state, healed.error, healed.drift["follows_gone"]) == ("done", "", GONE)
    assert ours() == theirs(drifted)
    assert Follow.objects.filter(staff__userid="wanglei").count() == FRIENDS + GONE
