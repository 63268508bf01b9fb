"""The mirror of chats: what events and reads make of the membership ledger."""

import datetime as dt
import itertools
import time

import pytest
from django.db import transaction

from contacts.models import Customer
from groups.models import ChatGap, GroupChat, Stay
from groups.stays import chat_of, dismiss
from scrm.base import clock
from scrm.base.models import Work
from scrm.base.work import run
from tests.corp import Corp
from tests.passing import Passing
from tests.processes import eventually


@pytest.fixture
def t0(moment: dt.datetime) -> int:
    return int(moment.timestamp())


@pytest.fixture
def chat(corp: Corp, t0: int) -> str:
    """福利群 of 王磊, read for the first time."""
    made = corp.happens("create_chat", owner="wanglei", name="福利群", chat_id="wrFuli", at=t0 - 1000)
    return str(made["chat_id"])


def stays(member: str) -> list[tuple[int, int | None, str]]:
    """(joined, left, known by) in unix seconds, oldest first."""
    return [
        (int(row.joined_at.timestamp()), int(row.left_at.timestamp()) if row.left_at else None, row.left_known_by)
        for row in Stay.objects.filter(member_id=member).order_by("joined_at")
    ]


def test_a_chat_is_known_with_owner_and_name(corp: Corp, chat: str) -> None:
    row = GroupChat.objects.get()

    assert (row.chat_id, row.name, row.owner and row.owner.userid, row.people, row.external_people) == (
        chat, "福利群", "wanglei", 1, 0,
    )  # fmt: skip
    assert Stay.objects.joins().count() == 0


def test_join_leave_and_rejoin_are_two_stays(corp: Corp, chat: str, t0: int) -> None:
    corp.happens("join", chat_id=chat, members="wmLin", state="grp_7", at=t0)
    assert GroupChat.objects.get().external_people == 1
    corp.happens("leave", chat_id=chat, members="wmLin", at=t0 + 100)
    assert GroupChat.objects.get().external_people == 0
    corp.happens("join", chat_id=chat, members="wmLin", at=t0 + 200)

    assert stays("wmLin") == [(t0, t0 + 100, "event"), (t0 + 200, None, "")]
    first = Stay.objects.filter(member_id="wmLin").order_by("joined_at").first()
    assert first is not None
    assert (first.state, first.join_scene, first.quit_scene) == ("grp_7", 3, 0)
    assert Customer.objects.get().first_added_at is None  # a stranger


def test_a_removal_is_no_leave(corp: Corp, chat: str, t0: int) -> None:
    corp.happens("join", chat_id=chat, members="wmLin", at=t0)
    corp.happens("kick", chat_id=chat, members="wmLin", at=t0 + 100)

    assert Stay.objects.leaves().count() == 0
    assert Stay.objects.get(member_id="wmLin").quit_scene == 1


def test_one_event_may_tell_of_several_joins(corp: Corp, chat: str, t0: int) -> None:
    corp.happens("join", chat_id=chat, members=["wmA", "wmB", "wmC"], at=t0)

    assert Stay.objects.joins().count() == 3


def test_a_leaver_whom_no_event_names_is_found_by_comparison(corp: Corp, chat: str, t0: int) -> None:
    corp.happens("join", chat_id=chat, members="wmLin", at=t0)
    corp.happens("swap", chat_id=chat, joins=["wmMei"], leaves=["wmLin"], at=t0 + 50)

    lin = Stay.objects.get(member_id="wmLin")
    assert lin.left_known_by == "diff"
    assert lin.left_after is not None and lin.left_after >= clock.from_unix(t0)
    assert stays("wmMei") == [(t0 + 50, None, "")]


def test_a_lost_event_is_a_gap_and_healed_by_the_read(corp: Corp, chat: str, t0: int) -> None:
    corp.happens("join", chat_id=chat, members="wmLin", at=t0)
    corp.act("join", callback=False, chat_id=chat, members="wmMei", at=t0 + 10)
    corp.happens("join", chat_id=chat, members="wmHua", at=t0 + 20)

    gap = ChatGap.objects.get()
    assert gap.healed_by == "read"
    assert stays("wmMei") == [(t0 + 10, None, "")]
    assert Stay.objects.joins().count() == 3


def test_events_in_the_wrong_order_are_no_lasting_gap(corp: Corp, chat: str, t0: int) -> None:
    corp.act("join", chat_id=chat, members="wmLin", at=t0)
    corp.act("join", chat_id=chat, members="wmMei", at=t0 + 10)
    first, second = corp.waiting
    corp.deliver([second])
    run.run_due()
    corp.deliver([first])
    run.run_due()

    assert not ChatGap.objects.filter(healed_at=None).exists()
    assert stays("wmLin") == [(t0, None, "")]


