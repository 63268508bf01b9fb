"""Manual posts: made for chats, told to their owners when due, ticked by them."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction

from campaigns import handposts, tasknotices
from campaigns.models import Dispatch, HandPost, HandPostTick
from campaigns.sending import pace
from contacts.models import Department, Notice, Staff
from contacts.renaming import rename_staff
from scrm.base import clock
from scrm.base.models import AuditRecord, User, Work
from scrm.base.work import run
from scrm.wecom.cards import ADDRESS
from tests.campaigns.tasks import Tasks
from tests.conftest import operator

Make = Callable[..., Any]
State = HandPostTick.State


@pytest.fixture
def make(alice: User) -> Make:
    def made(*chat_ids: str, user: User | None = None, **given: Any) -> HandPost:
        return handposts.make(user or alice, **{"name": "早安", "chat_ids": chat_ids, "text": "早上好", **given})

    return made


@pytest.fixture
def chats(wanglei: Staff, zhaomin: Staff, chat: Make) -> None:
    """Two of 王磊, one of 赵敏, and one that was dismissed."""
    for name, owner in (("wrW1", wanglei), ("wrW2", wanglei), ("wrZ1", zhaomin)):
        chat(name, owner)
    chat("wrGone", wanglei, dismissed_at=clock.now())


def ticks(**chosen: Any) -> list[tuple[str, str, str]]:
    rows = HandPostTick.objects.filter(**chosen).order_by("chat__chat_id")
    return list(rows.values_list("chat__chat_id", "staff__userid", "state"))


def tell() -> None:
    Work.objects.filter(lane="handpost", state="waiting").update(not_before="2000-01-01T00:00:00Z")
    run.run_due(["handpost"])


def told() -> list[tuple[str, str, str]]:
    return list(Notice.objects.order_by("pk").values_list("staff__userid", "key", "url"))


def number_of(chat_id: str) -> int:
    return HandPostTick.objects.get(chat__chat_id=chat_id).pk


@pytest.mark.usefixtures("chats")
class TestScope:
    """alice's post is for chats of two departments; oskar sees one of them."""

    def test_who_sees_a_part_reminds_that_part_and_cancels_nothing(
        self, make: Make, departments: list[Department], alice: User
    ) -> None:
        post = make("wrW1", "wrZ1")
        oskar = operator("oskar", department_ids=[2])
        assert HandPost.objects.visible_to(oskar).get() == post

        assert handposts.remind(post, oskar) == 1
        assert [userid for userid, _key, _url in told()] == ["wanglei"]
        with pytest.raises(PermissionDenied):
            handposts.cancel(post, oskar)
        assert handposts.cancel(make("wrW2"), oskar)
        assert handposts.cancel(post, alice)


@pytest.mark.usefixtures("chats")
class TestMaking:
    def test_each_living_chat_gets_one_tick_by_its_owner(self, make: Make, chat: Make, wanglei: Staff) -> None:
        left = Staff.objects.create(userid="left", name="已离职", left_at=clock.now())
        chat("wrLeft", left)
        chat("wrNobody", None)

        made = make("wrW1", "wrW2", "wrZ1", "wrGone", "wrLeft", "wrNobody", "wrUnknown", "wrW1")

        assert ticks() == [("wrW1", "wanglei", "todo"), ("wrW2", "wanglei", "todo"), ("wrZ1", "zhaomin", "todo")]
        assert made.excluded == {"dismissed": 1, "duplicate": 1, "no_staff": 2, "unknown": 1}
        assert made.deadline == clock.day_start(clock.day_of(made.due_at) + dt.timedelta(days=1))
        assert AuditRecord.objects.get(deed="handpost.make").detail["chats"] == 3

    def test_an_operator_reaches_chats_of_the_own_scope_only(self, make: Make, bob: User) -> None:
        made = make("wrW1", "wrZ1", user=bob)

        assert ticks() == [("wrW1", "wanglei", "todo")]
        assert made.excluded == {"unknown": 1}

    @pytest.mark.parametrize(
        ("given", "fields"),
        [
            ({"name": " "}, {"name"}),
            ({"name": "早" * 61}, {"name"}),
            ({"text": " "}, {"text"}),
            ({"text": "早" * 1334}, {"text"}),
            ({"picture_url": "javascript:alert(1)"}, {"picture_url"}),
            ({"link_url": "ftp://example.com/", "link_title": "x" * 129}, {"link_url", "link_title"}),
            ({"chat_ids": []}, {"chats"}),
            ({"chat_ids": ["wrGone"]}, {"chats"}),
            ({"due_at": dt.timedelta(hours=-1)}, {"due_at"}),
            ({"due_at": dt.timedelta(days=32)}, {"due_at"}),
            ({"due_at": dt.timedelta(hours=2), "deadline": dt.timedelta(hours=1)}, {"deadline"}),
        ],
    )
    def test_what_cannot_be_is_refused_with_its_field(
        self, make: Make, given: dict[str, Any], fields: set[str]
    ) -> None:
        times = {key: clock.now() + value for key, value in given.items() if isinstance(value, dt.timedelta)}

        with pytest.raises(ValidationError) as refused:
            make(**{"chat_ids": ["wrW1"], **given, **times})

        assert set(refused.value.message_dict) == fields
        assert not HandPost.objects.exists()

    def test_who_sees_it(self, make: Make, alice: User, bob: User, charlie: User) -> None:
        mine, other = make("wrW1"), make("wrZ1")
        both = make("wrW1", "wrZ1")

        assert set(HandPost.objects.visible_to(alice)) == {mine, other, both}
        assert set(HandPost.objects.visible_to(bob)) == {mine, both}
        assert list(HandPost.objects.visible_to(charlie)) == []
        assert {tick.staff.userid for tick in HandPostTick.objects.visible_to(bob)} == {"wanglei"}


