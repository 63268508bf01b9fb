"""One token per secret: who fetches it, when, and how often at most."""

import multiprocessing
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from scrm.base import redis
from scrm.wecom import errors
from scrm.wecom.client import client
from scrm.wecom.errors import ConfigurationError, WecomError
from scrm.wecom.tokens import Token
from tests.scrm.wecom.scripted import DROP, Scripted, refuse

READ = "externalcontact/get"


def _together(calls: int, call: Callable[[], Any]) -> list[Any]:
    """What `calls` threads get that start at one moment; an exception stands for itself."""
    gate = threading.Barrier(calls)

    def one(_: int) -> Any:
        gate.wait()
        try:
            return call()
        except (WecomError, ConfigurationError) as error:
            return error

    with ThreadPoolExecutor(calls) as pool:
        return list(pool.map(one, range(calls)))


def _used(platform: Scripted) -> list[str]:
    return [asked.query["access_token"] for asked in platform.asked if asked.api == READ]


def test_many_threads_fetch_one_token(platform: Scripted) -> None:
    platform.delay = 0.1

    _together(24, lambda: client().read(READ))

    assert platform.count("gettoken") == 1
    assert set(_used(platform)) == {"token-1"}


def _child(gate: Any, waits: list[float], outcomes: Any) -> None:
    connection.connection = None  # the parent's, if any: two that speak on one both hang
    try:
        for wait in waits:
            gate.wait(20)
            time.sleep(wait)
            client().read(READ)
        outcomes.put("ok")
    except Exception as error:  # told to the parent
        outcomes.put(repr(error))


def test_many_processes_fetch_one_token_per_expiry(platform: Scripted) -> None:
    processes, life = 32, 4.0
    platform.script["gettoken"] = [
        {"errcode": 0, "access_token": "token-1", "expires_in": life},
        {"errcode": 0, "access_token": "token-2", "expires_in": 7200},
    ]
    context = multiprocessing.get_context("fork")
    gate, outcomes = context.Barrier(processes), context.Queue()
    children = [
        context.Process(target=_child, args=(gate, [0.0, life], outcomes), daemon=True) for _ in range(processes)
    ]

    for child in children:
        child.start()
    told = [outcomes.get(timeout=40) for _ in children]
    for child in children:
        child.join(10)

    assert told == ["ok"] * processes
    assert platform.count("gettoken") == 2
    assert set(_used(platform)) == {"token-1", "token-2"}


