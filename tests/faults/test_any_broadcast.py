"""Broadcasts through any history: calls fail before and after they were carried out, workers die, people press every
button at every moment, staff confirm or don't, friends and owners change. Nobody is ever asked to send twice; at the end
our ledger says of each recipient what the platform says.
"""

import contextlib
import datetime as dt
import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db.models import Count, F, Q, Sum
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from campaigns.models import Broadcast, Delivery, Dispatch
from campaigns.sending import compose, lookup, pace
from campaigns.sending.remind import remind
from scrm.base.models import User, Work
from scrm.base.work import run
from scrm.standin.broadcasts import LOST, REFUSED, SENT
from scrm.standin.errors import Refusal
from scrm.wecom import brake
from tests.campaigns.tasks import Tasks
from tests.conftest import begin_anew
from tests.corp import Corp
from tests.faults import places
from tests.faults.histories import STAFF, live, works_until_killed
from tests.faults.wire import WIRE
from tests.faults.worlds import nobody_twice_nobody_missing

PEOPLE = [f"wm{letter}{number}" for letter in "WZ" for number in range(3)]
FRIENDS = {"W": "wanglei", "Z": "zhaomin"}
CHATS = {"wrA": "wanglei", "wrB": "wanglei", "wrC": "zhaomin"}
TEXTS = [
    "新品上架",
    "会员日",
    "周末活动",
    "到店礼",
]  # the same words to others too: a look-up must not take one task for another
CREATE = "externalcontact/add_msg_template"
LIST = "externalcontact/get_groupmsg_list_v2"
OTHERS = [
    LIST, "externalcontact/get_groupmsg_task", "externalcontact/get_groupmsg_send_result",
    "externalcontact/cancel_groupmsg_send", "externalcontact/remind_groupmsg_send",
]  # fmt: skip
FAULTS = [*WIRE.values(), ("errcode", 45009)]
REFUSALS: list[tuple[str, float]] = [("errcode", 40058), ("errcode", 41048)]  # for good
CARRIED_OUT = [fault for name, fault in WIRE.items() if name.endswith("after acceptance")]
LANES = ("send", "results", "remind", "notice")
PLACES = [*places.SEND, *places.LOOK_UP, *places.RESULTS, *places.TAKE_BACK, *places.REMIND]
OPEN = (Broadcast.State.PLANNED, Broadcast.State.RUNNING, Broadcast.State.PAUSED)
TOLD = {SENT: "sent", LOST: "not_friend", REFUSED: "over_quota"}
DEEDS = [
    "compose", "compose", "compose", "press_a_button", "press_the_red_button", "remind", "confirm", "send_privately",
    "part", "chat_changes", "platform_takes_its_time", "creating_fails", "another_call_fails", "answers_are_lost",
    "work", "work", "work", "worker_dies", "worker_dies", "deadline_passes",
]  # fmt: skip
VERBS: dict[str, Callable[[Broadcast, User], Any]] = {
    "approve": pace.approve, "pause": pace.pause, "resume": pace.resume, "cancel": pace.cancel
}  # fmt: skip