@pytest.mark.usefixtures("chats")
class TestTelling:
    def test_owners_get_one_card_when_it_is_due(self, make: Make, settings: Any) -> None:
        post = make("wrW1", "wrW2", "wrZ1")

        tell()
        tell()

        page = f"{settings.PUBLIC_URL}/h5/tasks/"
        assert told() == [("wanglei", f"handpost:{post.pk}", page), ("zhaomin", f"handpost:{post.pk}", page)]
        assert not Work.objects.filter(lane="handpost").exclude(state="done").exists()

    def test_nobody_is_told_before_it_is_due_or_when_it_is_cancelled(self, make: Make, alice: User) -> None:
        later = make("wrW1", due_at=clock.now() + dt.timedelta(hours=1), deadline=clock.now() + dt.timedelta(hours=2))
        cancelled = make("wrW1")
        assert handposts.cancel(cancelled, alice)

        tell()

        assert told() == []
        states = {work.source_id: work.state for work in Work.objects.filter(lane="handpost")}
        assert states == {later.pk: "waiting", cancelled.pk: "ignored"}

    def test_whoever_has_ticked_everything_is_not_told(self, make: Make, wanglei: Staff) -> None:
        make("wrW1", "wrZ1")
        handposts.tick(number_of("wrW1"), wanglei, State.DONE)

        tell()

        assert [userid for userid, _key, _url in told()] == ["zhaomin"]

    def test_with_signed_links_each_member_gets_an_own_address(self, make: Make, settings: Any) -> None:
        settings.STAFF_SIGN_IN = "link"
        make("wrW1", "wrZ1")

        tell()

        addresses = [url for _userid, _key, url in told()]
        assert len(set(addresses)) == 2
        assert all(address.startswith(f"{settings.PUBLIC_URL}/h5/tasks/?k=") for address in addresses)

    def test_a_reminder_goes_to_those_with_chats_left_once_an_hour(
        self, make: Make, alice: User, wanglei: Staff, settings: Any
    ) -> None:
        post = make("wrW1", "wrZ1", deadline=clock.now() + dt.timedelta(days=1))
        handposts.tick(number_of("wrW1"), wanglei, State.SKIPPED)

        assert handposts.remind(post, alice) == 1
        assert handposts.remind(post, alice) == 0
        assert [userid for userid, _key, _url in told()] == ["zhaomin"]
        assert AuditRecord.objects.filter(deed="handpost.remind").count() == 1
        handposts.cancel(post, alice)
        settings.CLOCK_OFFSET += 3 * 3600
        assert handposts.remind(HandPost.objects.get(), alice) == 0