def test_dismissal_is_nobodys_leave(corp: Corp, chat: str, t0: int) -> None:
    corp.happens("join", chat_id=chat, members="wmLin", at=t0)
    corp.happens("dismiss_chat", chat_id=chat, at=t0 + 60)

    assert stays("wmLin") == [(t0, t0 + 60, "dismissed")]
    assert Stay.objects.leaves().count() == 0
    assert GroupChat.objects.get().dismissed_at == clock.from_unix(t0 + 60)


def test_who_joined_before_a_dismissal_that_was_told_first_left_with_it(corp: Corp, chat: str, t0: int) -> None:
    corp.act("join", chat_id=chat, members="wmLin", at=t0)
    corp.act("dismiss_chat", chat_id=chat, at=t0 + 60)
    joined, dismissed = corp.waiting
    for event in (dismissed, joined):
        corp.deliver([event])
        run.run_due()

    assert stays("wmLin") == [(t0, t0 + 60, "dismissed")]
    assert (Stay.objects.present().count(), Stay.objects.leaves().count()) == (0, 0)
    row = GroupChat.objects.get()
    assert (row.people, row.external_people, row.dismissed_at) == (0, 0, clock.from_unix(t0 + 60))


def conclude_dismissal(chat: str, at: int) -> None:
    """As a sync does that finds the chat nowhere."""
    with transaction.atomic():
        dismiss(chat_of(chat), clock.from_unix(at), known_by=GroupChat.DismissedBy.SYNC)


def test_an_event_after_a_chat_went_out_of_sight_brings_it_back(corp: Corp, chat: str, t0: int) -> None:
    corp.happens("join", chat_id=chat, members=["wmLin"], at=t0)
    conclude_dismissal(chat, t0 + 60)
    assert stays("wmLin") == [(t0, t0 + 60, "dismissed")]

    corp.happens("join", chat_id=chat, members=["wmChen"], at=t0 + 120)

    row = GroupChat.objects.get()
    assert (row.dismissed_at, row.dismissed_known_by, row.people) == (None, "", 3)
    assert stays("wmLin") == [(t0, None, "")]
    assert stays("wmChen") == [(t0 + 120, None, "")]


def test_the_event_of_a_dismissal_goes_before_what_a_sync_concluded(corp: Corp, chat: str, t0: int) -> None:
    corp.happens("join", chat_id=chat, members=["wmLin"], at=t0)
    conclude_dismissal(chat, t0 + 60)

    corp.happens("dismiss_chat", chat_id=chat, at=t0 + 90)

    row = GroupChat.objects.get()
    assert (row.dismissed_at, row.dismissed_known_by) == (clock.from_unix(t0 + 90), "event")
    assert stays("wmLin") == [(t0, t0 + 90, "dismissed")]


def test_names_notices_and_owners_change(corp: Corp, chat: str) -> None:
    corp.happens("rename_chat", chat_id=chat, name="宠粉群 12")
    corp.happens("change_notice", chat_id=chat, notice="今晚八点")
    corp.happens("change_owner", chat_id=chat, owner="zhaomin")

    row = GroupChat.objects.get()
    assert (row.name, row.notice, row.owner and row.owner.userid) == ("宠粉群 12", "今晚八点", "zhaomin")


def test_members_of_a_chat_met_late_have_not_joined_before_our_eyes(corp: Corp, t0: int) -> None:
    corp.act("create_chat", owner="wanglei", chat_id="wrAlt", callback=False, at=t0)
    corp.act("join", chat_id="wrAlt", members=["wmA", "wmB"], callback=False, at=t0 + 5)
    corp.happens("join", chat_id="wrAlt", members="wmC", at=t0 + 10)

    assert Stay.objects.external().count() == 3
    assert [stay.member_id for stay in Stay.objects.joins()] == ["wmC"]


