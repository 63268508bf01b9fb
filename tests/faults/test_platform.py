"""A platform that fails, whichever API is asked: every lane and the sync get through, nobody is reached twice."""

from collections.abc import Iterator
from typing import Any

import pytest

from campaigns.models import Broadcast, Dispatch
from campaigns.sending import compose, pace
from campaigns.sending.remind import remind
from contacts import sync
from contacts.models import SyncRun
from scrm.base import redis
from scrm.base.models import User, Work
from scrm.base.work import lanes, run
from scrm.wecom import quotas
from tests.campaigns.tasks import Tasks
from tests.corp import Corp
from tests.faults.wire import WIRE
from tests.faults.worlds import nobody_twice_nobody_missing, ours, theirs

pytestmark = pytest.mark.timeout(400)

CALLBACKS = ["externalcontact/get", "externalcontact/groupchat/get", "externalcontact/get_corp_tag_list", "user/get"]
SYNC = [
    "department/list", "user/list", "externalcontact/get_follow_user_list", "externalcontact/batch/get_by_user",
    "externalcontact/list", "externalcontact/groupchat/list",
]  # fmt: skip
OUTWARD = [
    "externalcontact/send_welcome_msg", "externalcontact/add_msg_template", "externalcontact/get_groupmsg_list_v2",
    "externalcontact/get_groupmsg_task", "externalcontact/get_groupmsg_send_result",
    "externalcontact/remind_groupmsg_send", "externalcontact/cancel_groupmsg_send", "message/send",
]  # fmt: skip
# Of the wire's faults all but the one that waits for a time-out at each of many calls.
FAULTS = [fault for fault in WIRE if fault != "time-out after acceptance"]


@pytest.fixture
def tasks(corp: Corp, settings: Any, departments: list[Any]) -> Iterator[Tasks]:
    settings.SENDING, settings.QUIET_HOURS = "on", "none"
    settings.SEND_LOOKUP_DELAYS, settings.SEND_FAILURES_BEFORE_PAUSE = (0.0, 0.0), 100
    yield Tasks(corp)


def time_passes(rounds: int = 5) -> None:
    """What was put off is due, some times over."""
    for _ in range(rounds):
        Work.objects.filter(state="waiting").update(not_before="2000-01-01T00:00:00Z")
        run.run_due()


def something_happens(tasks: Tasks, alice: User) -> None:
    """Callbacks of every kind, and a broadcast to all six."""
    corp = tasks.corp
    corp.act("add", userid="wanglei", external_userid="wmLin", name="小林")
    corp.act("create_chat", owner="wanglei", chat_id="wrA", name="福利群")
    corp.act("join", chat_id="wrA", members=["wmLin", "wmMei"])
    corp.act("create_tag", group="来源", name="直播")
    corp.act("create_party", name="直播", party_id=4, parentid=2)
    corp.act("update_user", userid="zhaomin", name="赵小敏")
    corp.deliver()
    broadcast = compose.draft(alice, name="上新", audience_={"filter": {}}, text="新品上架")
    broadcast.save()
    pace.approve(broadcast, alice)


def ends_well(tasks: Tasks) -> None:
    """The rest of the story without faults: one is nudged, one confirms, the other is taken back; all is read."""
    time_passes()
    tasks.confirm("wanglei")
    pace.cancel(Broadcast.objects.get(), User.objects.get(username="alice"))
    time_passes()
    begun = sync.start()
    SyncRun.objects.filter(pk=begun.pk).update(accepted=True)
    time_passes()

    nobody_twice_nobody_missing(tasks.corp)
    assert ours() == theirs(tasks.corp)
    assert not list(Work.objects.exclude(state__in=["done", "ignored"]).values_list("lane", "state", "error"))
    assert [row["external_userid"] for row in tasks.corp.welcomes()] == ["wmLin"]
    assert tasks.recipients() == [["wmW0", "wmW1", "wmW2"], ["wmZ0", "wmZ1", "wmZ2"]]


@pytest.mark.faults
@pytest.mark.parametrize("fault", FAULTS)
def test_the_first_call_of_every_api_fails(tasks: Tasks, alice: User, fault: str) -> None:
    action, value = WIRE[fault]
    for api in (*CALLBACKS, *SYNC, *OUTWARD):
        tasks.fault(api, action, value=value)

    something_happens(tasks, alice)
    time_passes()
    remind(Dispatch.objects.filter(state="sent")[:1], alice)

    ends_well(tasks)


def test_a_busy_platform_is_asked_three_times_for_a_read_and_once_for_a_deed(tasks: Tasks, alice: User) -> None:
    for api in (*CALLBACKS, "externalcontact/add_msg_template"):
        tasks.fault(api, "errcode", value=-1, times=0)

    something_happens(tasks, alice)
    for name in ("mirror:contact", "mirror:tags", "send", "send"):  # one job each
        run.run_one(lanes[name])

    calls = tasks.corp.standin.calls.as_dict()
    asked: list[Any] = [calls[api] for api in (CALLBACKS[0], CALLBACKS[2], "externalcontact/add_msg_template")]
    assert [counted["calls"] for counted in asked] == [3, 3, 2]  # one call for each of the two tasks
    tasks.no_faults()
    ends_well(tasks)


def test_an_api_that_is_asked_too_often_pauses_alone(tasks: Tasks, alice: User, settings: Any) -> None:
    """45009: one refused call for each API, whatever lane asks, however often; the others go on."""
    paused = [*CALLBACKS, "externalcontact/add_msg_template", "externalcontact/groupchat/list"]
    for api in paused:
        tasks.fault(api, "errcode", value=45009, times=0)

    something_happens(tasks, alice)
    time_passes()
    sync.start()
    time_passes()

    calls: dict[str, Any] = tasks.corp.standin.calls.as_dict()
    assert {api: calls[api]["calls"] for api in paused} == dict.fromkeys(paused, 1)
    assert [row["external_userid"] for row in tasks.corp.welcomes()] == ["wmLin"]
    assert calls["externalcontact/batch/get_by_user"]["calls"] >= 1

    tasks.no_faults()
    quotas.forget()  # a minute later
    redis.client().flushdb()
    ends_well(tasks)


def test_a_token_revoked_in_the_midst_costs_one_new_one(tasks: Tasks, alice: User) -> None:
    tasks.corp.standin.faults.add(
        {"api": "externalcontact/groupchat/get", "call": 1, "action": "errcode", "value": 42001}
    )

    something_happens(tasks, alice)
    ends_well(tasks)

    calls: dict[str, Any] = tasks.corp.standin.calls.as_dict()
    assert calls["gettoken"]["calls"] == 2