@pytest.mark.usefixtures("chats")
class TestTicking:
    def test_a_tick_holds_until_it_is_undone(self, make: Make, wanglei: Staff) -> None:
        make("wrW1")
        number = number_of("wrW1")

        first = handposts.tick(number, wanglei, State.DONE)
        again = handposts.tick(number, wanglei, State.DONE)
        assert (again.state, again.done_at) == ("done", first.done_at)
        assert again.is_late is False

        assert handposts.tick(number, wanglei, State.SKIPPED).state == "skipped"
        undone = handposts.tick(number, wanglei, State.TODO)
        assert (undone.state, undone.done_at) == ("todo", None)

    def test_after_the_deadline_it_counts_as_late(self, make: Make, wanglei: Staff) -> None:
        post = make("wrW1")
        HandPost.objects.filter(pk=post.pk).update(
            due_at=clock.now() - dt.timedelta(hours=2), deadline=clock.now() - dt.timedelta(hours=1)
        )

        assert handposts.tick(number_of("wrW1"), wanglei, State.DONE).is_late is True

    @pytest.mark.parametrize("case", ["another", "cancelled", "not due", "dismissed", "unknown"])
    def test_what_is_not_ones_own_to_tick(
        self, make: Make, alice: User, wanglei: Staff, zhaomin: Staff, case: str
    ) -> None:
        post = make("wrW1")
        number, who = number_of("wrW1"), wanglei
        if case == "another":
            who = zhaomin
        elif case == "cancelled":
            assert [handposts.cancel(post, alice), handposts.cancel(post, alice)] == [True, False]
            assert AuditRecord.objects.filter(deed="handpost.cancel").count() == 1
        elif case == "not due":
            HandPost.objects.update(due_at=clock.now() + dt.timedelta(minutes=1))
        elif case == "dismissed":
            wanglei.owned_chats.update(dismissed_at=clock.now())
        else:
            number += 1

        with pytest.raises(HandPostTick.DoesNotExist):
            handposts.tick(number, who, State.DONE)

        assert ticks() == [("wrW1", "wanglei", "todo")]

    def test_ticks_follow_a_staff_row_that_is_merged(self, make: Make, wanglei: Staff) -> None:
        make("wrW1")
        Staff.objects.create(userid="wanglei2", name="王磊")
        HandPostTick.objects.update(staff=Staff.objects.get(userid="wanglei2"))

        with transaction.atomic():
            rename_staff("wanglei", "wanglei2")

        assert HandPostTick.objects.get().staff == wanglei


class TestCardsAboutTasks:
    @pytest.fixture
    def tasks(self, corp: Any, settings: Any, departments: list[Any]) -> Tasks:
        settings.SENDING = "on"
        return Tasks(corp)

    def test_tasks_created_together_are_one_card_for_each_member(
        self, tasks: Tasks, draft: Make, alice: User, settings: Any
    ) -> None:
        settings.CLOCK_OFFSET = _to_the_middle_of_a_card(settings)
        for text in ("新品上架", "今日秒杀"):
            pace.approve(draft(chosen={}, text=text), alice)

        tasks.work()

        assert Dispatch.objects.filter(state="sent").count() == 4
        messages = tasks.ledger("app_message")
        assert sorted(user for message in messages for user in message["received"]) == ["wanglei", "zhaomin"]
        assert {(notice.staff.userid, notice.state) for notice in Notice.objects.all()} == {
            ("wanglei", "sent"), ("zhaomin", "sent"),
        }  # fmt: skip
        assert {notice.url for notice in Notice.objects.all()} == {f"{settings.PUBLIC_URL}/h5/tasks/"}

    @pytest.mark.parametrize("trouble", ["address", "database"])
    def test_a_card_that_cannot_be_written_holds_up_no_task(
        self, tasks: Tasks, draft: Make, alice: User, monkeypatch: pytest.MonkeyPatch, trouble: str
    ) -> None:
        if trouble == "address":
            monkeypatch.setattr(tasknotices, "addresses", [lambda staff: "x" * (ADDRESS + 1)])
        else:
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE contacts_notice ADD CONSTRAINT no_more CHECK (key = '') NOT VALID")
        pace.approve(draft(chosen={}), alice)
        try:
            tasks.work()
        finally:
            if trouble == "database":
                with connection.cursor() as cursor:
                    cursor.execute("ALTER TABLE contacts_notice DROP CONSTRAINT no_more")

        assert tasks.recipients() == [["wmW0", "wmW1", "wmW2"], ["wmZ0", "wmZ1", "wmZ2"]]
        assert Dispatch.objects.filter(state="sent").count() == 2
        assert not Notice.objects.exists()


def _to_the_middle_of_a_card(settings: Any) -> float:
    """An offset that keeps a test from running across the edge between two cards."""
    seconds: float = clock.now().timestamp() - settings.CLOCK_OFFSET
    return tasknotices.TOGETHER / 2 - seconds % tasknotices.TOGETHER
