"""A worker is killed at every named place there is; afterwards nobody was reached twice and nobody is missing.

Each scene leads to its places; who takes over finishes it. It ends with a comparison of the platform's ledger with ours.
"""

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from campaigns import handposts
from campaigns.models import Broadcast, Delivery, Dispatch, Reminder, Welcome
from campaigns.sending import compose, pace
from campaigns.sending.remind import remind
from contacts import sync
from contacts.models import Customer, Follow, Notice, Staff, SyncRun
from contacts.notices import notify
from scrm.base import clock, redis
from scrm.base.models import User, Work
from scrm.base.work import lanes, pump, replay, replay_failed, run
from scrm.wecom import client
from scrm.wecom.cards import TextCard
from scrm.wecom.models import Callback
from tests.campaigns.tasks import Tasks
from tests.corp import Corp
from tests.faults import places
from tests.faults.dying import dies, let_leases_end
from tests.faults.worlds import nobody_twice_nobody_missing, ours, theirs
from tests.processes import eventually

pytestmark = [pytest.mark.crash, pytest.mark.timeout(120)]

AN_HOUR_AGO = int((clock.now() - dt.timedelta(hours=1)).timestamp())


def all_is_well(corp: Corp, *parts: str) -> None:
    """Both ledgers say the same, nothing waits for a person, and these parts of the two worlds are equal."""
    nobody_twice_nobody_missing(corp)
    assert not Work.objects.exclude(state__in=["done", "ignored"]).exists()
    mine, platforms = ours(), theirs(corp)
    assert {part: mine[part] for part in parts} == {part: platforms[part] for part in parts}


def work_all(*lanes: str) -> None:
    """Everything that is due or put off."""
    for _ in range(6):
        Work.objects.filter(state="waiting").update(not_before="2000-01-01T00:00:00Z")
        run.run_due(lanes or None)


# --- callbacks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", places.WELCOME)
def test_around_a_welcome(corp: Corp, place: str) -> None:
    corp.act("add", userid="wanglei", external_userid="wmLin")
    corp.deliver()

    dies(place, "welcome")
    work_all("welcome")

    assert [row["external_userid"] for row in corp.welcomes()] == ["wmLin"]
    assert Welcome.objects.get().outcome == "sent"
    nobody_twice_nobody_missing(corp)


@pytest.mark.parametrize("place", places.CONTACT)
def test_around_a_customer(corp: Corp, place: str) -> None:
    corp.act("add", userid="wanglei", external_userid="wmLin", name="小林", welcome=False, at=AN_HOUR_AGO)
    corp.deliver()

    dies(place, "mirror:contact")
    run.run_due(["mirror:contact"])

    assert (Customer.objects.get().name, Follow.objects.count()) == ("小林", 1)
    all_is_well(corp, "friends")


@pytest.mark.parametrize("place", places.CHAT)
def test_around_a_chat(corp: Corp, place: str) -> None:
    corp.act("create_chat", owner="wanglei", chat_id="wrA", name="福利群", at=AN_HOUR_AGO)
    corp.act("join", chat_id="wrA", members=["wmLin", "wmMei"], at=AN_HOUR_AGO + 60)
    corp.act("leave", chat_id="wrA", members="wmMei", at=AN_HOUR_AGO + 120)
    corp.deliver()

    dies(place, "mirror:chat")
    run.run_due(["mirror:chat"])

    all_is_well(corp, "chats")


@pytest.mark.parametrize("place", places.STAFF)
def test_around_a_member_of_staff(corp: Corp, place: str) -> None:
    run.run_due()
    corp.act("rename_user", userid="wanglei", new_userid="wang.lei")
    corp.deliver()

    dies(place, "mirror:staff")
    run.run_due(["mirror:staff"])

    assert set(Staff.objects.present().values_list("userid", flat=True)) <= {"wang.lei", "zhaomin"}


@pytest.mark.parametrize("place", places.DEPARTMENTS)
def test_around_the_departments(corp: Corp, place: str) -> None:
    corp.act("create_party", name="直播", party_id=4, parentid=2)
    corp.deliver()

    dies(place, "mirror:department")
    run.run_due(["mirror:department"])

    all_is_well(corp, "departments")


@pytest.mark.parametrize("place", places.TAGS)
def test_around_the_tags(corp: Corp, place: str) -> None:
    corp.act("create_tag", group="来源", name="直播")
    corp.deliver()

    dies(place, "mirror:tags")
    run.run_due(["mirror:tags"])

    all_is_well(corp, "tags")


