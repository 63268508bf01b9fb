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
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

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
from tests.faults.histories import STAFF, live, works_until_killed
from tests.faults.worlds import ours, theirs

PEOPLE, CHATS = ["wmLin", "wmMei", "wmHua"], ["wrA", "wrB"]
GAPS = st.sampled_from([1, 7, 61, 400])  # seconds between two happenings
FRIENDS_DO = ["add", "add", "half_add", "upgrade", "delete_by_customer", "delete_by_staff"]
DEEDS = [
    "friends_change", "friends_change", "friends_change", "members_change", "members_change", "chat_changes",
    "chat_is_dismissed", "deliver", "deliver", "deliver", "lose", "reads_lag", "call_fails", "work", "work",
    "worker_dies", "sync",
]  # fmt: skip
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

        for chat in CHATS:
            self._happens("create_chat", owner="wanglei", chat_id=chat, name=chat)
        for userid in STAFF:  # a platform that shows nobody at all would not be believed
            self._happens("add", userid=userid, external_userid="wmFriend", welcome=False)

    @rule(deed=st.sampled_from(DEEDS), data=st.data())
    def step(self, deed: str, data: st.DataObject) -> None:
        """One rule for all, or a life would be without some of them."""
        getattr(self, f"_{deed}")(data)

    # --- what happens at the platform ---------------------------------------------------------------------------------

    def _happens(self, verb: str, gap: int = 61, **given: Any) -> None:
        self.at += gap
        before = len(self.corp.standin.callbacks.log)
        try:
            self.corp.act(verb, at=self.at, **given)
        except Refusal:
            return
        self.kept += list(self.corp.standin.callbacks.log)[before:]

    def _friends_change(self, data: st.DataObject) -> None:
        verb = data.draw(st.sampled_from(FRIENDS_DO))
        staff, person = data.draw(st.sampled_from(STAFF)), data.draw(st.sampled_from(PEOPLE))
        self._happens(verb, data.draw(GAPS), userid=staff, external_userid=person)

    def _members_change(self, data: st.DataObject) -> None:
        verb = data.draw(st.sampled_from(["join", "join", "leave", "kick"]))
        given = {"named": data.draw(st.booleans())} if verb == "join" else {}
        chat_id, member = data.draw(st.sampled_from(CHATS)), data.draw(st.sampled_from(PEOPLE))
        self._happens(verb, data.draw(GAPS), chat_id=chat_id, members=member, **given)

    def _chat_changes(self, data: st.DataObject) -> None:
        verb, chat_id = data.draw(st.sampled_from(["rename_chat", "change_owner"])), data.draw(st.sampled_from(CHATS))
        given: dict[str, Any] = (
            {"name": f"群{self.at}"} if verb == "rename_chat" else {"owner": data.draw(st.sampled_from(STAFF))}
        )
        self._happens(verb, chat_id=chat_id, **given)

    def _chat_is_dismissed(self, data: st.DataObject) -> None:
        self._happens("dismiss_chat", chat_id=CHATS[1])

    # --- what reaches us ----------------------------------------------------------------------------------------------

    def _deliver(self, data: st.DataObject) -> None:
        """Some of those that wait, in any order; one of them perhaps repeated, or once more later."""
        if not self.kept:
            return
        chosen = data.draw(st.lists(st.sampled_from(range(len(self.kept))), min_size=1, max_size=4, unique=True))
        told, times = [self.kept[number] for number in chosen], data.draw(st.integers(1, 3))
        self.corp.deliver(told, times=times)
        self.acknowledged += told
        for item in told[data.draw(st.integers(0, 1)) :]:
            self.kept.remove(item)

    def _lose(self, data: st.DataObject) -> None:
        if self.kept:
            lost = self.kept.pop(data.draw(st.integers(0, len(self.kept) - 1)))
            if lost not in self.acknowledged:
                self.uncertain.add(_pair(lost))

    def _reads_lag(self, data: st.DataObject) -> None:
        """What happens from now on is shown at once, or not before the lag is over."""
        self.corp.standin.world.settings.lag = data.draw(st.sampled_from([0, 3600]))
        if not self.corp.standin.world.settings.lag:
            self.corp.standin.world.lag.settle()

    def _call_fails(self, data: st.DataObject) -> None:
        api, (action, value) = data.draw(st.sampled_from(READS)), data.draw(st.sampled_from(BROKEN))
        self.corp.standin.faults.add({"api": api, "action": action, "value": value})

    # --- what we do ---------------------------------------------------------------------------------------------------

    def _work(self, data: st.DataObject) -> None:
        time_passes(data.draw(st.sampled_from([0, 6, 90])))
        run.run_due(LANES)

    def _worker_dies(self, data: st.DataObject) -> None:
        works_until_killed(lambda: run.run_due(LANES), data.draw(st.sampled_from(PLACES)), self.settings)

    def _sync(self, data: st.DataObject) -> None:
        self.read_everything()

    def read_everything(self) -> None:
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
        self.read_everything()
        run.run_due(["sync"])
        self.read_everything()

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
    live(lambda: History(new_corp, settings), 3, derandomize=True)


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_many_histories_end_in_two_equal_worlds(new_corp: Callable[[], Corp], settings: Any) -> None:
    live(lambda: History(new_corp, settings), int(os.environ.get("HISTORIES", "150")), derandomize=False)
