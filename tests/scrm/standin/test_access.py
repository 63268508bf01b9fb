"""Tokens, limits, faults: what every endpoint has in common."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
import requests

from scrm.standin.server import StandIn
from tests.passing import Passing

from .conftest import CORP_ID, SECRET, Api


def ask_token(standin: StandIn, secret: str = SECRET, corp: str = CORP_ID) -> dict[str, object]:
    given = {"corpid": corp, "corpsecret": secret}
    answer: dict[str, object] = requests.get(standin.url + "gettoken", params=given, timeout=5).json()
    return answer


def test_gives_the_same_token_while_it_is_valid(standin: StandIn) -> None:
    first, second = ask_token(standin), ask_token(standin)

    assert first["errcode"] == 0
    assert first["access_token"] == second["access_token"]
    assert 7190 < int(str(first["expires_in"])) <= 7200


def test_each_secret_has_its_own_token(make_standin: Callable[..., StandIn]) -> None:
    standin = make_standin(secrets={"second-secret": 1000003})

    assert ask_token(standin)["access_token"] != ask_token(standin, "second-secret")["access_token"]


def test_refuses_missing_wrong_and_expired_tokens(standin: StandIn, api: Api) -> None:
    path = standin.url + "externalcontact/get_follow_user_list"

    assert requests.get(path, timeout=5).json()["errcode"] == 41001
    assert requests.get(path, params={"access_token": "nonsense"}, timeout=5).json()["errcode"] == 40014
    assert api.get("externalcontact/get_follow_user_list")["errcode"] == 0
    standin.tokens.expire()
    assert api.get("externalcontact/get_follow_user_list")["errcode"] == 42001


def test_a_withdrawn_token_is_invalid_and_a_new_one_differs(standin: StandIn, api: Api) -> None:
    old = api.token
    standin.tokens.expire(revoke=True)

    assert api.get("externalcontact/get_follow_user_list")["errcode"] == 40014
    assert ask_token(standin)["access_token"] != old


def test_a_token_in_the_body_is_a_missing_token(standin: StandIn, api: Api) -> None:
    answer = requests.post(
        standin.url + "externalcontact/groupchat/list", json={"access_token": api.token, "limit": 1}, timeout=5
    )

    assert answer.json()["errcode"] == 41001


def test_tokens_end_after_their_life(make_standin: Callable[..., StandIn], passes: Passing) -> None:
    standin = make_standin()
    standin.settings.token_life = 20
    api = Api(standin)

    assert api.get("getcallbackip")["errcode"] == 0
    passes(21)
    assert api.get("getcallbackip")["errcode"] == 42001


def test_wrong_secrets_ban_the_address(standin: StandIn) -> None:
    standin.settings.ban_after = 3

    assert [ask_token(standin, "wrong")["errcode"] for _ in range(3)] == [40001, 40001, 40001]
    assert ask_token(standin)["errcode"] == 45009


def test_a_foreign_corp_is_refused(standin: StandIn) -> None:
    assert ask_token(standin, corp="wwother")["errcode"] == 40013


def test_errors_have_status_200_and_a_hint(standin: StandIn) -> None:
    answer = requests.get(standin.url + "user/get", timeout=5)

    assert answer.status_code == 200
    assert "hint: [" in answer.json()["errmsg"]
    assert "from ip: 127.0.0.1" in answer.json()["errmsg"]


def test_an_unknown_path_is_not_found(standin: StandIn) -> None:
    assert requests.get(standin.url + "externalcontact/nonsense", timeout=5).status_code == 404


def test_post_endpoints_refuse_get_and_broken_json(standin: StandIn, api: Api) -> None:
    path = standin.url + "externalcontact/groupchat/list"
    given = {"access_token": api.token}

    assert api.get("externalcontact/groupchat/list")["errcode"] == 40058
    broken = requests.post(path, params=given, data=b'{"limit":', timeout=5).json()
    assert broken["errcode"] == 40058
    assert "Warning: wrong json format." in broken["errmsg"]


def test_above_the_minute_limit_the_api_is_blocked_and_others_are_not(
    standin: StandIn, api: Api, passes: Passing
) -> None:
    standin.settings.change({"per_minute": {"user/get": 3}, "block_seconds": 40})

    codes = [api.get("user/get", userid="wanglei")["errcode"] for _ in range(5)]

    assert codes == [0, 0, 0, 45009, 45009]
    assert api.get("getcallbackip")["errcode"] == 0
    passes(41)
    assert api.get("user/get", userid="wanglei")["errcode"] == 0


def test_too_many_calls_at_once_are_refused(standin: StandIn, api: Api) -> None:
    standin.settings.change({"concurrency": {"user/get": 1}, "api_delay": 1.0})
    token, codes = api.token, []

    def call() -> None:
        given = {"access_token": token, "userid": "wanglei"}
        codes.append(requests.get(standin.url + "user/get", params=given, timeout=5).json()["errcode"])

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(codes) == [0, 45033]


def test_faults_strike_the_calls_they_name(standin: StandIn, api: Api) -> None:
    standin.faults.add({"api": "user/get", "call": 2, "action": "errcode", "value": -1})

    codes = [api.get("user/get", userid="wanglei")["errcode"] for _ in range(3)]

    assert codes == [0, -1, 0]
    assert standin.calls.as_dict()["user/get"] == {"calls": 3, "rejected": 1, "answers": {"0": 2, "-1": 1}}


def test_faults_can_last_a_run_of_calls(standin: StandIn, api: Api) -> None:
    standin.faults.add({"api": "*", "from": 2, "count": 2, "action": "status", "value": 503})
    token = api.token

    def status() -> int:
        return requests.get(standin.url + "getcallbackip", params={"access_token": token}, timeout=5).status_code

    assert [status(), status(), status()] == [503, 503, 200]


def test_drop_before_does_nothing_and_drop_after_does_it(standin: StandIn, api: Api) -> None:
    added = standin.act("add", userid="wanglei")
    body = {"userid": "wanglei", "external_userid": added["external_userid"], "remark": "老客"}
    api.token  # noqa: B018 - fetched before the faults
    standin.faults.add({"api": "externalcontact/remark", "call": 1, "action": "drop_before"})
    standin.faults.add({"api": "externalcontact/remark", "call": 2, "action": "drop_after"})

    with pytest.raises(requests.ConnectionError):
        api.post("externalcontact/remark", body)
    assert standin.ledger.of("remark") == []
    with pytest.raises(requests.ConnectionError):
        api.post("externalcontact/remark", body)
    assert [effect["remark"] for effect in standin.ledger.of("remark")] == ["老客"]


def test_a_delay_holds_the_answer_back(standin: StandIn, api: Api) -> None:
    api.token  # noqa: B018 - fetched before the fault
    standin.faults.add({"api": "getcallbackip", "call": 1, "action": "delay", "value": 0.3})
    begun = time.monotonic()

    assert api.get("getcallbackip")["errcode"] == 0
    assert time.monotonic() - begun >= 0.3


def test_a_fault_without_sense_is_refused(standin: StandIn) -> None:
    for rule in ({"api": "x", "action": "explode"}, {"action": "delay"}, {"api": "x", "action": "delay", "when": 1}):
        answer = requests.post(standin.control_url + "faults", json=[rule], timeout=5)
        assert answer.status_code == 400


def test_an_app_is_told_about_itself_only(standin: StandIn, api: Api) -> None:
    assert api.get("agent/get", agentid=1000002)["agentid"] == 1000002
    assert api.get("agent/get", agentid=1000009)["errcode"] == 301002
    assert api.get("agent/get", agentid="x")["errcode"] == 40056


def test_a_taken_port_is_told_to_whoever_starts_it(standin: StandIn) -> None:
    with pytest.raises(OSError):
        StandIn(port=standin.port).start()


def test_there_is_no_scenario_of_another_name() -> None:
    with pytest.raises(ValueError, match="no scenario 'school'"):
        StandIn(scenario="school")
