"""The hidden pages."""

from __future__ import annotations

import requests

from scrm.standin.server import StandIn

from .conftest import Api


def post(standin: StandIn, page: str, body: object) -> requests.Response:
    return requests.post(standin.control_url + page, json=body, timeout=5)


def test_acts_one_by_one_or_in_a_list(standin: StandIn) -> None:
    one = post(standin, "actions", {"action": "add", "userid": "wanglei", "state": "ch_1"}).json()
    two = post(
        standin, "actions", [{"action": "add", "userid": "wanglei"}, {"action": "create_chat", "owner": "wanglei"}]
    )

    assert one["event"] is True
    assert [sorted(item)[0] for item in two.json()] == ["callback_id", "callback_id"]
    assert len(standin.callbacks.log) == 3


def test_nonsense_is_refused_with_a_reason(standin: StandIn) -> None:
    for body in ({"action": "explode"}, {"action": "add"}, {"action": "add", "userid": "wanglei", "foo": 1}):
        answer = post(standin, "actions", body)
        assert answer.status_code == 400
        assert answer.json()["error"]
    refused = post(standin, "actions", {"action": "add", "userid": "nobody"})
    assert (refused.status_code, refused.json()["errcode"]) == (400, 60111)
    assert post(standin, "settings", {"foo": 1}).status_code == 400
    assert requests.get(standin.control_url + "nothing", timeout=5).status_code == 404


def test_tells_state_ledger_calls_and_callbacks(standin: StandIn, api: Api) -> None:
    added = post(standin, "actions", {"action": "add", "userid": "wanglei", "state": "ch_1"}).json()
    api.post("externalcontact/send_welcome_msg", {"welcome_code": added["welcome_code"], "text": {"content": "您好"}})

    state = requests.get(standin.control_url + "state", params={"part": "follows"}, timeout=5).json()
    ledger = requests.get(standin.control_url + "ledger", params={"kind": "welcome"}, timeout=5).json()
    later = requests.get(standin.control_url + "ledger", params={"after": 1}, timeout=5).json()
    calls = requests.get(standin.control_url + "calls", timeout=5).json()
    callbacks = requests.get(standin.control_url + "callbacks", timeout=5).json()

    assert [row["state"] for row in state["follows"]] == ["ch_1"]
    assert [row["external_userid"] for row in ledger] == [added["external_userid"]]
    assert later == []
    assert calls["externalcontact/send_welcome_msg"]["calls"] == 1
    assert callbacks[-1]["fields"]["WelcomeCode"] == added["welcome_code"]


def test_settings_change_while_it_runs(standin: StandIn) -> None:
    assert post(standin, "settings", {"lag": 1.5, "per_minute": {"user/get": 5}}).json() == {"ok": True}

    assert standin.settings.lag == 1.5
    assert standin.settings.per_minute == {"*": 10_000, "user/get": 5}
