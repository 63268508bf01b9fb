"""Calls out, over real HTTP: what is asked, what comes back, what is tried again."""

import datetime as dt
import logging
import socket
import time
from typing import Any

import pytest
from django.db import transaction
from django.db.models.functions import Now

from scrm.wecom import calllog, errors, wire
from scrm.wecom.client import client
from scrm.wecom.errors import ConfigurationError, Unreachable, WecomError
from scrm.wecom.models import ApiCall
from tests.conftest import begin_anew
from tests.scrm.wecom.scripted import DROP, GARBAGE, Scripted, refuse

READ, ACT = "externalcontact/get", "externalcontact/remark"


def test_reads_with_the_token_in_the_address(platform: Scripted) -> None:
    platform.script[READ] = [{"errcode": 0, "name": "小林"}]

    answer = client().read(READ, {"external_userid": "wm1"})

    assert answer["name"] == "小林"
    asked = platform.asked[-1]
    assert (asked.method, asked.query) == ("GET", {"external_userid": "wm1", "access_token": "token-1"})


def test_sends_chinese_as_it_is(platform: Scripted) -> None:
    client().act(ACT, {"remark": "小林"})

    asked = platform.asked[-1]
    assert (asked.method, asked.query) == ("POST", {"access_token": "token-1"})
    assert asked.raw.decode() == '{"remark": "小林"}'


def test_an_empty_body_is_a_post(platform: Scripted) -> None:
    client().read("externalcontact/get_corp_tag_list", body={})

    assert (platform.asked[-1].method, platform.asked[-1].raw) == ("POST", b"{}")


def test_one_token_serves_many_calls(platform: Scripted) -> None:
    for _ in range(3):
        client().read(READ)

    assert platform.count("gettoken") == 1


@pytest.mark.parametrize("code", [errors.SECRET_REFUSED, errors.TOKEN_REFUSED, errors.TOKEN_EXPIRED])
def test_a_refused_token_is_replaced_once(platform: Scripted, code: int) -> None:
    platform.script[READ] = [refuse(code), {"errcode": 0, "name": "小林"}]

    assert client().read(READ)["name"] == "小林"

    tokens = [asked.query["access_token"] for asked in platform.asked if asked.api == READ]
    assert tokens == ["token-1", "token-2"]


def test_who_begins_anew_knows_nothing_of_a_platform_that_was_at_the_same_address(platform: Scripted) -> None:
    """As tests do: neither its token nor its pause, and no open connection to it."""
    platform.script[READ] = [refuse(errors.RATE_EXCEEDED)]
    with pytest.raises(WecomError):
        client().read(READ)
    platform.stop()
    next_one = Scripted({READ: [refuse(errors.TOKEN_EXPIRED), {"errcode": 0}]})
    next_one.start(platform.port)

    begin_anew()
    client().read(READ)
    next_one.stop()

    tokens = [asked.query["access_token"] for asked in next_one.asked if asked.api == READ]
    assert (tokens, platform.count(READ)) == (["token-1", "token-2"], 1)


def test_a_platform_that_refuses_every_token_gets_two_requests(platform: Scripted) -> None:
    platform.script[READ] = [refuse(errors.TOKEN_REFUSED)]

    with pytest.raises(WecomError) as caught:
        client().read(READ)

    assert caught.value.code == errors.TOKEN_REFUSED
    assert (platform.count(READ), platform.count("gettoken")) == (2, 2)


def test_a_change_with_a_refused_token_is_sent_again(platform: Scripted) -> None:
    platform.script[ACT] = [refuse(errors.TOKEN_EXPIRED), {"errcode": 0}]

    client().act(ACT, {"remark": "x"})

    assert platform.count(ACT) == 2


def test_a_busy_platform_is_asked_three_times(platform: Scripted) -> None:
    platform.script[READ] = [refuse(errors.BUSY)]

    with pytest.raises(WecomError) as caught:
        client().read(READ)

    assert caught.value.code == errors.BUSY
    assert platform.count(READ) == 3


def test_a_read_gets_through_a_busy_moment(platform: Scripted) -> None:
    platform.script[READ] = [refuse(errors.BUSY), refuse(errors.BUSY), {"errcode": 0, "name": "小林"}]

    assert client().read(READ)["name"] == "小林"


def test_a_change_is_not_repeated_when_the_platform_is_busy(platform: Scripted) -> None:
    platform.script[ACT] = [refuse(errors.BUSY)]

    with pytest.raises(WecomError) as caught:
        client().act(ACT, {})

    assert platform.count(ACT) == 1
    assert (caught.value.temporary, caught.value.maybe_done) == (True, False)


@pytest.mark.parametrize("reply", [DROP, GARBAGE, 502])
def test_a_lost_answer_to_a_change_may_mean_done(platform: Scripted, reply: str | int) -> None:
    platform.script[ACT] = [reply]

    with pytest.raises(Unreachable) as caught:
        client().act(ACT, {})

    assert (caught.value.maybe_done, caught.value.temporary) == (True, True)
    assert platform.count(ACT) == 1


def test_a_lost_answer_to_a_read_is_not_asked_for_again(platform: Scripted) -> None:
    platform.script[READ] = [DROP]

    with pytest.raises(Unreachable):
        client().read(READ)

    assert platform.count(READ) == 1


def test_a_refused_http_request_is_surely_not_done(platform: Scripted) -> None:
    platform.script[ACT] = [404]

    with pytest.raises(Unreachable) as caught:
        client().act(ACT, {})

    assert caught.value.maybe_done is False


