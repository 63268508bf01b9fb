"""The full sync of chats, over the stand-in's real HTTP."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction

from contacts import sync
from contacts.models import Customer, Staff, SyncRun
from contacts.sync.job import Job
from contacts.sync.kinds import Found, Removal, removals
from groups.models import ChatVersion, GroupChat, Stay
from groups.stays import apply_read, chat_of, dismiss
from scrm.base import clock
from scrm.base.dbclock import db_now
from scrm.wecom.api import group_chats as api

LIST, GET = "externalcontact/groupchat/list", "externalcontact/groupchat/get"
LONG_AGO = int((clock.now() - dt.timedelta(hours=3)).timestamp())


def make_chat(standin: Any, people: int, owner: str = "wanglei") -> tuple[str, list[str]]:
    """A chat of `people` strangers and its owner, three hours old."""
    if owner not in standin.world.book.staff:
        standin.act("create_user", callback=False, userid=owner, name=owner)
    persons = [standin.act("create_person", callback=False)["external_userid"] for _ in range(people)]
    made = standin.act("create_chat", callback=False, owner=owner, name="福利群", members=persons, at=LONG_AGO)
    return made["chat_id"], persons


def leave(standin: Any, chat_id: str, *persons: str) -> None:
    """Without any callback reaching us."""
    standin.act("leave", callback=False, chat_id=chat_id, members=list(persons))


def synced() -> SyncRun:
    return sync.run_inline(sync.start())


def calls(standin: Any, api: str) -> int:
    return int(standin.calls.as_dict().get(api, {}).get("calls", 0))


def present(chat_id: str) -> set[str]:
    return set(Stay.objects.present().filter(chat__chat_id=chat_id).values_list("member_id", flat=True))


def test_reads_chats_with_their_members(standin: Any) -> None:
    chat_id, persons = make_chat(standin, 3)

    run = synced()

    assert (run.state, run.error) == ("done", "")
    chat = GroupChat.objects.get()
    assert (chat.chat_id, chat.name, chat.people, chat.external_people) == (chat_id, "福利群", 4, 3)
    assert chat.owner is not None and chat.owner.userid == "wanglei"
    assert present(chat_id) == {"wanglei", *persons}
    assert (run.counts["chats"], run.counts["members"]) == (1, 4)


def test_who_was_there_at_the_first_read_has_not_joined(standin: Any) -> None:
    make_chat(standin, 3)

    synced()

    assert Stay.objects.filter(joined_known_by="first_read", counted=False).count() == 4
    assert Stay.objects.joins().count() == 0
    assert {int(stay.joined_at.timestamp()) for stay in Stay.objects.all()} == {LONG_AGO}


def test_strangers_are_persons_without_friendship(standin: Any) -> None:
    _, persons = make_chat(standin, 2)

    synced()

    assert set(Customer.objects.values_list("external_userid", flat=True)) == set(persons)
    assert Customer.objects.added().count() == 0


def test_a_second_sync_finds_no_drift(standin: Any) -> None:
    make_chat(standin, 30)
    make_chat(standin, 5)
    synced()
    before = list(Stay.objects.order_by("pk").values_list("pk", "changed_at"))

    run = synced()

    assert run.drift == {}
    assert list(Stay.objects.order_by("pk").values_list("pk", "changed_at")) == before


def test_joins_and_leaves_without_events_are_healed_and_counted(standin: Any) -> None:
    chat_id, persons = make_chat(standin, 120)
    synced()
    read_at = GroupChat.objects.get().read_at
    leave(standin, chat_id, *persons[:2])
    new = standin.act("create_person", callback=False)["external_userid"]
    standin.act("join", callback=False, chat_id=chat_id, members=[new])

    run = synced()

    assert (run.state, run.drift) == ("done", {"members_gone": 2, "members_missing": 1})
    assert present(chat_id) == {"wanglei", new, *persons[2:]}
    gone = Stay.objects.get(member_id=persons[0])
    assert (gone.left_known_by, gone.left_after, gone.quit_scene) == ("sync", read_at, None)
    joined = Stay.objects.get(member_id=new)
    assert (joined.joined_known_by, joined.counted) == ("sync", True)
    assert GroupChat.objects.get().external_people == 119
    assert synced().drift == {}


def test_a_later_read_wins_over_an_older_one(standin: Any) -> None:
    chat_id, persons = make_chat(standin, 3)
    synced()
    later = db_now() + dt.timedelta(minutes=5)
    GroupChat.objects.update(read_at=later)
    leave(standin, chat_id, *persons)

    run = synced()

    assert run.drift == {}
    assert present(chat_id) == {"wanglei", *persons}


def test_whom_a_later_read_shows_before_the_removals_are_written_stays(
    standin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sync's read was late, or the list was; looking for all that is gone may take minutes."""
    chat_id, persons = make_chat(standin, 60)
    synced()
    members = standin.world.chats.chats[chat_id].members
    missing = members.pop(persons[0])

    def look(_job: Job) -> Found:
        members[persons[0]] = missing
        started_at, detail = db_now(), api.fetch(chat_id)
        with transaction.atomic():
            apply_read(detail, started_at=started_at)
        return Found(0, 0)

    monkeypatch.setitem(removals, "slow", Removal("slow", "stays", look, lambda _job, _found: {}))
    run = synced()

    assert (run.state, run.drift) == ("done", {})
    assert persons[0] in present(chat_id)
    assert GroupChat.objects.get().external_people == 60