@pytest.mark.parametrize("place", places.UNROUTED)
def test_around_a_callback_that_nobody_took(corp: Corp, place: str) -> None:
    corp.post_text(b"<xml><CreateTime>1795000000</CreateTime><Event>something_new</Event></xml>")
    replay(Callback.WORK_SOURCE, Callback.objects.values_list("pk", flat=True))

    dies(place, "inbox")
    run.run_due(["inbox"])

    assert Work.objects.get().state == "ignored"


# --- what leaves ------------------------------------------------------------------------------------------------------


@pytest.fixture
def tasks(corp: Corp, settings: Any, departments: list[Any]) -> Iterator[Tasks]:
    settings.SENDING, settings.QUIET_HOURS = "on", "none"
    settings.SEND_LOOKUP_DELAYS = (0.0, 0.0)
    settings.SEND_FAILURES_BEFORE_PAUSE = 100
    yield Tasks(corp)


@pytest.fixture
def approved(tasks: Tasks, alice: User) -> Broadcast:
    """A broadcast to all six, approved and due."""
    broadcast = compose.draft(alice, name="上新", audience_={"filter": {}}, text="新品上架")
    broadcast.save()
    return pace.approve(broadcast, alice)


def settle(tasks: Tasks) -> None:
    tasks.no_faults()
    tasks.work()
    tasks.confirm()


def everybody_once(tasks: Tasks, approved: Broadcast) -> None:
    recipients = Counter(recipient for row in tasks.created() for recipient in row["recipients"])
    assert recipients == Counter(["wmW0", "wmW1", "wmW2", "wmZ0", "wmZ1", "wmZ2"])
    assert Counter(Delivery.objects.values_list("state", flat=True)) == {"sent": 6}
    approved.refresh_from_db()
    assert approved.state == "done"
    all_is_well(tasks.corp)


@pytest.mark.parametrize("place", places.SEND)
def test_around_the_creation_of_a_task(tasks: Tasks, approved: Broadcast, place: str) -> None:
    dies(place, "send")
    settle(tasks)

    everybody_once(tasks, approved)


@pytest.mark.parametrize("action", ["reset_after", "drop_before"])
@pytest.mark.parametrize("place", places.LOOK_UP)
def test_around_the_search_for_a_task(tasks: Tasks, approved: Broadcast, place: str, action: str) -> None:
    """`send.not_found` is passed only where nothing was created."""
    tasks.fault("externalcontact/add_msg_template", "drop_before" if place == "send.not_found" else action, times=2)

    dies(place, "send")
    settle(tasks)

    everybody_once(tasks, approved)


@pytest.mark.parametrize("place", places.RESULTS)
def test_around_the_results(tasks: Tasks, approved: Broadcast, place: str) -> None:
    tasks.work(1)
    tasks.corp.act("confirm")
    Work.objects.filter(lane="results").update(not_before="2000-01-01T00:00:00Z")

    dies(place, "results")
    settle(tasks)

    everybody_once(tasks, approved)


@pytest.fixture
def read_by_pages(tasks: Tasks, alice: User, monkeypatch: pytest.MonkeyPatch) -> Broadcast:
    """王磊 has confirmed a task of seven recipients, whose results come one by one and are booked one by one."""
    monkeypatch.setattr("scrm.wecom.api.messages.ROWS_A_PAGE", 1)
    monkeypatch.setattr("campaigns.sending.reconcile.PAGES_AT_ONCE", 1)
    for number in range(3, 7):
        tasks.befriend(Staff.objects.get(userid="wanglei"), f"wmW{number}")
    broadcast = compose.draft(alice, name="上新", audience_={"filter": {"userids": ["wanglei"]}}, text="新品上架")
    broadcast.save()
    pace.approve(broadcast, alice)
    tasks.work(1)
    tasks.corp.act("confirm")
    Work.objects.filter(lane="results").update(not_before="2000-01-01T00:00:00Z")
    return broadcast


def test_deaths_between_pages_of_results_are_no_poison(tasks: Tasks, read_by_pages: Broadcast) -> None:
    """Six deaths of one read are more than the lane tries: before each of them one result more was booked."""
    for page in range(2, 8):
        dies(f"results.page_read:{page}", "results")
        assert Delivery.objects.filter(state="sent").count() == page - 1
    run.run_due(["results"])

    read_by_pages.refresh_from_db()
    assert read_by_pages.state == "done"
    assert Counter(Delivery.objects.values_list("state", flat=True)) == {"sent": 7}
    all_is_well(tasks.corp)