class Sends(RuleBasedStateMachine):
    """One corp that broadcasts a lot in one day."""

    def __init__(self, new_corp: Callable[[], Corp], alice: User, settings: Any) -> None:
        super().__init__()
        self.tasks, self.alice, self.settings = Tasks(new_corp()), alice, settings
        self.standin = self.tasks.corp.standin
        self.held: dict[int, int] = {}  # broadcasts that are paused or ended → calls made for them by then
        self.braked: int | None = None  # calls made when the brake was pressed
        for chat_id, owner in CHATS.items():
            self.tasks.chat(chat_id, owner, people=2)

    @rule(deed=st.sampled_from(DEEDS), data=st.data())
    def step(self, deed: str, data: st.DataObject) -> None:
        """One rule for all, or a life would be without some of them."""
        getattr(self, f"_{deed}")(data)

    # --- what people here do ------------------------------------------------------------------------------------------

    def _compose(self, data: st.DataObject) -> None:
        chats = data.draw(st.booleans())
        recipients = _some(data, list(CHATS) if chats else PEOPLE)
        text = data.draw(st.sampled_from(TEXTS))
        to = {"chat_ids" if chats else "external_userids": recipients}
        name = f"第{Broadcast.objects.count() + 1}次"
        drafted = compose.draft(self.alice, name=name, audience_=to, text=text)
        drafted.save()
        self._press("approve", drafted)

    def _press_a_button(self, data: st.DataObject) -> None:
        if waiting := self._open():
            self._press(data.draw(st.sampled_from(["pause", "resume", "cancel"])), data.draw(st.sampled_from(waiting)))

    def _press(self, verb: str, broadcast: Broadcast) -> None:
        with contextlib.suppress(pace.NotNow):
            VERBS[verb](broadcast, self.alice)

    def _open(self) -> list[Broadcast]:
        return list(Broadcast.objects.filter(state__in=OPEN).order_by("pk"))

    def _press_the_red_button(self, data: st.DataObject) -> None:
        """Or release it."""
        if self.braked is None:
            brake.press(user=self.alice)
            self.braked = len(self.tasks.created())
        else:
            brake.release(user=self.alice)
            self.braked = None

    def _remind(self, data: st.DataObject) -> None:
        remind(Dispatch.objects.filter(state="sent"), self.alice)

    # --- what happens at the platform ---------------------------------------------------------------------------------

    def _confirm(self, data: st.DataObject) -> None:
        self._happens(data, "confirm", userid=data.draw(st.sampled_from(STAFF)))

    def _send_privately(self, data: st.DataObject) -> None:
        given = {"userid": data.draw(st.sampled_from(STAFF)), "text": data.draw(st.sampled_from(TEXTS))}
        self._happens(data, "send_privately", external_userids=_some(data, PEOPLE), **given)

    def _part(self, data: st.DataObject) -> None:
        who = data.draw(st.sampled_from(PEOPLE))
        self._happens(data, "delete_by_customer", userid=FRIENDS[who[2]], external_userid=who)

    def _chat_changes(self, data: st.DataObject) -> None:
        """Another owner, or none: it is dismissed."""
        chat_id, owner = data.draw(st.sampled_from(list(CHATS))), data.draw(st.sampled_from([None, *STAFF]))
        if owner:
            self._happens(data, "change_owner", chat_id=chat_id, owner=owner)
        else:
            self._happens(data, "dismiss_chat", chat_id=chat_id)

    def _happens(self, data: st.DataObject, verb: str, **given: Any) -> None:
        """We hear of it, or don't."""
        with contextlib.suppress(Refusal):
            self.tasks.corp.act(verb, **given)
        self.tasks.corp.deliver(self.tasks.corp.waiting if data.draw(st.booleans()) else [])
        run.run_due(["mirror:contact", "mirror:chat"])

    def _platform_takes_its_time(self, data: st.DataObject) -> None:
        """Tasks or results can't be read for so many seconds."""
        what, seconds = data.draw(st.sampled_from(["dispatching", "result_lag"])), data.draw(st.sampled_from([0, 3600]))
        self.tasks.settings(**{what: seconds})
        if not seconds:
            self._all_is_told()

    def _all_is_told(self) -> None:
        for broadcast in self.standin.world.broadcasts.sent.values():
            broadcast.ready = 0
            for task in broadcast.tasks.values():
                task.readable = 0

    def _creating_fails(self, data: st.DataObject) -> None:
        self._fails(data, CREATE, FAULTS + REFUSALS, most=2)

    def _another_call_fails(self, data: st.DataObject) -> None:
        self._fails(data, data.draw(st.sampled_from(OTHERS)), FAULTS, most=4)

    def _answers_are_lost(self, data: st.DataObject) -> None:
        """And for a while nobody tells what was created."""
        self._fails(data, CREATE, CARRIED_OUT, most=2)
        self._fails(data, LIST, FAULTS, most=6)

    def _fails(self, data: st.DataObject, api: str, faults: list[tuple[str, float]], *, most: int) -> None:
        action, value = data.draw(st.sampled_from(faults))
        count = data.draw(st.integers(1, most))
        self.standin.faults.add({"api": api, "from": 1, "count": count, "action": action, "value": value})

    # --- what our workers do ------------------------------------------------------------------------------------------

    def _work(self, data: st.DataObject) -> None:
        if data.draw(st.booleans()):
            begin_anew()  # a minute passes, and with it the platform's pause after too many calls
        self._do_what_waits(data.draw(st.integers(1, 3)))

    def _do_what_waits(self, rounds: int) -> None:
        for _ in range(rounds):
            Work.objects.filter(lane__in=LANES, state="waiting").update(not_before="2000-01-01T00:00:00Z")
            run.run_due(LANES)

    def _worker_dies(self, data: st.DataObject) -> None:
        begin_anew()
        works_until_killed(lambda: self._do_what_waits(2), data.draw(st.sampled_from(PLACES)), self.settings)

    def _deadline_passes(self, data: st.DataObject) -> None:
        if waiting := self._open():
            self._time_is_over(data.draw(st.sampled_from(waiting)).pk)

    def _time_is_over(self, *keys: int) -> None:
        hours = dt.timedelta(hours=3)
        Broadcast.objects.filter(pk__in=keys).update(
            create_at=F("create_at") - hours, confirm_by=F("created_at") - hours / 2
        )

    # --- what must hold -----------------------------------------------------------------------------------------------

    @invariant()
    def each_task_is_ours_or_being_looked_for(self) -> None:
        """A call made twice leaves one task more than there are calls without an answer."""
        known = set(Dispatch.objects.exclude(msgid="").values_list("msgid", flat=True))
        made = {row["msgid"]: (row["sender"], row["text"]) for row in self.tasks.created()}
        assert known <= set(made)
        orphans = Counter(made[msgid] for msgid in set(made) - known)
        unanswered = Dispatch.objects.filter(state__in=["sending", "unknown"])
        assert not orphans - Counter(unanswered.values_list("staff__userid", "broadcast__text"))

    @invariant()
    def who_is_paused_or_braked_makes_no_calls(self) -> None:
        calls = dict(Broadcast.objects.annotate(calls=Sum("dispatches__attempts")).values_list("pk", "calls"))
        for key, before in self.held.items():
            assert (calls[key] or 0) == before
        held = Broadcast.objects.filter(state__in=["draft", "paused", "cancelled", "done"])
        self.held = {key: calls[key] or 0 for key in held.values_list("pk", flat=True)}
        assert self.braked in (None, len(self.tasks.created()))

    @invariant()
    def counts_are_those_of_the_deliveries(self) -> None:
        sums = {
            f"is_{state}": Count("pk", filter=Q(state=state))
            for state in ("sent", "not_friend", "over_quota", "refused", "unconfirmed", "cancelled", "excluded")
        }
        counted = Delivery.objects.exclude(dispatch=None).values("dispatch").annotate(**sums)
        kept = Dispatch.objects.annotate(**{name: F(name.replace("is_", "count_")) for name in sums})
        assert set(counted.values_list("dispatch", *sums)) == set(kept.values_list("pk", *sums))

    @invariant()
    def nothing_is_quarantined(self) -> None:
        assert not list(Work.objects.filter(state="quarantined").values_list("lane", "error"))

    def teardown(self) -> None:
        """What is wrong is mended, all that was paused goes on, what nobody confirms is taken back."""
        self.standin.faults.clear()
        brake.release(user=self.alice)
        self.braked, self.held = None, {}
        self.tasks.settings(dispatching=0, result_lag=0)
        self._all_is_told()
        begin_anew()
        for paused in Broadcast.objects.filter(state="paused"):
            self._press("resume", paused)
        self._do_what_waits(6)
        self.each_task_is_ours_or_being_looked_for()
        self._time_is_over(*Broadcast.objects.values_list("pk", flat=True))
        self._do_what_waits(6)

        left = Work.objects.filter(lane__in=LANES).exclude(state__in=["done", "ignored"])
        assert not list(left.values_list("lane", "state", "error"))
        assert not list(Dispatch.objects.unsettled().values_list("state", "error"))
        assert set(Broadcast.objects.values_list("state", flat=True)) <= {"draft", "done", "cancelled"}
        self.counts_are_those_of_the_deliveries()
        nobody_twice_nobody_missing(self.tasks.corp)
        not_taken = {(row["msgid"], who) for row in self.tasks.created() for who in row["fail_list"]}
        for dispatch in Dispatch.objects.exclude(msgid="").select_related("staff", "broadcast"):
            ours, theirs = self._ours(dispatch), self._theirs(dispatch)
            unasked = {who: state for who, state in ours.items() if (dispatch.msgid, who) in not_taken}
            assert set(unasked.values()) <= {"cancelled", "unconfirmed"}, "nobody was asked to send to them"
            assert ours == theirs | unasked

    def _ours(self, dispatch: Dispatch) -> dict[str, str]:
        rows = Delivery.objects.filter(dispatch=dispatch).exclude(state="excluded").exclude(reason="not_taken")
        key = "chat__chat_id" if dispatch.broadcast.to_chats else "customer__external_userid"
        return dict(rows.values_list(key, "state"))

    def _theirs(self, dispatch: Dispatch) -> dict[str, str]:
        (task,) = self.standin.world.broadcasts.sent[dispatch.msgid].tasks.values()
        assert task.userid == dispatch.staff.userid
        if task.confirmed_at is not None:
            return {who: TOLD[status] for who, status in zip(task.receivers, task.statuses, strict=True)}
        cancelled = dispatch.broadcast.state == Broadcast.State.CANCELLED
        return dict.fromkeys(task.receivers, "cancelled" if cancelled else "unconfirmed")