def test_many_leavers_at_once_wait_for_a_person(standin: Any) -> None:
    chat_id, persons = make_chat(standin, 60)
    synced()
    leave(standin, chat_id, *persons[:10])

    run = synced()

    assert (run.state, run.held) == ("held", 10)
    assert len(present(chat_id)) == 61
    sync.accept_removals(run)
    sync.run_inline(run)
    assert (run.state, run.drift) == ("done", {"members_gone": 10})
    assert present(chat_id) == {"wanglei", *persons[10:]}


def test_an_empty_member_list_takes_nobody_out_unasked(standin: Any) -> None:
    chat_id, persons = make_chat(standin, 20)
    synced()
    leave(standin, chat_id, *persons)

    assert synced().state == "held"
    assert len(present(chat_id)) == 21


def test_a_chat_that_was_dismissed_unnoticed_ends_without_leaves(standin: Any) -> None:
    make_chat(standin, 100)
    gone, _ = make_chat(standin, 1)
    synced()
    standin.act("dismiss_chat", callback=False, chat_id=gone)

    run = synced()

    assert (run.state, run.drift) == ("done", {"chats_dismissed": 1})
    chat = GroupChat.objects.get(chat_id=gone)
    assert chat.dismissed_at is not None
    assert set(chat.stays.values_list("left_known_by", flat=True)) == {"dismissed"}
    assert Stay.objects.leaves().count() == 0


def test_a_chat_that_was_dismissed_before_anybody_could_read_it_is_no_living_one(standin: Any) -> None:
    """All that we were ever told is that it was made."""
    make_chat(standin, 1)
    synced()
    GroupChat.objects.create(chat_id="wrNever", read_at=db_now() - dt.timedelta(hours=1))
    GroupChat.objects.create(chat_id="wrYoung")  # told of a moment ago, asked for by nobody yet

    run = synced()

    assert (run.state, run.drift) == ("done", {"chats_dismissed": 1})
    living = set(GroupChat.objects.living().values_list("chat_id", flat=True))
    assert "wrNever" not in living
    assert "wrYoung" in living


@contextmanager
def out_of_sight(standin: Any, chat_id: str) -> Iterator[Any]:
    """The chat's owner is outside of the app's visible range: no list holds it, no read of it is answered."""
    chats = standin.world.chats.chats
    hidden = chats.pop(chat_id)
    try:
        yield hidden
    finally:
        chats[chat_id] = hidden


def test_a_chat_that_is_in_sight_again_comes_back_with_its_stays(standin: Any) -> None:
    make_chat(standin, 150)
    chat_id, (one, other) = make_chat(standin, 2)
    synced()
    started = {stay.member_id: (stay.pk, stay.joined_at) for stay in Stay.objects.filter(chat__chat_id=chat_id)}
    shown_at = GroupChat.objects.get(chat_id=chat_id).shown_at
    with out_of_sight(standin, chat_id):
        assert synced().drift == {"chats_dismissed": 1}
        chat = GroupChat.objects.get(chat_id=chat_id)
        assert (chat.dismissed_known_by, chat.people, present(chat_id)) == ("sync", 0, set())
        assert synced().drift == {}
    leave(standin, chat_id, other)

    run = synced()

    assert run.drift == {"chats_returned": 1, "members_gone": 1}
    chat.refresh_from_db()
    assert (chat.dismissed_at, chat.dismissed_known_by, chat.people) == (None, "", 2)
    assert present(chat_id) == {"wanglei", one}
    stays = Stay.objects.filter(chat=chat)
    assert {stay.member_id: (stay.pk, stay.joined_at) for stay in stays} == started
    gone = stays.get(member_id=other)
    assert (gone.left_known_by, gone.left_after) == ("sync", shown_at)
    assert list(Stay.objects.leaves()) == [gone]
    assert Stay.objects.joins().count() == 0