def test_a_page_of_results_that_kills_its_worker_each_time_is_set_aside(tasks: Tasks, read_by_pages: Broadcast) -> None:
    """What was booked before is read anew each time, which is no progress."""
    for _ in range(lanes["results"].max_attempts):
        assert not Work.objects.filter(state="quarantined").exists()
        dies("results.page_read:4", "results")
    run.run_due(["results"])

    failed = Work.objects.get(lane="results")
    assert (failed.state, failed.error) == ("quarantined", "The worker died or hung at each attempt.")
    assert Counter(Delivery.objects.values_list("state", flat=True)) == {"sent": 3, "planned": 4}

    assert replay_failed("results") == 1
    tasks.work()
    read_by_pages.refresh_from_db()
    assert (read_by_pages.state, Delivery.objects.filter(state="sent").count()) == ("done", 7)
    all_is_well(tasks.corp)


@pytest.mark.parametrize("place", [*places.TAKE_BACK, "results.task_read", "results.settled"])
def test_around_taking_a_task_back(tasks: Tasks, approved: Broadcast, alice: User, place: str) -> None:
    tasks.work(1)
    pace.cancel(approved, alice)

    dies(place, "results")
    tasks.work()

    assert Counter(Delivery.objects.values_list("state", "reason")) == {("cancelled", "by_user"): 6}
    assert set(tasks.cancelled()) == set(Dispatch.objects.values_list("msgid", flat=True))


@pytest.mark.parametrize(
    ("place", "nudges", "state"),
    [
        ("remind.claimed", 1, "sent"),
        ("remind.written", 0, "unknown"),
        ("remind.called", 1, "unknown"),
        ("remind.recorded", 1, "sent"),
    ],
)
def test_around_a_reminder(tasks: Tasks, approved: Broadcast, alice: User, place: str, nudges: int, state: str) -> None:
    """A second nudge is worse than a lost one."""
    tasks.work(1)
    task = Dispatch.objects.order_by("pk")[0]
    remind([task], alice)

    dies(place, "remind")
    run.run_due(["remind"])

    assert (len(tasks.ledger("reminder")), Reminder.objects.get().state) == (nudges, state)
    nobody_twice_nobody_missing(tasks.corp)


@pytest.mark.parametrize(
    ("place", "arrived", "state"),
    [
        ("notice.claimed", [["wanglei", "zhaomin"]], "sent"),
        ("notice.sending", [], "unknown"),
        ("notice.called", [["wanglei", "zhaomin"]], "unknown"),
        ("notice.recorded", [["wanglei", "zhaomin"]], "sent"),
    ],
)
def test_around_a_message_to_staff(
    corp: Corp, wanglei: Staff, zhaomin: Staff, place: str, arrived: list[list[str]], state: str
) -> None:
    notify(["wanglei", "zhaomin"], key="day:1", card=TextCard("今日任务", "3 个群待确认", "https://scrm.example.com/"))

    dies(place, "notice")
    work_all("notice")

    assert [row["received"] for row in corp.standin.ledger.of("app_message")] == arrived
    assert set(Notice.objects.values_list("state", flat=True)) == {state}
    nobody_twice_nobody_missing(corp)


@pytest.mark.parametrize("place", places.HANDPOST)
def test_around_a_manual_post(tasks: Tasks, alice: User, place: str) -> None:
    tasks.chat("wrA", "wanglei", people=2)
    handposts.make(alice, name="早安", chat_ids=["wrA"], text="早上好")

    dies(place, "handpost")
    work_all("handpost", "notice")

    assert [row["received"] for row in tasks.ledger("app_message")] == [["wanglei"]]
    nobody_twice_nobody_missing(tasks.corp)


