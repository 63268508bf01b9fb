"""Budgets, calls in flight and pauses, each API for itself."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from scrm.base import redis
from scrm.wecom import errors, gates, quotas
from scrm.wecom.client import client
from scrm.wecom.errors import Paused, WecomError
from tests.scrm.wecom.scripted import Scripted, refuse

CHAT, WELCOME = "externalcontact/groupchat/get", "externalcontact/send_welcome_msg"


def _refused_for_rate(api: str) -> WecomError:
    with pytest.raises(WecomError) as caught:
        client().act(api, {})
    return caught.value


def test_too_many_calls_pause_that_api_alone(platform: Scripted) -> None:
    platform.script[CHAT] = [refuse(errors.RATE_EXCEEDED)]
    error = _refused_for_rate(CHAT)

    for _ in range(5):
        with pytest.raises(Paused) as caught:
            client().read(CHAT, body={})
    client().act(WELCOME, {}, urgent=True)

    assert 59 < (error.retry_after or 0) <= 61
    assert 59 < (caught.value.retry_after or 0) <= 61
    assert (platform.count(CHAT), platform.count(WELCOME)) == (1, 1)


def test_a_pause_holds_when_redis_is_flushed(platform: Scripted) -> None:
    platform.script[CHAT] = [refuse(errors.RATE_EXCEEDED)]
    _refused_for_rate(CHAT)
    redis.client().flushdb()

    with pytest.raises(Paused):
        client().read(CHAT, body={})

    assert platform.count(CHAT) == 1


def test_a_pause_holds_for_other_processes(platform: Scripted) -> None:
    platform.script[CHAT] = [refuse(errors.RATE_EXCEEDED)]
    _refused_for_rate(CHAT)

    answer = gates.SharedGate(quotas.scope()).enter(CHAT, "of another process", urgent=False)

    assert (answer.admitted, answer.paused) == (False, True)


def test_calls_go_on_after_the_pause(platform: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "PAUSE_SECONDS", 0.2)
    monkeypatch.setattr(gates, "PAUSE_MARGIN", 0.0)
    platform.script[CHAT] = [refuse(errors.RATE_EXCEEDED), {"errcode": 0}]
    _refused_for_rate(CHAT)
    time.sleep(0.25)

    client().read(CHAT, body={})

    assert platform.count(CHAT) == 2


@pytest.mark.parametrize("away", [False, True])
def test_a_relapse_doubles_the_pause(
    platform: Scripted, monkeypatch: pytest.MonkeyPatch, settings: Any, away: bool
) -> None:
    if away:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(gates, "PAUSE_SECONDS", 0.2)
    monkeypatch.setattr(gates, "PAUSE_MARGIN", 0.0)
    platform.script[CHAT] = [refuse(errors.RATE_EXCEEDED)]

    pauses = []
    for _ in range(3):
        pauses.append(_refused_for_rate(CHAT).retry_after or 0)
        time.sleep(pauses[-1] + 0.05)

    assert [round(pause, 1) for pause in pauses] == [0.2, 0.4, 0.8]


def test_refusals_of_calls_in_flight_do_not_lengthen_the_pause(platform: Scripted) -> None:
    client().read("warm")
    platform.script[CHAT] = [
        platform.when(lambda asked: asked.most_at_once[CHAT] == 6, then=refuse(errors.RATE_EXCEEDED))
    ]

    with ThreadPoolExecutor(6) as pool:
        waits = list(pool.map(lambda _: _refused_for_rate(CHAT).retry_after or 0, range(6)))

    assert platform.count(CHAT) == 6
    assert max(waits) <= 61


def test_the_budget_of_a_minute_is_kept(platform: Scripted, settings: Any) -> None:
    settings.WECOM_CALLS_PER_MINUTE = 60  # 8.6 at once when full, 2.1 to begin with, then one every 1.17 s

    sent = 0
    with pytest.raises(Paused) as caught:
        for _ in range(10):
            with quotas.slot(CHAT, wait=0.0):
                sent += 1

    assert sent == 2
    assert 0 < (caught.value.retry_after or 0) <= 1.2


def test_waits_a_little_for_room_in_the_budget(platform: Scripted, settings: Any) -> None:
    settings.WECOM_CALLS_PER_MINUTE = 280  # 10 to begin with, then 4 a second
    began = time.monotonic()

    for _ in range(12):
        with quotas.slot(CHAT):
            pass

    assert time.monotonic() - began > 0.3


def test_the_budget_is_kept_alone_without_redis(platform: Scripted, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.WECOM_CALLS_PER_MINUTE = 240  # a quarter for this process alone
    with quotas.slot("first contact with Redis fails"):
        pass

    sent = 0
    with pytest.raises(Paused):
        for _ in range(20):
            with quotas.slot(CHAT, wait=0.0):
                sent += 1

    assert sent == 2


def test_a_flushed_bucket_goes_on_where_this_process_saw_it(platform: Scripted, settings: Any) -> None:
    """However often Redis is flushed: nothing that was spent comes back."""
    settings.WECOM_CALLS_PER_MINUTE = 60
    for _ in range(2):
        with quotas.slot(CHAT):
            pass

    for _ in range(5):
        redis.client().flushdb()
        with pytest.raises(Paused), quotas.slot(CHAT, wait=0.0):
            pass


def test_a_flushed_bucket_is_not_empty_in_a_rush(platform: Scripted, settings: Any) -> None:
    settings.WECOM_CALLS_PER_MINUTE = 280  # 10 to begin with
    with quotas.slot(CHAT):
        pass
    redis.client().flushdb()

    for _ in range(8):
        with quotas.slot(CHAT, wait=0.0):
            pass


def test_a_process_that_has_seen_nothing_starts_a_flushed_bucket_with_little(platform: Scripted, settings: Any) -> None:
    settings.WECOM_CALLS_PER_MINUTE = 60
    for _ in range(2):
        with quotas.slot(CHAT):
            pass
    redis.client().flushdb()
    gates.forget()

    for _ in range(2):
        with quotas.slot(CHAT, wait=0.0):
            pass
    with pytest.raises(Paused), quotas.slot(CHAT, wait=0.0):
        pass


@pytest.mark.parametrize("away", [False, True])
def test_no_more_calls_in_flight_than_allowed(platform: Scripted, settings: Any, away: bool) -> None:
    if away:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.WECOM_CONCURRENCY = 8
    client().read("warm")
    platform.delay = 0.2  # for a seventh
    platform.script[CHAT] = [platform.when(lambda asked: asked.most_at_once[CHAT] >= 6, then={"errcode": 0})]

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: client().read(CHAT, body={}), range(12)))

    assert platform.most_at_once[CHAT] == 6
    assert platform.count(CHAT) == 12


@pytest.mark.parametrize("away", [False, True])
def test_a_quarter_of_the_calls_in_flight_is_kept_for_welcomes(platform: Scripted, settings: Any, away: bool) -> None:
    if away:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.WECOM_CONCURRENCY = 8

    with ExitStack() as flying:
        for _ in range(6):
            flying.enter_context(quotas.slot(CHAT))
        with pytest.raises(Paused), quotas.slot("user/get", wait=0.0):
            pass
        for _ in range(2):
            flying.enter_context(quotas.slot(WELCOME, urgent=True, wait=0.0))
        with pytest.raises(Paused), quotas.slot(WELCOME, urgent=True, wait=0.0):
            pass

    with quotas.slot(CHAT, wait=0.0):
        pass


def test_a_platform_with_too_many_at_once_gets_fewer(platform: Scripted) -> None:
    client().read("warm")
    platform.delay = 0.2
    crowded = threading.Event()

    def answer(asked: Any) -> dict[str, Any]:
        first = not crowded.is_set()
        crowded.set()
        return refuse(errors.TOO_MANY_AT_ONCE) if first else {"errcode": 0}

    platform.script[CHAT] = [answer]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client().read(CHAT, body={}), range(8)))
    platform.most_at_once.clear()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client().read(CHAT, body={}), range(8)))

    assert platform.most_at_once[CHAT] <= 4


def test_calls_of_a_process_that_died_give_their_room_back(
    platform: Scripted, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "LEASE_SECONDS", 0.3)
    settings.WECOM_CONCURRENCY = 2
    shared = gates.SharedGate(quotas.scope())
    assert shared.enter(CHAT, "of a process that died", urgent=False).admitted is True
    assert shared.enter(CHAT, "another", urgent=False).admitted is False

    time.sleep(0.35)

    assert shared.enter(CHAT, "another", urgent=False).admitted is True


def test_usage_tells_calls_and_failures_of_the_last_hour(platform: Scripted) -> None:
    platform.script[CHAT] = [{"errcode": 0}, refuse(errors.CHAT_DISMISSED), refuse(errors.RATE_EXCEEDED)]
    client().read(CHAT, body={})
    with pytest.raises(WecomError):
        client().read(CHAT, body={})
    with pytest.raises(WecomError):
        client().read(CHAT, body={})
    client().act(WELCOME, {})

    chat, welcome = quotas.usage()

    assert (chat.api, chat.hour, chat.failed) == (CHAT, 3, 2)
    assert (welcome.api, welcome.hour, welcome.failed) == (WELCOME, 1, 0)
    assert chat.paused_seconds > 55
    assert welcome.paused_seconds == 0
    assert (chat.minute_budget, chat.hour_budget) == (7_000, 105_000)


def test_nobody_knows_the_usage_without_redis(platform: Scripted, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    with pytest.raises(redis.Away):
        quotas.usage()