def test_who_came_again_while_a_chat_was_out_of_sight_has_two_stays(standin: Any) -> None:
    make_chat(standin, 100)
    chat_id, (one,) = make_chat(standin, 1)
    synced()
    with out_of_sight(standin, chat_id):
        assert synced().drift == {"chats_dismissed": 1}
    leave(standin, chat_id, one)
    again = int(clock.now().timestamp()) - 60
    standin.act("join", callback=False, chat_id=chat_id, members=[one], at=again)

    synced()

    rows = Stay.objects.filter(member_id=one).order_by("joined_at")
    assert [(int(row.joined_at.timestamp()), row.left_known_by) for row in rows] == [(LONG_AGO, "sync"), (again, "")]


def test_a_read_that_began_before_a_chat_went_out_of_sight_does_not_bring_it_back(standin: Any) -> None:
    make_chat(standin, 100)
    chat_id, _ = make_chat(standin, 1)
    synced()
    earlier, detail = db_now(), api.fetch(chat_id)
    with out_of_sight(standin, chat_id):
        assert synced().drift == {"chats_dismissed": 1}

    with transaction.atomic():
        assert not apply_read(detail, started_at=earlier).applied
    assert GroupChat.objects.get(chat_id=chat_id).is_out_of_sight
    with transaction.atomic():
        assert apply_read(detail, started_at=db_now()).applied
    assert GroupChat.objects.get(chat_id=chat_id).dismissed_at is None


def test_a_dismissal_that_an_event_told_of_stands_against_any_list(standin: Any) -> None:
    chat_id, _ = make_chat(standin, 1)
    synced()
    with transaction.atomic():
        dismiss(chat_of(chat_id), clock.now())

    synced()

    chat = GroupChat.objects.get(chat_id=chat_id)
    assert (chat.dismissed_known_by, chat.people, present(chat_id)) == ("event", 0, set())


def test_a_new_chat_is_counted_as_missing(standin: Any) -> None:
    make_chat(standin, 2)
    synced()
    chat_id, persons = make_chat(standin, 2)

    run = synced()

    assert run.drift == {"chats_missing": 1}
    assert present(chat_id) == {"wanglei", *persons}


def test_somebody_who_joined_a_moment_ago_is_not_taken_for_gone_at_once(standin: Any) -> None:
    chat_id, persons = make_chat(standin, 60)
    synced()
    just_now = clock.now() - dt.timedelta(seconds=6)
    Stay.objects.filter(member_id=persons[0]).update(joined_at=just_now, read_joined_at=just_now)
    leave(standin, chat_id, persons[0])

    run = synced()

    stay = Stay.objects.get(member_id=persons[0])
    assert run.drift == {"members_gone": 1}
    assert stay.left_at is not None and stay.left_at - stay.joined_at >= dt.timedelta(seconds=10)


def test_pages_of_the_list_become_steps_of_forty_chats(standin: Any) -> None:
    for _ in range(45):
        make_chat(standin, 1)

    run = synced()

    assert GroupChat.objects.count() == 45
    assert sorted(len(step.payload) for step in run.steps.filter(kind="chats")) == [5, 40]
    assert calls(standin, GET) == 45


def test_asks_by_owner_where_the_platform_has_too_many_staff(standin: Any) -> None:
    for number in range(1001):
        standin.act("create_user", callback=False, userid=f"u{number:04d}", follows=number < 150)
    chat_ids = {make_chat(standin, 1, owner="u0003")[0], make_chat(standin, 1, owner="u0140")[0]}

    run = synced()

    assert (run.state, run.error) == ("done", "")
    assert set(GroupChat.objects.values_list("chat_id", flat=True)) == chat_ids
    assert calls(standin, LIST) == 3  # refused once, then a hundred and fifty owners


def test_asks_by_owner_for_chats_out_of_sight_too(standin: Any) -> None:
    for number in range(1001):
        standin.act("create_user", callback=False, userid=f"u{number:04d}", follows=number < 3)
    chat_id, _ = make_chat(standin, 1, owner="u0900")
    owner = Staff.objects.create(userid="u0900")
    sync_ = GroupChat.DismissedBy.SYNC
    GroupChat.objects.create(chat_id=chat_id, owner=owner, dismissed_at=clock.now(), dismissed_known_by=sync_)

    synced()

    chat = GroupChat.objects.get()
    assert (chat.dismissed_at, chat.people) == (None, 2)


def test_the_version_of_a_read_is_known_to_later_events(standin: Any) -> None:
    make_chat(standin, 1)

    synced()

    chat = GroupChat.objects.get()
    assert chat.member_version
    assert [row.version for row in ChatVersion.objects.filter(chat=chat)] == [chat.member_version]
