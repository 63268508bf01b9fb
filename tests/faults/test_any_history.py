"""Any history under any faults: people come and go, callbacks are lost, repeated and reordered, reads are late, calls fail,
workers die. After every step nothing acknowledged is lost and no ledger contradicts itself; after the last sync both
worlds are equal, as far as they can be known.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from contacts import sync
from contacts.models import Follow, SyncRun
from groups.models import Stay
from scrm.base import clock
from scrm.base.models import Work
from scrm.base.work import run
from scrm.standin.callbacks import Callback
from scrm.standin.errors import Refusal
from scrm.wecom.models import Callback as Stored
from tests.corp import Corp
from tests.faults import places
from tests.faults.dying import let_leases_end
from tests.faults.histories import STAFF, Died, deadly, live
from tests.faults.worlds import ours, theirs

PEOPLE, CHATS = ["wmLin", "wmMei", "wmHua"], ["wrA", "wrB"]
PAIRS = st.tuples(st.sampled_from(STAFF), st.sampled_from(PEOPLE))
SEATS = st.tuples(st.sampled_from(CHATS), st.sampled_from(PEOPLE))
GAPS = st.sampled_from([1, 7, 61, 400])  # seconds between two happenings
LANES = ("welcome", "mirror:contact", "mirror:chat", "mirror:staff")
READS = ["externalcontact/get", "externalcontact/groupchat/get", "externalcontact/send_welcome_msg"]
BROKEN = [("status", 503), ("drop_before", 0), ("reset_after", 0), ("garbage", 0), ("errcode", 60111)]
PLACES = [*places.WELCOME, *places.CONTACT, *places.CHAT]


def time_passes(seconds: int) -> None:
    """Everything that the database's clock has dated becomes so much older."""
    with connection.cursor() as cursor:
        span = f"interval '{seconds} seconds'"
        cursor.execute(f"UPDATE base_work SET not_before = not_before - {span}, created_at = created_at - {span}")
        for table in ("contacts_customer", "contacts_staff", "contacts_listing", "groups_groupchat"):
            cursor.execute(f"UPDATE {table} SET read_at = read_at - {span}")


