"""The doctor: a corp in order is all green, each fault is found by the right check, and nothing is changed by asking."""

import datetime as dt
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import translation

from scrm.base import clock
from scrm.base.models import Heartbeat
from scrm.site.doctor import checks, places
from scrm.site.models import Finding
from tests.corp import Corp
from tests.processes import eventually, process
from tests.site.doctoring import PROOF, alive, connect, foreign_server, found, not_fine, our_server

# Every call that a doctor may make: none of them changes anything, and no customer or member notices one.
READS = {
    "gettoken", "getcallbackip", "agent/get", "department/list", "user/list", "media/get",
    "externalcontact/get_follow_user_list", "externalcontact/groupchat/list", "externalcontact/get_corp_tag_list",
    "externalcontact/list_contact_way", "externalcontact/get_contact_way", "externalcontact/get_groupmsg_list_v2",
    "externalcontact/customer_acquisition_quota",
}  # fmt: skip


@pytest.fixture
def healthy(corp: Corp, settings: Any) -> Iterator[Corp]:
    with our_server() as address:
        connect(corp, settings, address)
        yield corp


def calls_of(corp: Corp) -> dict[str, int]:
    return {api: int(str(row["calls"])) for api, row in corp.standin.calls.as_dict().items()}


class TestACorpInOrder:
    def test_is_all_green(self, healthy: Corp) -> None:
        results = found()

        assert not_fine(results) == {}
        assert list(results) == [finding.name for finding in Finding.objects.order_by("pk")]
        assert set(results) == set(checks)

    def test_is_only_read(self, healthy: Corp) -> None:
        before, callbacks = healthy.standin.ledger.of(), len(healthy.standin.callbacks.log)

        found()

        assert set(calls_of(healthy)) <= READS
        assert healthy.standin.ledger.of() == before
        assert len(healthy.standin.callbacks.log) == callbacks


class TestAccess:
    def test_a_wrong_secret_is_asked_for_once_however_often_the_doctor_is_called(
        self, corp: Corp, settings: Any
    ) -> None:
        settings.WECOM_SECRET = "a-secret-that-nobody-gave"

        first, second = found(), found()

        assert calls_of(corp) == {"gettoken": 1}
        for results in (first, second):
            assert results["corp_id"].state == "unknown"
            secret = results["secret"]
            assert (secret.state, secret.code, secret.place) == ("failed", 40001, places.SECRET)
            assert "refuses the secret (WECOM_SECRET)" in secret.words
            asking = {name for name in results if checks[name].asks_platform} - {"corp_id", "secret"}
            assert {results[name].state for name in asking} == {"skipped"}
        assert "a-secret-that-nobody-gave" not in str(Finding.objects.values_list("words"))

    def test_a_wrong_corp_id(self, corp: Corp, settings: Any) -> None:
        settings.WECOM_CORP_ID = "ww00000000000000ff"

        results = found()

        assert (results["corp_id"].state, results["corp_id"].code) == ("failed", 40013)
        assert results["corp_id"].place == places.CORP
        assert "ww00000000000000ff" in results["corp_id"].words
        assert results["secret"].state == "skipped"
        assert calls_of(corp) == {"gettoken": 1}

    def test_a_banned_address(self, corp: Corp) -> None:
        corp.standin.faults.add({"api": "gettoken", "action": "errcode", "value": 45009, "count": 0})

        result = found("secret")["secret"]

        assert (result.state, result.code) == ("failed", 45009)
        assert "the ban lasts an hour" in result.words

    def test_an_address_that_is_not_trusted_is_named(self, healthy: Corp) -> None:
        healthy.standin.settings.address_trusted = False

        results = found()

        assert (results["trusted_address"].state, results["trusted_address"].code) == ("failed", 60020)
        assert "127.0.0.1" in results["trusted_address"].words
        assert results["trusted_address"].place == "企微后台 > 应用管理 > 自建应用 > 开发者接口 > 企业可信IP"
        assert (results["secret"].state, results["corp_id"].state) == ("ok", "ok")

    def test_the_agent_id_of_another_app(self, corp: Corp, settings: Any) -> None:
        settings.WECOM_AGENT_ID = "1000099"

        result = found("app")["app"]

        assert (result.state, result.code, result.place) == ("failed", 301002, places.AGENT)

    def test_an_app_that_is_switched_off(self, corp: Corp) -> None:
        corp.standin.settings.app_closed = True

        result = found("app")["app"]

        assert (result.state, result.place) == ("failed", places.APP)
        assert "it is switched off" in result.words

    @pytest.mark.parametrize(("ahead", "state"), [(0.0, "ok"), (-50.0, "ok"), (120.0, "failed"), (-120.0, "failed")])
    def test_a_clock_that_is_wrong(self, corp: Corp, ahead: float, state: str) -> None:
        corp.standin.settings.clock_ahead = ahead

        result = found("clock")["clock"]

        assert result.state == state
        if ahead == 120:
            assert "off. Switch on time synchronisation" in result.words

    def test_a_platform_that_is_not_reached_is_asked_once(self, corp: Corp, settings: Any) -> None:
        settings.WECOM_API_URL = "http://127.0.0.1:1/cgi-bin/"

        results = found()

        assert results["corp_id"].state == "failed"
        assert "must reach qyapi.weixin.qq.com" in results["corp_id"].words
        assert {result.state for name, result in results.items() if checks[name].asks_platform} == {"failed", "skipped"}
        assert sum(result.state == "failed" for name, result in results.items() if checks[name].asks_platform) == 1

    def test_settings_that_are_missing(self, corp: Corp, settings: Any) -> None:
        settings.WECOM_SECRET = settings.WECOM_CALLBACK_AES_KEY = ""

        results = found()

        assert results["settings"].state == "warning"
        assert results["settings"].words == (
            f"Missing or malformed in the environment: WECOM_SECRET（{places.SECRET}）、"
            f"WECOM_CALLBACK_AES_KEY（{places.CALLBACK}）."
        )
        assert results["secret"].state == "skipped"
        assert (results["callback"].state, results["callback"].place) == ("failed", places.CALLBACK)
        assert calls_of(corp) == {}


