"""People who act by themselves, and a world that outlives its process."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scrm.standin.clock import Clock
from scrm.standin.scenarios import history
from scrm.standin.scenarios.draws import JOIN_DELAY
from scrm.standin.server import StandIn

from .conftest import Api


def wait_for(condition: Callable[[], Any], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def kinds(standin: StandIn) -> set[str]:
    return {str(item.fields.get("UpdateDetail", item.fields["ChangeType"])) for item in list(standin.callbacks.log)}


def test_people_come_edit_delete_and_leave(make_standin: Callable[..., StandIn]) -> None:
    lines: list[str] = []
    standin = make_standin(scenario="beauty", customers=300, traffic=True, pace=6000, say=lines.append)

    expected = {"add_external_contact", "edit_external_contact", "del_follow_user", "del_member", "change_notice"}
    assert wait_for(lambda: expected <= kinds(standin))
    assert any("扫了" in line for line in lines)


def test_nobody_joins_before_a_welcome(make_standin: Callable[..., StandIn]) -> None:
    clock = Clock(speed=1000.0, anchor=time.time())
    until = datetime.fromtimestamp(time.time(), UTC)
    standin = make_standin(scenario="beauty", customers=300, until=until, traffic=True, pace=3000, clock=clock)
    api = Api(standin)
    known = {row.external_userid for row in history("beauty", customers=300, days=30, until=until).customers}

    def adds() -> list[Any]:
        told = [item for item in list(standin.callbacks.log) if item.fields.get("WelcomeCode")]
        return [item for item in told if item.fields["ExternalUserID"] not in known]

    assert wait_for(lambda: len(adds()) > 60)
    new = {str(item.fields["ExternalUserID"]) for item in adds()}
    joined = {member for chat in standin.world.chats.chats.values() for member in chat.members}
    assert new.isdisjoint(joined)

    welcomed = set()
    for item in adds()[:60]:
        body = {"welcome_code": item.fields["WelcomeCode"], "text": {"content": "您好"}}
        if api.post("externalcontact/send_welcome_msg", body)["errcode"] == 0:
            welcomed.add(str(item.fields["ExternalUserID"]))

    def members() -> set[str]:
        return {member for chat in list(standin.world.chats.chats.values()) for member in chat.members}

    assert JOIN_DELAY[1] == (0.5, 40.0)
    assert wait_for(lambda: len(welcomed & members()) >= len(welcomed) * 0.3)
    assert (new - welcomed).isdisjoint(members())


def test_without_traffic_nothing_happens(make_standin: Callable[..., StandIn]) -> None:
    standin = make_standin(scenario="beauty", customers=300, pace=6000)
    time.sleep(0.8)

    assert len(standin.callbacks.log) == 0


def test_a_world_goes_on_after_a_restart(make_standin: Callable[..., StandIn], tmp_path: Path) -> None:
    given = {"scenario": "beauty", "customers": 50, "state_file": tmp_path / "world"}
    first = make_standin(**given)
    until = first.world.now() // 60 * 60
    added = first.act("add", userid="chongfen02", state="bt_menu")
    first.stop()

    second = make_standin(**given, until=datetime.fromtimestamp(until, UTC))
    other = make_standin(**{**given, "customers": 51})

    assert second.world.contacts.follow("chongfen02", added["external_userid"]).state == "bt_menu"
    assert added["external_userid"] not in other.world.contacts.customers
