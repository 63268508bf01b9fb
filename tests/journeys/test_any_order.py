"""Each event three times, in any order: the ledgers end as the world is."""

import datetime as dt
import random
from typing import Any

import pytest

from contacts.models import Customer, Follow
from groups.models import ChatGap, GroupChat, Stay
from scrm.base.models import Work
from scrm.base.work import run
from tests.corp import Corp

PEOPLE = ["wmLin", "wmMei", "wmHua"]


def play(corp: Corp, rng: random.Random, t0: int) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """A small life of three people; returns what the ledgers must say: periods and stays per person."""
    chat, at = f"wr{rng.randrange(10**9)}", t0
    corp.act("create_chat", owner="wanglei", chat_id=chat, at=at)
    friends: dict[str, list[Any]] = {person: [] for person in PEOPLE}
    present: dict[str, list[Any]] = {person: [] for person in PEOPLE}
    for _ in range(rng.randint(4, 9)):
        at += rng.randint(70, 400)
        person = rng.choice(PEOPLE)
        befriended = bool(friends[person]) and friends[person][-1][1] is None
        sitting = bool(present[person]) and present[person][-1][1] is None
        if rng.random() < 0.5:
            _befriend(corp, rng, friends[person], person, at, befriended=befriended)
        elif sitting:
            corp.act(rng.choice(["leave", "kick"]), chat_id=chat, members=person, at=at)
            present[person][-1][1] = at
        else:
            corp.act("join", chat_id=chat, members=person, at=at)
            present[person].append([at, None])
    if rng.random() < 0.3:
        at += rng.randint(70, 400)
        corp.act("dismiss_chat", chat_id=chat, at=at)
        for rows in present.values():
            if rows and rows[-1][1] is None:
                rows[-1][1] = at
    return friends, present


def _befriend(corp: Corp, rng: random.Random, periods: list[Any], person: str, at: int, *, befriended: bool) -> None:
    if not befriended:
        keep = bool(periods) and rng.random() < 0.5
        corp.act("add", userid="wanglei", external_userid=person, at=at, welcome=False, keep_createtime=keep or None)
        periods.append([at, None, ""])
        return
    by = rng.choice(["customer", "staff"])
    corp.act(f"delete_by_{by}", userid="wanglei", external_userid=person, at=at)
    periods[-1][1:] = [at, by]


def seconds(moment: dt.datetime | None) -> int | None:
    return int(moment.timestamp()) if moment else None


def ledger_of_friends() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {person: [] for person in PEOPLE}
    for row in Follow.objects.select_related("customer").order_by("added_at"):
        found[row.customer.external_userid].append([seconds(row.added_at), seconds(row.ended_at), row.ended_by])
    return found


def ledger_of_stays() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {person: [] for person in PEOPLE}
    for row in Stay.objects.external().order_by("joined_at"):
        found[row.member_id].append([seconds(row.joined_at), seconds(row.left_at)])
    return found


@pytest.mark.parametrize("seed", range(16))
def test_any_order_and_any_repetition_end_in_the_same_ledgers(corp: Corp, moment: dt.datetime, seed: int) -> None:
    rng = random.Random(seed)
    friends, stays = play(corp, rng, int(moment.timestamp()) - 3600)
    events = corp.waiting * 3
    rng.shuffle(events)
    for start in range(0, len(events), 5):
        corp.deliver(events[start : start + 5])
        run.run_due()
    run.run_due()

    assert ledger_of_friends() == friends
    assert ledger_of_stays() == stays
    gaps = ChatGap.objects.filter(healed_at=None)
    assert not gaps.filter(chat__dismissed_at=None).exists()  # a dismissed chat is never read again
    chat = GroupChat.objects.get()
    assert chat.external_people == sum(1 for rows in stays.values() if rows and rows[-1][1] is None)
    for person in PEOPLE:
        row = Customer.objects.filter(external_userid=person).first()
        open_now = bool(friends[person]) and friends[person][-1][1] is None
        assert (row.open_follows if row else 0) == int(open_now)
    assert not Work.objects.exclude(state__in=["done", "ignored"]).exists()