def _some(data: st.DataObject, among: list[str]) -> list[str]:
    return data.draw(st.lists(st.sampled_from(among), min_size=1, unique=True))


@pytest.fixture
def life(new_corp: Callable[[], Corp], alice: User, settings: Any) -> Iterator[Callable[[], Sends]]:
    settings.SENDING, settings.QUIET_HOURS = "on", "none"
    settings.SEND_LOOKUP_DELAYS, settings.SEND_CREATE_SECONDS = (0.0, 0.0), 0.5
    yield lambda: Sends(new_corp, alice, settings)


def test_any_broadcast_asks_nobody_twice(life: Callable[[], Sends]) -> None:
    live(life, 3, derandomize=True)


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_many_broadcasts_ask_nobody_twice(life: Callable[[], Sends]) -> None:
    live(life, int(os.environ.get("HISTORIES", "60")), derandomize=False)


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_the_histories_catch_an_engine_that_looks_once_too_few(life: Callable[[], Sends], monkeypatch: Any) -> None:
    """It takes a platform that can't be read for one that has nothing."""

    def careless(claim: Any, work: Work, dispatch: Dispatch, error: Any) -> None:
        lookup._not_found(claim, work, dispatch)

    monkeypatch.setattr(lookup, "_not_looked", careless)
    with pytest.raises(AssertionError):
        live(life, 200, derandomize=True)