class TestAddress:
    def test_nobody_listens(self, corp: Corp, settings: Any) -> None:
        settings.PUBLIC_URL = "http://127.0.0.1:1"

        results = found("public_url", "callback")

        assert "nobody listens there" in results["public_url"].words
        assert (results["callback"].state, results["callback"].place) == ("failed", places.CALLBACK)
        assert "filed (备案)" in results["callback"].words

    def test_a_provider_shows_its_own_page(self, healthy: Corp, settings: Any) -> None:
        with foreign_server(200, "<html>该网站暂时无法访问：未备案</html>".encode()) as settings.PUBLIC_URL:
            results = found("public_url", "domain_proof", "callback")

        assert {name: result.state for name, result in results.items()} == dict.fromkeys(results, "failed")
        assert "HTTP 200 with another page than ours" in results["callback"].words
        assert results["domain_proof"].place == places.PROOF

    def test_a_redirect_is_no_answer(self, healthy: Corp, settings: Any) -> None:
        with foreign_server(301, b"", "https://www.example.com/") as settings.PUBLIC_URL:
            result = found("callback")["callback"]

        assert result.state == "failed"
        assert "it leads on to https://www.example.com/" in result.words

    def test_a_web_process_with_another_token(self, healthy: Corp, settings: Any) -> None:
        with foreign_server(400, b"bad request") as settings.PUBLIC_URL:
            result = found("callback")["callback"]

        assert result.state == "failed"
        assert "another token, AES key or corp id" in result.words

    def test_a_key_that_is_none(self, healthy: Corp, settings: Any) -> None:
        settings.WECOM_CALLBACK_AES_KEY = "short"

        result = found("callback")["callback"]

        assert (result.state, result.place) == ("failed", places.CALLBACK)
        assert "43 letters and digits" in result.words

    def test_another_domain_is_trusted(self, healthy: Corp) -> None:
        healthy.standin.settings.trusted_domains = ("old-supplier.example.com",)

        result = found("trusted_domain")["trusted_domain"]

        assert (result.state, result.place) == ("failed", places.TRUSTED_DOMAIN)
        assert "its trusted domain is old-supplier.example.com" in result.words

    def test_no_domain_is_trusted(self, healthy: Corp) -> None:
        healthy.standin.settings.trusted_domains = ()

        assert "it has no trusted domain" in found("trusted_domain")["trusted_domain"].words

    def test_events_with_another_signature(self, corp: Corp) -> None:
        from scrm.wecom.callback import counters

        wrong = {"msg_signature": "0" * 40, "timestamp": "1", "nonce": "1"}
        corp.post(b"<xml><Encrypt>AAAA</Encrypt></xml>", wrong)
        eventually(lambda: counters.totals()["bad_envelope"], 10)  # counted by a thread

        result = found("events")["events"]

        assert (result.state, result.place) == ("failed", places.CALLBACK)
        assert "refused for their signature and none was accepted" in result.words