def test_an_answer_that_takes_too_long_is_given_up(platform: Scripted) -> None:
    client().read("warm")
    platform.delay = 30.0
    began = time.monotonic()

    with pytest.raises(Unreachable) as caught:
        client().act(ACT, {}, timeout=0.2)

    assert time.monotonic() - began < wire.READ_SECONDS, "the caller's limit, not the client's own"
    assert caught.value.maybe_done is True


def test_a_platform_that_takes_no_connection_surely_did_nothing(platform: Scripted, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    settings.WECOM_API_URL = f"http://127.0.0.1:{port}/cgi-bin/"

    with pytest.raises(Unreachable) as caught:
        client().act(ACT, {})

    assert (caught.value.maybe_done, caught.value.connected) == (False, False)


def test_a_read_is_tried_once_more_without_a_connection(platform: Scripted, settings: Any) -> None:
    client().read(READ)
    closed = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{closed.getsockname()[1]}/cgi-bin/"
    closed.close()
    here = client()
    here.API_BASE_URL = address

    with pytest.raises(Unreachable):
        here.read(READ)

    assert list(ApiCall.objects.values_list("api", flat=True)) == [READ, READ]


def test_a_token_that_never_comes_is_given_up(platform: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scrm.wecom.wire.READ_SECONDS", 0.2)
    platform.delay = 30.0
    began = time.monotonic()

    with pytest.raises(Unreachable) as caught:
        client().read(READ)

    assert time.monotonic() - began < wire.ANSWER_SECONDS / 2
    assert caught.value.api == "gettoken"
    assert platform.count(READ) == 0


def test_a_redirect_is_not_followed(platform: Scripted) -> None:
    platform.script[READ] = [302]

    with pytest.raises(Unreachable):
        client().read(READ)

    assert platform.count(READ) == 1


def test_a_call_inside_a_transaction_is_a_mistake(platform: Scripted) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="transaction"):
        client().read(READ)

    assert platform.asked == []


@pytest.mark.parametrize("name", ["WECOM_CORP_ID", "WECOM_SECRET"])
def test_a_missing_setting_is_named_before_anything_is_asked(platform: Scripted, settings: Any, name: str) -> None:
    setattr(settings, name, "")

    with pytest.raises(ConfigurationError, match=name):
        client().read(READ)

    assert platform.asked == []


def test_neither_secret_nor_token_reaches_a_log_or_an_error(
    platform: Scripted, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.DEBUG)
    platform.script = {READ: [DROP], "gettoken": [{"errcode": 0, "access_token": "token-1", "expires_in": 7200}, DROP]}

    with pytest.raises(Unreachable) as caught:
        client().read(READ)

    logging.getLogger("urllib3").setLevel(logging.ERROR)
    told = [str(caught.value), repr(caught.value), repr(caught.value.__context__), repr(caught.value.__cause__)]
    told += [record.getMessage() for record in caplog.records]
    told += ApiCall.objects.values_list("detail", flat=True)
    assert [line for line in told if settings.WECOM_SECRET in line or "token-1" in line] == []


def test_never_asks_for_the_platforms_debug_mode(platform: Scripted) -> None:
    client().read(READ)

    assert [asked for asked in platform.asked if "debug" in asked.query] == []


def test_wechatpys_own_endpoints_obey_the_same_rules(platform: Scripted) -> None:
    platform.script["user/get"] = [refuse(errors.TOKEN_EXPIRED), {"errcode": 0, "name": "王磊"}]

    assert client().user.get("wanglei")["name"] == "王磊"
    assert [asked.query["access_token"] for asked in platform.asked if asked.api == "user/get"] == [
        "token-1",
        "token-2",
    ]


def test_a_failed_call_is_logged_with_its_code(platform: Scripted) -> None:
    platform.script = {READ: [refuse(errors.NOT_A_CONTACT)], ACT: [DROP]}

    with pytest.raises(WecomError):
        client().read(READ)
    with pytest.raises(WecomError):
        client().act(ACT, {})

    rows = list(ApiCall.objects.order_by("id").values_list("api", "errcode"))
    assert rows == [(READ, errors.NOT_A_CONTACT), (ACT, None)]


def test_a_sample_of_good_calls_is_logged(platform: Scripted, settings: Any) -> None:
    client().read("warm")
    settings.WECOM_CALL_LOG_SAMPLE = 1

    client().read(READ)

    assert list(ApiCall.objects.values_list("api", "errcode", "detail")) == [(READ, 0, "")]


def test_the_call_log_keeps_out_of_transactions(committed: None) -> None:
    with transaction.atomic():
        calllog.record(READ, errcode=0, ms=1)

    assert ApiCall.objects.count() == 0


def test_a_flood_of_failures_does_not_fill_the_call_log(platform: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calllog, "FAILURES", "3/minute")
    platform.script[ACT] = [refuse(40058)]

    for _ in range(6):
        with pytest.raises(WecomError):
            client().act(ACT, {})

    assert ApiCall.objects.count() == 3


def test_old_calls_are_pruned(committed: None, settings: Any) -> None:
    settings.CALL_LOG_RETENTION_DAYS = 14
    for api in ("old", "young"):
        calllog.record(api, errcode=0, ms=1)
    ApiCall.objects.filter(api="old").update(at=Now() - dt.timedelta(days=15))

    assert calllog.prune() == 1
    assert list(ApiCall.objects.values_list("api", flat=True)) == ["young"]