@pytest.mark.parametrize(
    ("place", "queue", "seconds"), [("welcome.written", "welcome", 4.0), ("send.answered", "sending", 10.0)]
)
def test_what_a_dead_worker_had_in_hand_is_looked_after_in_time(
    tasks: Tasks, alice: User, place: str, queue: str, seconds: float
) -> None:
    """By the leases themselves: a code lives 20 s, a lost task is looked for within 10 s (contract.md)."""
    if queue == "welcome":
        tasks.corp.act("add", userid="wanglei", external_userid="wmLin")
        tasks.corp.deliver()
    else:
        broadcast = compose.draft(alice, name="上新", audience_={"external_userids": ["wmW0"]}, text="新品上架")
        broadcast.save()
        pace.approve(broadcast, alice)
    dies(place, "welcome" if queue == "welcome" else "send", leases_end=False)
    died = time.monotonic()

    pump.start([queue], "tests")
    try:
        welcomed, created = Welcome.objects.filter(outcome="sent"), Dispatch.objects.filter(state="sent")
        sent: Callable[[], bool] = lambda: welcomed.exists() or created.exists()  # noqa: E731
        eventually(sent, seconds - (time.monotonic() - died), "nobody looked after it")
    finally:
        pump.stop()

    nobody_twice_nobody_missing(tasks.corp)


# --- the full sync ----------------------------------------------------------------------------------------------------


@pytest.fixture
def drifted(corp: Corp) -> Corp:
    """A corp that was read once; since then something of every kind has come and gone unseen."""
    for userid in ("wanglei", "zhaomin"):
        for number in range(3):
            corp.act("add", userid=userid, external_userid=f"wm{userid}{number}", at=AN_HOUR_AGO, welcome=False)
    for chat_id in ("wrA", "wrB"):
        corp.act("create_chat", owner="wanglei", chat_id=chat_id, name=chat_id, at=AN_HOUR_AGO)
        corp.act("join", chat_id=chat_id, members=["wmwanglei0", "wmwanglei1"], at=AN_HOUR_AGO)
    corp.act("create_user", userid="leaver", name="去人", departments=[2])
    corp.act("create_tag", group="来源", name="直播")
    sync.run_inline(sync.start())

    corp.act("create_party", name="新部门", party_id=9, parentid=1)
    corp.act("create_tag", group="来源", name="门店")
    corp.act("delete_user", userid="leaver")
    corp.act("create_user", userid="comer", name="来人", departments=[9])
    corp.act("add", userid="comer", external_userid="wmNew", at=AN_HOUR_AGO, welcome=False)
    corp.act("delete_by_staff", userid="zhaomin", external_userid="wmzhaomin0")
    corp.act("create_chat", owner="comer", chat_id="wrC", name="新群", at=AN_HOUR_AGO)
    corp.act("dismiss_chat", chat_id="wrB")
    corp.act("leave", chat_id="wrA", members="wmwanglei0")
    assert ours() != theirs(corp)
    return corp


@pytest.mark.parametrize("place", places.SYNC)
def test_around_a_step_of_the_sync(drifted: Corp, place: str) -> None:
    begun = sync.start()
    SyncRun.objects.filter(pk=begun.pk).update(accepted=True)  # few people: any removal is more than 2 %

    dies(place, "sync")
    run.run_due(["sync"])
    run.run_due(["sync"])

    begun.refresh_from_db()
    assert (begun.state, begun.error) == ("done", "")
    assert ours() == theirs(drifted)
    assert not Work.objects.filter(source_kind="sync_step").exclude(state__in=["done", "ignored"]).exists()


# --- the token --------------------------------------------------------------------------------------------------------


def fetched_tokens(corp: Corp) -> int:
    counted: Any = corp.standin.calls.as_dict().get("gettoken", {"calls": 0})
    number: int = counted["calls"]
    return number


@pytest.mark.parametrize("place", places.TOKEN)
def test_around_a_new_token(corp: Corp, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """Who holds the lock dies: the next one gets the token, at the latest when the lock ends by itself."""
    monkeypatch.setattr("scrm.wecom.tokens.LOCK_MILLISECONDS", 500)
    run.run_due()
    redis.client().flushdb()
    client.forget()
    asked = fetched_tokens(corp)
    corp.act("create_tag", group="来源", name="直播")
    corp.deliver()

    dies(place, "mirror:tags")
    run.run_due(["mirror:tags"])

    all_is_well(corp, "tags")
    assert fetched_tokens(corp) - asked == (2 if place == "token.fetched" else 1)


@pytest.mark.usefixtures("committed")
def test_leases_end_only_where_somebody_died() -> None:
    """What the scenes above rely on: a place that is not reached is told."""
    with pytest.raises(AssertionError, match=r"nowhere was not reached"):
        dies("nowhere", "inbox")
    let_leases_end()