class TestRangeAndPermissions:
    def test_nobody_serves_customers(self, corp: Corp) -> None:
        for userid in ("wanglei", "zhaomin"):
            corp.act("update_user", userid=userid, follows=False)

        result = found("visible_range")["visible_range"]

        assert (result.state, result.place) == ("failed", places.CONTACT_RANGE)
        assert "Read 3 departments: none of their members" in result.words

    def test_a_member_who_is_not_activated_is_named(self, corp: Corp) -> None:
        corp.act("update_user", userid="zhaomin", status=4)

        result = found("staff_active")["staff_active"]

        assert (result.state, result.code, result.place) == ("warning", 41054, places.MEMBERS)
        assert "赵敏" in result.words and "王磊" not in result.words

    @pytest.mark.parametrize(
        ("check", "api"),
        [
            ("api_contacts", "externalcontact/get_follow_user_list"),
            ("api_group_chats", "externalcontact/groupchat/list"),
            ("api_tags", "externalcontact/get_corp_tag_list"),
            ("api_contact_ways", "externalcontact/list_contact_way"),
            ("api_broadcasts", "externalcontact/get_groupmsg_list_v2"),
            ("api_media", "media/get"),
        ],
    )
    def test_an_api_that_the_app_may_not_call(self, corp: Corp, check: str, api: str) -> None:
        corp.standin.faults.add({"api": api, "action": "errcode", "value": 48002, "count": 0})

        result = found(check)[check]

        assert (result.state, result.code) == ("failed", 48002)
        assert result.place == "企微后台 > 客户与上下游 > 客户联系 > API > 可调用接口的应用"
        assert api in result.words

    def test_a_quota_that_is_used_up_and_one_that_can_not_be_read(self, corp: Corp) -> None:
        corp.standin.settings.acquisition_left = 3
        low = found("acquisition_quota")["acquisition_quota"]
        corp.standin.faults.add(
            {"api": "externalcontact/customer_acquisition_quota", "action": "errcode", "value": 48002, "count": 0}
        )
        unread = found("acquisition_quota")["acquisition_quota"]

        assert (low.state, low.place) == ("warning", places.ACQUISITION)
        assert (unread.state, unread.code) == ("unknown", 48002)

    def test_an_api_that_is_paused(self, corp: Corp) -> None:
        corp.standin.faults.add({"api": "department/list", "action": "errcode", "value": 45009})

        results = found("api_departments", "call_budget")

        assert (results["api_departments"].state, results["api_departments"].code) == ("failed", 45009)
        assert results["call_budget"].state == "failed"
        assert "department/list" in results["call_budget"].words


class TestService:
    def test_a_queue_that_nobody_serves(self, healthy: Corp) -> None:
        Heartbeat.objects.filter(queue="welcome").update(seen_at=clock.real_now() - dt.timedelta(minutes=2))

        result = found("workers")["workers"]

        assert result.state == "failed"
        assert "-Q welcome." in result.words

    def test_beat_that_does_not_run(self, healthy: Corp) -> None:
        Heartbeat.objects.filter(queue="beat").delete()

        assert found("beat")["beat"].state == "failed"

    def test_redis_away(self, committed: None, settings: Any) -> None:
        from scrm.base import redis

        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        try:
            results = found("redis", "call_budget")
        finally:
            redis.forget_failures()

        assert results["redis"].state == "failed"
        assert results["call_budget"].state == "unknown"