def test_a_stale_read_neither_removes_the_newcomer_nor_revives_the_leaver(
    corp: Corp, chat: str, passes: Passing, settings: object
) -> None:
    settings.CHAT_REREAD_DELAYS = (1.0, 2.0)  # type: ignore[attr-defined]
    corp.happens("join", chat_id=chat, members="wmLin")
    corp.standin.settings.change({"lag": 60})
    time.sleep(1.1)  # a leave in another second than the join
    corp.act("leave", chat_id=chat, members="wmLin")
    corp.act("join", chat_id=chat, members="wmMei")
    corp.deliver()
    run.run_due()

    assert [(row.member_id, row.left_known_by) for row in Stay.objects.external().order_by("pk")] == [
        ("wmLin", "event"), ("wmMei", ""),
    ]  # fmt: skip
    assert Work.objects.filter(state="waiting").exists()

    passes(61)
    eventually(corp.nothing_is_left, 10)

    assert [(row.member_id, row.left_known_by) for row in Stay.objects.external().order_by("pk")] == [
        ("wmLin", "event"), ("wmMei", ""),
    ]  # fmt: skip
    assert not Work.objects.filter(state="waiting").exists()


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
def test_the_order_of_events_does_not_matter(corp: Corp, chat: str, t0: int, order: tuple[int, ...]) -> None:
    corp.act("join", chat_id=chat, members=["wmLin", "wmMei"], at=t0)
    corp.act("leave", chat_id=chat, members="wmLin", at=t0 + 100)
    corp.act("join", chat_id=chat, members="wmLin", at=t0 + 200)
    corp.act("leave", chat_id=chat, members="wmMei", at=t0 + 300)
    events = corp.waiting
    for index in order:
        corp.deliver([events[index]], times=3)
        run.run_due()

    assert stays("wmLin") == [(t0, t0 + 100, "event"), (t0 + 200, None, "")]
    assert stays("wmMei") == [(t0, t0 + 300, "event")]
    assert Stay.objects.joins().count() == 3


def test_old_events_without_versions_or_names_are_read_by_comparison(corp: Corp, chat: str, t0: int) -> None:
    corp.happens("join", chat_id=chat, members="wmLin", at=t0, versions=False, named=False)

    assert stays("wmLin") == [(t0, None, "")]
    assert Stay.objects.joins().count() == 1


def test_a_leave_of_somebody_never_seen_is_a_leave_and_no_join(corp: Corp, chat: str, t0: int) -> None:
    corp.act("join", callback=False, chat_id=chat, members="wmLin", at=t0)
    corp.happens("leave", chat_id=chat, members="wmLin", at=t0 + 100)

    assert stays("wmLin") == [(t0 + 100, t0 + 100, "event")]
    assert (Stay.objects.joins().count(), Stay.objects.leaves().count()) == (0, 1)


def test_a_list_that_dates_the_join_later_than_the_event_does_not_double_it(corp: Corp, chat: str, t0: int) -> None:
    corp.act("join", chat_id=chat, members="wmLin", at=t0)
    view = corp.standin.world.chats.get(chat)
    late = view.members["wmLin"]._replace(join_time=t0 + 90)
    corp.standin.world.chats.chats[chat] = view._replace(members={**view.members, "wmLin": late})
    corp.deliver()
    run.run_due()

    assert stays("wmLin") == [(t0 + 90, None, "")]
    assert Stay.objects.joins().count() == 1


def stays_of_staff(chat: str) -> list[tuple[str, str, int, int | None]]:
    """(member_id, userid, joined, left) in unix seconds."""
    rows = Stay.objects.filter(chat__chat_id=chat, staff__isnull=False).order_by("member_id", "joined_at")
    return [
        (
            row.member_id,
            row.staff.userid,
            int(row.joined_at.timestamp()),
            int(row.left_at.timestamp()) if row.left_at else None,
        )
        for row in rows.select_related("staff")
        if row.staff
    ]


def test_a_member_of_staff_who_is_renamed_leaves_under_the_new_userid(corp: Corp, chat: str, t0: int) -> None:
    """What the events said of the old userid is said of this member."""
    corp.happens("join", chat_id=chat, members=["zhaomin"], at=t0 + 60)
    Stay.objects.filter(member_id="zhaomin").update(read_joined_at=None)
    corp.happens("rename_user", userid="zhaomin", new_userid="zhao.min")

    corp.happens("leave", chat_id=chat, members="zhao.min", at=t0 + 300)

    assert stays_of_staff(chat)[-1] == ("zhao.min", "zhao.min", t0 + 60, t0 + 300)
    assert len(stays_of_staff(chat)) == 2


def test_a_read_that_names_staff_anew_before_the_event_makes_no_second_stay(corp: Corp, chat: str, t0: int) -> None:
    """The list lacked the old userid and held the new one: that was nobody's leave."""
    corp.happens("join", chat_id=chat, members=["zhaomin"], at=t0 + 60)
    corp.act("rename_user", userid="zhaomin", new_userid="zhao.min")
    (renamed,) = corp.waiting
    corp.act("join", chat_id=chat, members=["wmLin"], at=t0 + 120)
    corp.deliver(corp.waiting[1:])
    run.run_due()
    assert len(stays_of_staff(chat)) == 3

    corp.deliver([renamed])
    run.run_due()

    assert stays_of_staff(chat)[-1] == ("zhao.min", "zhao.min", t0 + 60, None)
    assert len(stays_of_staff(chat)) == 2
    assert GroupChat.objects.get(chat_id=chat).people == len(Stay.objects.present())