class History(RuleBasedStateMachine):
    """One corp from its first day on."""

    def __init__(self, new_corp: Callable[[], Corp], settings: Any) -> None:
        super().__init__()
        self.corp, self.settings = new_corp(), settings
        self.kept: list[Callback] = []  # told by nobody so far
        self.acknowledged: list[Callback] = []
        self.uncertain: set[tuple[str, str]] = set()  # friendships of which an event was lost
        self.at = int(clock.now().timestamp()) - 6 * 3600

    @initialize()
    def begin(self) -> None:
        for chat in CHATS:
            self._happens("create_chat", owner="wanglei", chat_id=chat, name=chat)
        for userid in STAFF:  # a platform that shows nobody at all would not be believed
            self._happens("add", userid=userid, external_userid="wmFriend", welcome=False)

    # --- what happens at the platform ---------------------------------------------------------------------------------

    def _happens(self, verb: str, gap: int = 61, **given: Any) -> None:
        self.at += gap
        before = len(self.corp.standin.callbacks.log)
        try:
            self.corp.act(verb, at=self.at, **given)
        except Refusal:
            return
        self.kept += list(self.corp.standin.callbacks.log)[before:]

    @rule(pair=PAIRS, gap=GAPS, half=st.booleans())
    def befriend(self, pair: tuple[str, str], gap: int, half: bool) -> None:
        self._happens("half_add" if half else "add", gap, userid=pair[0], external_userid=pair[1])

    @rule(pair=PAIRS, gap=GAPS)
    def becomes_whole(self, pair: tuple[str, str], gap: int) -> None:
        self._happens("upgrade", gap, userid=pair[0], external_userid=pair[1])

    @rule(pair=PAIRS, gap=GAPS, by=st.sampled_from(["customer", "staff"]))
    def part(self, pair: tuple[str, str], gap: int, by: str) -> None:
        self._happens(f"delete_by_{by}", gap, userid=pair[0], external_userid=pair[1])

    @rule(seat=SEATS, gap=GAPS, named=st.booleans())
    def join(self, seat: tuple[str, str], gap: int, named: bool) -> None:
        self._happens("join", gap, chat_id=seat[0], members=seat[1], named=named)

    @rule(seat=SEATS, gap=GAPS, verb=st.sampled_from(["leave", "kick"]))
    def leave(self, seat: tuple[str, str], gap: int, verb: str) -> None:
        self._happens(verb, gap, chat_id=seat[0], members=seat[1])

    @rule(chat=st.sampled_from(CHATS), verb=st.sampled_from(["rename_chat", "change_owner"]))
    def change(self, chat: str, verb: str) -> None:
        given: dict[str, Any] = {"name": f"群{self.at}"} if verb == "rename_chat" else {"owner": "zhaomin"}
        self._happens(verb, chat_id=chat, **given)

    @rule()
    def dismiss(self) -> None:
        self._happens("dismiss_chat", chat_id=CHATS[1])

    # --- what reaches us ----------------------------------------------------------------------------------------------

    @precondition(lambda self: self.kept)
    @rule(data=st.data(), times=st.integers(1, 3), keep=st.booleans())
    def deliver(self, data: st.DataObject, times: int, keep: bool) -> None:
        """Any of those that wait; `keep`: it comes once more later."""
        told = data.draw(st.sampled_from(self.kept), label="told")
        self.corp.deliver([told], times=times)
        self.acknowledged.append(told)
        if not keep:
            self.kept.remove(told)

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        lost = data.draw(st.sampled_from(self.kept), label="lost")
        self.kept.remove(lost)
        if lost not in self.acknowledged:
            self.uncertain.add(_pair(lost))

    @rule(seconds=st.sampled_from([0, 3600]))
    def reads_lag(self, seconds: int) -> None:
        """What happens from now on is shown at once, or not before the lag is over."""
        self.corp.standin.world.settings.lag = seconds
        if not seconds:
            self.corp.standin.world.lag.settle()

    @rule(api=st.sampled_from(READS), broken=st.sampled_from(BROKEN))
    def call_fails(self, api: str, broken: tuple[str, int]) -> None:
        self.corp.standin.faults.add({"api": api, "action": broken[0], "value": broken[1]})

    # --- what we do ---------------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0, 6, 90]))
    def work(self, seconds: int) -> None:
        time_passes(seconds)
        run.run_due(LANES)

    @rule(place=st.sampled_from(PLACES))
    def worker_dies(self, place: str) -> None:
        try:
            with deadly(place, self.settings):
                run.run_due(LANES)
        except Died:
            let_leases_end()
            # three deaths in a row at one job are poison, which is tried elsewhere
            Work.objects.filter(state="leased", attempts__gt=1).update(attempts=1)

    @rule()
    def sync(self) -> None:
        begun = sync.start()
        SyncRun.objects.filter(pk=begun.pk).update(accepted=True)  # few people: any removal is more than 2 %
        run.run_due(["sync"])
        Work.objects.filter(lane="sync", state="waiting").update(not_before="2000-01-01T00:00:00Z")

    # --- what must hold -----------------------------------------------------------------------------------------------

    @invariant()
    def nobody_is_greeted_twice(self) -> None:
        codes = [row["code"] for row in self.corp.welcomes()]
        assert len(set(codes)) == len(codes)

    @invariant()
    def nothing_acknowledged_is_lost(self) -> None:
        assert Stored.objects.count() == len({told.xml for told in self.acknowledged})
        assert not Work.objects.filter(state="quarantined").exists()

    @invariant()
    def periods_and_stays_do_not_overlap(self) -> None:
        for rows in (
            Follow.objects.order_by("staff", "customer", "added_at", "pk").values_list(
                "staff", "customer", "added_at", "ended_at"
            ),
            Stay.objects.order_by("chat", "member_id", "joined_at", "pk").values_list(
                "chat", "member_id", "joined_at", "left_at"
            ),
        ):
            before: Any = None
            for first, second, began, ended in rows:
                if before and before[:2] == (first, second):
                    assert before[2] is not None and before[2] <= began, (before, began)
                before = (first, second, ended)

    def teardown(self) -> None:
        """What is left is told, what is late is shown, everything is read: the two worlds are equal."""
        self.corp.standin.faults.clear()
        self.corp.standin.world.settings.lag = 0
        self.corp.standin.world.lag.settle()
        if self.kept:
            self.corp.deliver(self.kept)
            self.acknowledged += self.kept
            self.kept = []
        for _ in range(4):
            time_passes(90)
            run.run_due(LANES)
        self.sync()
        run.run_due(["sync"])
        self.sync()

        mine, platforms = ours(), theirs(self.corp)
        assert mine["chats"] == platforms["chats"]
        assert _certain(mine["friends"], self.uncertain) == _certain(platforms["friends"], self.uncertain)
        gone = {who[:2] for who in mine["friends"]} - self._listed()
        assert not gone, "staff deleted them: a sync proves it"
        left = Work.objects.exclude(state__in=["done", "ignored"])
        assert not list(left.values_list("lane", "state", "error", "attempts"))
        assert {row.state for row in SyncRun.objects.all()} == {"done"}

    def _listed(self) -> set[tuple[str, str]]:
        people = self.corp.standin.world.contacts.customers.values()
        return {(follow.userid, person.external_userid) for person in people for follow in person.follows}


def _pair(told: Callback) -> tuple[str, str]:
    return str(told.fields.get("UserID", "")), str(told.fields.get("ExternalUserID", ""))


def _certain(friends: set[tuple[str, str, bool]], uncertain: set[tuple[str, str]]) -> set[tuple[str, str, bool]]:
    """Who deleted us stays listed for ever: without its event nobody can know."""
    return {friend for friend in friends if friend[:2] not in uncertain}


def test_any_history_ends_in_two_equal_worlds(new_corp: Callable[[], Corp], settings: Any) -> None:
    live(lambda: History(new_corp, settings), 4, derandomize=True)


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_many_histories_end_in_two_equal_worlds(new_corp: Callable[[], Corp], settings: Any) -> None:
    live(lambda: History(new_corp, settings), int(os.environ.get("HISTORIES", "400")), derandomize=False)