class TestSafety:
    def test_a_native_welcome_is_found_by_the_codes_that_do_not_come(self, healthy: Corp) -> None:
        from analytics import fill

        healthy.act("native_welcome", userid="zhaomin")
        for _ in range(3):
            healthy.happens("add", userid="zhaomin")
        fill.fill_dirty()

        result = found("native_welcome")["native_welcome"]

        assert (result.state, result.place) == ("failed", places.NATIVE_WELCOME)
        assert "Of 7 adds in 7 days 4 came with a welcome code, and none of those of: 赵敏." in result.words

    @pytest.mark.parametrize(
        ("sending", "listed", "state"),
        [
            ("off", set(), "warning"),
            ("allowlist", set(), "failed"),
            ("allowlist", {"wmLin"}, "warning"),
            ("on", set(), "ok"),
        ],
    )
    def test_the_brake(self, committed: None, settings: Any, sending: str, listed: set[str], state: str) -> None:
        settings.SENDING, settings.SENDING_ALLOWLIST = sending, frozenset(listed)

        assert found("sending")["sending"].state == state

    def test_customer_pages_on_the_console_s_domain(self, committed: None, settings: Any) -> None:
        settings.PUBLIC_URL, settings.H5_URLS = "https://scrm.example.com", ["https://scrm.example.com:8443"]

        result = found("h5_urls")["h5_urls"]

        assert result.state == "failed"
        assert "scrm.example.com" in result.words

    def test_another_time_zone(self, committed: None, settings: Any) -> None:
        settings.COMPANY_TIME_ZONE = "Europe/Berlin"

        assert found("time_zone")["time_zone"].state == "warning"


class TestAdoption:
    def test_codes_of_a_former_supplier_are_told_apart(self, healthy: Corp) -> None:
        healthy.act("create_way", users=["wanglei"], state="ours", app=1000002)
        healthy.act("create_way", users=["wanglei"], state="theirs", app=1000077)
        for state in ("ours", "theirs"):
            healthy.happens("scan", state=state)

        result = found("existing_codes")["existing_codes"]

        assert result.state == "warning"
        assert "1 codes of this app can be read." in result.words
        assert "by 1 states whose codes can't be read (theirs …)" in result.words


class TestCommand:
    def run(self, *arguments: str) -> tuple[int, str]:
        out, code = io.StringIO(), 0
        try:
            with translation.override("en"):
                call_command("doctor", *arguments, stdout=out)
        except SystemExit as end:
            code = int(str(end.code))
        return code, out.getvalue()

    def test_says_what_is_wrong_and_where_it_is_mended(self, corp: Corp, settings: Any) -> None:
        settings.PUBLIC_URL = "http://127.0.0.1:1"

        code, text = self.run("--only", "callback", "--only", "secret")

        assert code == 1
        assert text.splitlines()[0] == "✓ Secret of the app: WeCom gave an access token for the secret."
        assert text.splitlines()[1].startswith("✗ Callback address: Asked http://127.0.0.1:1/wecom/callback/")
        assert text.splitlines()[2] == f"    → {places.CALLBACK}"
        assert text.splitlines()[3] == "2 checks, 1 to be mended."

    def test_ends_well_on_warnings(self, committed: None, settings: Any) -> None:
        settings.SENDING = "off"

        assert self.run("--only", "sending")[0] == 0

    def test_prints_json(self, committed: None) -> None:
        alive()

        code, text = self.run("--only", "workers", "--json")

        answer = json.loads(text)
        assert (code, answer["ok"]) == (0, True)
        assert [(row["name"], row["state"], row["code"]) for row in answer["checks"]] == [("workers", "ok", None)]

    def test_goes_on_where_the_database_is_not_there(self, committed: None) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE site_domainproof RENAME TO site_domainproof_away")
        try:
            code, text = self.run("--only", "domain_proof", "--only", "time_zone")
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE site_domainproof_away RENAME TO site_domainproof")

        assert code == 1
        assert "The database does not answer, or its tables are missing" in text
        assert "✓ Time zone of the company" in text


def test_a_kept_proof_is_served_and_others_are_not(healthy: Corp, client: Client) -> None:
    answer = client.get(f"/{PROOF}")
    assert (answer.status_code, answer.content) == (200, b"AbCdEf123456")
    assert client.get("/WW_verify_other.txt").status_code == 404


def test_beat_is_seen_by_what_it_rings(committed: None, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "celery", "-A", "scrm", "beat", "-s", str(tmp_path / "schedule")]
    with process(command):
        eventually(lambda: Heartbeat.objects.filter(queue="beat").exists(), 40)

        assert found("beat")["beat"].state == "ok"
