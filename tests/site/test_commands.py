"""The commands of the outside face: syncall, drain, apitoken, fill; and the nightly pruning."""

import datetime as dt
import hashlib
import io
import json
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import translation

from analytics.models import Fact
from campaigns.models import Broadcast, Dispatch
from contacts.models import Customer, Follow, Notice, OpenedLink, Staff, SyncRun, SyncStep
from contacts.notices import notify
from groups.models import ChatVersion, GroupChat
from scrm.base import clock
from scrm.base.dbclock import db_now
from scrm.base.models import Announcement, AuditRecord, User, Work
from scrm.base.models.token import ApiToken
from scrm.site.prune import prune
from scrm.wecom.cards import TextCard
from scrm.wecom.models import ApiCall, Callback

OLD = dt.timedelta(days=120)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


def run(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def exit_code(*words: str) -> tuple[int, str]:
    out = io.StringIO()
    with pytest.raises(SystemExit) as left:
        call_command(*words, stdout=out, stderr=io.StringIO())
    return int(left.value.code or 0), out.getvalue()


def befriend(standin: Any, count: int) -> list[str]:
    hour_ago = int((clock.now() - dt.timedelta(hours=1)).timestamp())
    if "wanglei" not in standin.world.book.staff:
        standin.act("create_user", callback=False, userid="wanglei")
    return [standin.act("add", callback=False, userid="wanglei", at=hour_ago)["external_userid"] for _ in range(count)]


# --- syncall ----------------------------------------------------------------------------------------------------------


def test_syncall_prints_one_json_object(standin: Any) -> None:
    befriend(standin, 3)

    result = json.loads(run("syncall", "--json"))

    assert (result["state"], result["first"], result["held"], result["drift"]) == ("done", True, 0, {})
    assert result["counts"]["customers"] == 3
    assert result["api_calls"] == sum(
        answer["calls"] for api, answer in standin.calls.as_dict().items() if api != "gettoken"
    )
    assert result["seconds"] > 0


def test_syncall_tells_people_what_was_healed(standin: Any) -> None:
    befriend(standin, 3)
    run("syncall")
    befriend(standin, 1)

    assert "healed   follows_missing: 1" in run("syncall")


def test_syncall_removes_no_more_than_two_percent_unasked(standin: Any) -> None:
    friends = befriend(standin, 20)
    run("syncall")
    for person in friends[:5]:
        standin.act("delete_by_staff", callback=False, userid="wanglei", external_userid=person)

    code, text = exit_code("syncall", "--json")

    assert (code, json.loads(text)["held"]) == (3, 5)
    assert Follow.objects.open().count() == 20
    assert json.loads(run("syncall", "--json", "--accept-removals"))["drift"] == {"follows_gone": 5}
    assert Follow.objects.open().count() == 15


def test_syncall_says_why_it_failed(standin: Any) -> None:
    standin.faults.add({"api": "department/list", "count": 0, "action": "errcode", "value": 48002})

    code, text = exit_code("syncall")

    assert code == 1
    assert "可调用接口的应用" in text


# --- drain ------------------------------------------------------------------------------------------------------------


def work(source: int, lane: str = "mirror:contact", **fields: Any) -> Work:
    return Work.objects.create(source_kind="test", source_id=source, lane=lane, entity=f"contact:{source}", **fields)


def test_drain_says_when_nothing_is_due(committed: None) -> None:
    assert run("drain", "--timeout", "5") == "Nothing is due.\n"


def test_drain_waits_for_work_in_hand(committed: None) -> None:
    job = work(1, state="leased", lease_until=db_now() + dt.timedelta(minutes=1))

    def settle() -> None:
        time.sleep(1)
        Work.objects.filter(pk=job.pk).update(state="done")
        connection.close()

    worker = threading.Thread(target=settle)
    worker.start()
    assert run("drain", "--timeout", "20") == "Nothing is due.\n"
    assert Work.objects.get().state == "done"
    worker.join()


def test_drain_gives_up_on_time_and_tells_what_is_left(committed: None) -> None:
    work(1)
    work(2, lane="welcome", state="quarantined", error="broken")

    code, text = exit_code("drain", "--timeout", "0.5")

    assert code == 1
    assert text.splitlines() == ["due or in hand: mirror:contact 1", "quarantined: welcome 1"]


def test_drain_prints_work_that_is_put_off_and_does_not_wait_for_it(committed: None) -> None:
    work(1, not_before=db_now() + dt.timedelta(seconds=60))

    text = run("drain", "--timeout", "5")

    assert re.fullmatch(r"put off: mirror:contact 1, next in (60|5\d) s\nNothing is due\.\n", text)


def test_drain_waits_until_the_numbers_are_up_to_date(committed: None) -> None:
    staff, customer = Staff.objects.create(userid="wanglei"), Customer.objects.create(external_userid="wmA")
    Follow.objects.create(staff=staff, customer=customer, added_at=clock.now())

    run("drain", "--timeout", "20")

    assert Fact.objects.filter(stat="adds").count() == 1


def dispatch(user: User, state: str, create_in: dt.timedelta, broadcast: str = "running") -> Dispatch:
    at = clock.now() + create_in
    row = Broadcast.objects.create(
        name="上新", to="single", audience={}, text="新品上架", state=broadcast, create_at=at, plan_date=clock.today(),
        confirm_by=at + dt.timedelta(hours=6), created_by=user, created_at=at,
    )  # fmt: skip
    staff, _ = Staff.objects.get_or_create(userid="wanglei")
    return Dispatch.objects.create(broadcast=row, staff=staff, number=0, digest=f"{row.pk}", recipients=3, state=state)


SOON, AGO = dt.timedelta(minutes=10), dt.timedelta(minutes=-10)


@pytest.mark.parametrize(("sending", "quiet", "unsent"), [("on", False, 3), ("off", False, 2), ("on", True, 2)])
def test_drain_waits_for_due_dispatches_without_work_too(
    committed: None, alice: User, settings: Any, sending: str, quiet: bool, unsent: int
) -> None:
    """Not for those that the brake or quiet hours hold; one whose call has begun is waited for always."""
    now, hour = clock.now().astimezone(clock.zone()), dt.timedelta(hours=1)
    settings.SENDING = sending
    settings.QUIET_HOURS = f"{now - hour:%H:%M}-{now + hour:%H:%M}" if quiet else "none"
    for state in ("planned", "sending", "unknown"):
        dispatch(alice, state, AGO)

    code, text = exit_code("drain", "--timeout", "0.5")

    assert (code, text.splitlines()) == (1, [f"due and unsent: dispatches {unsent}"])


def test_drain_ends_when_the_dispatch_is_sent(committed: None, alice: User) -> None:
    row = dispatch(alice, "sending", AGO)

    def send() -> None:
        time.sleep(1)
        Dispatch.objects.filter(pk=row.pk).update(state="sent", sent_at=clock.now())
        connection.close()

    worker = threading.Thread(target=send)
    worker.start()
    text = run("drain", "--timeout", "20")
    worker.join()
    assert text.splitlines() == ["not confirmed by staff: tasks 1", "Nothing is due."]


def test_drain_leaves_what_is_not_due_paused_or_waits_for_staff(committed: None, alice: User) -> None:
    dispatch(alice, "planned", SOON, "planned")
    dispatch(alice, "planned", AGO, "paused")
    dispatch(alice, "sent", AGO)
    dispatch(alice, "sent", AGO)
    for settled in ("confirmed", "unconfirmed", "refused", "cancelled"):
        dispatch(alice, settled, AGO)

    assert run("drain", "--timeout", "5").splitlines() == ["not confirmed by staff: tasks 2", "Nothing is due."]


# --- apitoken, fill ---------------------------------------------------------------------------------------------------


def test_apitoken_prints_the_token_alone_on_its_last_line(alice: User) -> None:
    token = run("apitoken", "alice").splitlines()[-1]

    row = ApiToken.objects.get()
    assert (row.user, row.scope, row.digest) == (alice, "read", hashlib.sha256(token.encode()).hexdigest())


def test_apitoken_gives_the_scope_asked_for(alice: User) -> None:
    run("apitoken", "alice", "--scope", "write")

    assert ApiToken.objects.get().scope == "write"


def test_apitoken_refuses_an_unknown_user(db: None) -> None:
    with pytest.raises(CommandError, match="nobody"):
        run("apitoken", "nobody")

    assert ApiToken.objects.count() == 0


def test_fill_rebuilds_all_days_of_the_ledgers(committed: None) -> None:
    staff, customer = Staff.objects.create(userid="wanglei"), Customer.objects.create(external_userid="wmA")
    Follow.objects.create(staff=staff, customer=customer, added_at=clock.now() - dt.timedelta(days=40))

    run("fill")

    assert Fact.objects.filter(stat="adds", day=clock.today() - dt.timedelta(days=40)).count() == 1


def test_fill_of_one_stat_and_interval_leaves_the_rest(committed: None) -> None:
    staff = Staff.objects.create(userid="wanglei")
    for days in (1, 5):
        customer = Customer.objects.create(external_userid=f"wm{days}")
        Follow.objects.create(staff=staff, customer=customer, added_at=clock.now() - dt.timedelta(days=days))
    start, end = clock.today() - dt.timedelta(days=5), clock.today() - dt.timedelta(days=1)

    run("fill", "--stat", "adds", "--from", str(start), "--to", str(end))

    assert list(Fact.objects.values_list("stat", "day")) == [("adds", start)]


def test_fill_refuses_an_empty_interval(committed: None) -> None:
    with pytest.raises(CommandError, match="empty"):
        run("fill", "--from", "2026-02-02", "--to", "2026-02-02")


# --- pruning ----------------------------------------------------------------------------------------------------------


def callback(age: dt.timedelta, state: str) -> Callback:
    row = Callback.objects.create(digest=f"{age}{state}".encode(), received_domain_at=clock.now(), raw="<xml/>")
    Callback.objects.filter(pk=row.pk).update(received_at=db_now() - age)
    Work.objects.create(
        source_kind="callback", source_id=row.pk, lane="mirror:contact", entity="contact:x", state=state
    )
    return row


def test_old_callbacks_go_with_their_settled_work(committed: None) -> None:
    callback(OLD, "done")
    kept = [callback(OLD, "waiting"), callback(OLD, "quarantined"), callback(dt.timedelta(days=1), "done")]

    assert prune()

    assert set(Callback.objects.values_list("pk", flat=True)) == {row.pk for row in kept}
    assert set(Work.objects.values_list("source_id", flat=True)) == {row.pk for row in kept}


@pytest.mark.parametrize("kind", ["dispatch", "reminder", "handpost", "callback", "sync_step"])
def test_settled_work_goes_whatever_its_source(committed: None, settings: Any, kind: str) -> None:
    settings.CALLBACK_RETENTION_DAYS = 10
    for number, (state, days) in enumerate(
        [("done", 11), ("ignored", 11), ("done", 9), ("quarantined", 11), ("waiting", 11), ("leased", 11)]
    ):
        Work.objects.create(
            source_kind=kind, source_id=number, lane="x", entity="e", state=state,
            settled_at=db_now() - dt.timedelta(days=days),
        )  # fmt: skip

    prune()

    assert list(Work.objects.order_by("source_id").values_list("source_id", flat=True)) == [2, 3, 4, 5]


def test_old_announcements_calls_and_steps_go(committed: None) -> None:
    Announcement.objects.create(kind="follow.began", entity="contact:x", source="callback", happened_at=clock.now())
    Announcement.objects.update(announced_at=db_now() - OLD)
    ApiCall.objects.create(api="gettoken", ms=1)
    ApiCall.objects.update(at=db_now() - OLD)
    for _ in range(22):
        run_ = SyncRun.objects.create(state="done", started_at=clock.now())
        SyncStep.objects.create(run=run_, kind="tags", finished_at=clock.now())

    prune()

    assert (Announcement.objects.count(), ApiCall.objects.count()) == (0, 0)
    assert (SyncRun.objects.count(), SyncStep.objects.count()) == (22, 20)


def test_old_messages_to_staff_and_opened_links_go(committed: None) -> None:
    staff = Staff.objects.create(userid="wanglei")
    notify(["wanglei"], key="old", card=TextCard("t", "d", "https://a.cn/"))
    notify(["wanglei"], key="waiting", card=TextCard("t", "d", "https://a.cn/"))
    Work.objects.filter(source_id=staff.notice_set.get(key="old").pk).update(state="done")
    Notice.objects.update(changed_at=db_now() - 2 * OLD)
    OpenedLink.objects.create(digest=b"1" * 32, device="d", opened_at=db_now() - dt.timedelta(days=5))
    OpenedLink.objects.create(digest=b"2" * 32, device="d")

    prune()

    assert list(Notice.objects.values_list("key", flat=True)) == ["waiting"]
    assert Work.objects.count() == 1
    assert [bytes(row.digest) for row in OpenedLink.objects.all()] == [b"2" * 32]


def test_the_audit_trail_is_kept_for_its_time_and_says_when_it_was_shortened(committed: None, settings: Any) -> None:
    settings.AUDIT_RETENTION_DAYS = 365
    for days, deed in ((366, "old"), (364, "young")):
        AuditRecord.objects.create(deed=deed)
        AuditRecord.objects.filter(deed=deed).update(at=db_now() - dt.timedelta(days=days))

    prune()
    prune()

    left = AuditRecord.objects.order_by("id").values_list("deed", "detail")
    assert list(left) == [("young", {}), ("audit.prune", {"rows": 1, "days": 365})]


def test_callbacks_and_calls_are_kept_as_long_as_the_settings_say(committed: None, settings: Any) -> None:
    settings.CALLBACK_RETENTION_DAYS, settings.CALL_LOG_RETENTION_DAYS = 10, 5
    for days in (4, 6, 9, 11):
        callback = Callback.objects.create(digest=bytes([days]) * 32, raw="", received_domain_at=clock.now())
        Callback.objects.filter(pk=callback.pk).update(received_at=db_now() - dt.timedelta(days=days))
        call = ApiCall.objects.create(api=str(days), ms=1)
        ApiCall.objects.filter(pk=call.pk).update(at=db_now() - dt.timedelta(days=days))

    prune()

    assert [bytes(digest)[0] for digest in Callback.objects.order_by("id").values_list("digest", flat=True)] == [
        4,
        6,
        9,
    ]
    assert list(ApiCall.objects.values_list("api", flat=True)) == ["4"]


def test_the_latest_versions_of_a_chat_are_kept_however_old(committed: None) -> None:
    chat = GroupChat.objects.create(chat_id="wr1")
    ChatVersion.objects.bulk_create([ChatVersion(chat=chat, version=f"v{number}") for number in range(203)])
    ChatVersion.objects.update(seen_at=db_now() - OLD)

    prune()

    assert set(ChatVersion.objects.values_list("version", flat=True)) == {f"v{number}" for number in range(3, 203)}