@pytest.fixture
def renewed_early(platform: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens live 10 s and are renewed after 1 s, so that a slow machine has time in between."""
    monkeypatch.setattr("scrm.wecom.tokens.REFRESH_AT", 0.1)
    platform.token_life = 10.0


def test_is_renewed_at_four_fifths_of_its_life() -> None:
    token = Token.aged("t", lifetime=7200.0, left=7200.0, generation=1)

    assert round(token.refresh_at - time.monotonic()) == 5760
    assert round(token.dies_at - time.monotonic()) == 7200


def test_is_renewed_by_one_while_others_use_the_old_one(platform: Scripted, renewed_early: None) -> None:
    client().read(READ)
    time.sleep(1.1)
    platform.script["gettoken"] = [
        platform.when(
            lambda asked: asked.count(READ) >= 1 + 7,
            then={"errcode": 0, "access_token": "token-2", "expires_in": 10},
        )
    ]

    _together(8, lambda: client().read(READ))

    assert platform.count("gettoken") == 2
    assert set(_used(platform)) == {"token-1", "token-2"}


def test_a_renewal_that_fails_leaves_the_old_one_in_use(platform: Scripted, renewed_early: None) -> None:
    client().read(READ)
    platform.script["gettoken"] = [DROP]
    time.sleep(1.1)

    client().read(READ)
    client().read(READ)

    assert _used(platform) == ["token-1"] * 3
    assert platform.count("gettoken") == 2


def test_the_same_token_again_is_used_to_its_end(platform: Scripted, renewed_early: None) -> None:
    platform.script["gettoken"] = [
        {"errcode": 0, "access_token": "lasting", "expires_in": 10},
        {"errcode": 0, "access_token": "lasting", "expires_in": 2},
        {"errcode": 0, "access_token": "new", "expires_in": 7200},
    ]
    client().read(READ)
    time.sleep(1.1)
    client().read(READ)
    client().read(READ)
    time.sleep(2.1)
    client().read(READ)

    assert platform.count("gettoken") == 3
    assert _used(platform) == ["lasting", "lasting", "lasting", "new"]


def _revoke_first(platform: Scripted) -> None:
    revoked: dict[str, Any] = refuse(errors.TOKEN_REFUSED)
    platform.script[READ] = [lambda asked: revoked if asked.query["access_token"] == "token-1" else {"errcode": 0}]


def test_early_revocation_costs_one_new_token(platform: Scripted) -> None:
    client().read(READ)
    _revoke_first(platform)
    platform.delay = 0.1

    answers = _together(16, lambda: client().read(READ))

    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert platform.count("gettoken") == 2


def test_early_revocation_costs_many_processes_one_new_token(platform: Scripted) -> None:
    processes = 24
    context = multiprocessing.get_context("fork")
    gate, outcomes = context.Barrier(processes + 1), context.Queue()
    children = [
        context.Process(target=_child, args=(gate, [0.0, 0.0], outcomes), daemon=True) for _ in range(processes)
    ]

    for child in children:
        child.start()
    gate.wait(20)
    while platform.count(READ) < processes:
        time.sleep(0.02)
    _revoke_first(platform)
    platform.delay = 0.2
    gate.wait(20)
    told = [outcomes.get(timeout=40) for _ in children]
    for child in children:
        child.join(10)

    assert told == ["ok"] * processes
    assert platform.count("gettoken") == 2


def test_a_late_loser_does_not_drop_the_new_token(platform: Scripted) -> None:
    first = client()._tokens.get(client()._gettoken)
    assert client()._tokens.drop(first) is True
    second = client()._tokens.get(client()._gettoken)

    assert client()._tokens.drop(first) is True

    assert client()._tokens.get(client()._gettoken) == second
    assert platform.count("gettoken") == 2


def test_a_platform_that_refuses_all_tokens_is_not_asked_for_ever(platform: Scripted) -> None:
    platform.script[READ] = [refuse(errors.TOKEN_REFUSED)]

    for _ in range(20):
        with pytest.raises(WecomError):
            client().read(READ)

    assert platform.count("gettoken") <= 7


@pytest.mark.parametrize(
    ("code", "setting"), [(40001, "WECOM_SECRET"), (40013, "WECOM_CORP_ID"), (40056, "WECOM_AGENT_ID")]
)
def test_refused_credentials_are_asked_about_once(platform: Scripted, code: int, setting: str) -> None:
    platform.script["gettoken"] = [refuse(code)]

    outcomes = _together(12, lambda: client().read(READ))

    assert {getattr(outcome, "code", None) for outcome in outcomes} == {code}
    assert all(isinstance(outcome, ConfigurationError) and outcome.setting == setting for outcome in outcomes)
    assert all(setting in str(outcome) for outcome in outcomes)
    assert (platform.count("gettoken"), platform.count(READ)) == (1, 0)


def test_a_throttled_gettoken_is_left_alone(platform: Scripted) -> None:
    platform.script["gettoken"] = [refuse(errors.RATE_EXCEEDED)]

    for _ in range(3):
        with pytest.raises(WecomError) as caught:
            client().read(READ)

    assert caught.value.temporary is True
    assert 50 < (caught.value.retry_after or 0) <= 60
    assert platform.count("gettoken") == 1


def test_a_busy_gettoken_is_tried_three_times(platform: Scripted) -> None:
    platform.script["gettoken"] = [refuse(errors.BUSY), refuse(errors.BUSY), {"errcode": 0, "access_token": "t"}]

    client().read(READ)

    assert (platform.count("gettoken"), _used(platform)) == (3, ["t"])


def test_works_without_redis(platform: Scripted, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    _together(8, lambda: client().read(READ))

    assert platform.count("gettoken") == 1


def test_a_flushed_redis_costs_nothing_while_the_process_knows_the_token(platform: Scripted) -> None:
    client().read(READ)
    redis.client().flushdb()

    client().read(READ)

    assert platform.count("gettoken") == 1


def test_a_dead_holder_of_the_lock_delays_but_does_not_block(
    platform: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scrm.wecom.tokens.LOCK_MILLISECONDS", 500)
    source = client()._tokens
    assert source._shared.lock("a process that died") is True

    client().read(READ)

    assert platform.count("gettoken") == 1


def test_no_part_of_the_secret_is_in_redis(platform: Scripted, settings: Any) -> None:
    client().read(READ)

    keys = list(redis.client().scan_iter())
    assert any(key.startswith("wecom:token:") for key in keys)
    assert [key for key in keys if settings.WECOM_SECRET[:6] in key or settings.WECOM_CORP_ID in key] == []
