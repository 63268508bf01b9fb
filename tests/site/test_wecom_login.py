"""Logging in to the console through WeCom, against the stand-in's pages."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import transaction
from django.test import Client

from contacts.models import Staff
from contacts.renaming import rename_staff
from scrm.base import clock
from scrm.base.limits import Bucket
from scrm.base.models import AuditRecord, User
from scrm.site.signin import trip
from tests.corp import Corp
from tests.site.platform_pages import HOST, at_platform, browser, chosen, sign_in

CUSTOMERS = "/admin/contacts/customer/?q=a%26b"


@pytest.fixture
def linked(corp: Corp, wanglei: Staff, bob: User) -> User:
    """bob is 王磊."""
    bob.wecom_userid = "wanglei"
    bob.save()
    return bob


def who(client: Client) -> str | None:
    """The user of the session."""
    number = client.session.get("_auth_user_id")
    return User.objects.get(pk=number).username if number else None


def refused(answer: Any, words: str, status: int = 403) -> bool:
    return answer.status_code == status and words in answer.content.decode()


def test_the_login_page_offers_it_beside_the_password(linked: User) -> None:
    text = browser().get("/admin/login/", {"next": CUSTOMERS}).content.decode()

    assert 'id="id_password"' in text
    assert "企业微信扫码登录" in text
    (address,) = re.findall(r'href="(/signin/[^"]*)"', text)
    assert parse_qs(urlsplit(address).query) == {"next": [CUSTOMERS]}


def test_a_scan_logs_the_linked_user_in_and_leads_on(linked: User) -> None:
    client = browser()
    address = at_platform(client.get("/signin/", {"next": CUSTOMERS}))
    assert urlsplit(address).path == "/wwlogin/sso/login"
    before = client.session.session_key

    answer = client.get(chosen(address, "wanglei"))

    assert (answer.status_code, answer.headers["Location"]) == (302, CUSTOMERS)
    assert (who(client), client.session.session_key == before) == ("bob", False)
    assert client.get("/admin/").status_code == 200
    record = AuditRecord.objects.get()
    assert (record.deed, record.user, record.detail) == ("login.wecom", linked, {"staff": "wanglei"})


def test_wecoms_own_browser_is_not_asked(linked: User) -> None:
    client = browser(inside_wecom=True)
    page = client.get("/admin/", follow=True).content.decode()
    (onward,) = re.findall(r'<meta http-equiv="refresh" content="0; url=([^"]*)">', page)

    answer = sign_in(client, onward, "wanglei")

    assert (answer.status_code, answer.headers["Location"], who(client)) == (302, "/admin/", "bob")


def test_wecoms_own_browser_may_still_take_the_password(linked: User) -> None:
    assert browser(inside_wecom=True).get("/admin/login/?password").status_code == 200


def test_a_part_that_refreshes_itself_begins_no_sign_in(linked: User) -> None:
    answer = browser(inside_wecom=True).get("/admin/login/", headers={"HX-Request": "true"})

    assert answer.status_code == 200


def test_under_another_host_name_the_session_begins_where_it_can_return(linked: User) -> None:
    client = Client(headers={"host": "localhost:8000"})

    answer = client.get("/signin/", {"next": CUSTOMERS})

    target = urlsplit(answer.headers["Location"])
    assert (target.netloc, target.path) == (HOST, "/signin/")
    assert parse_qs(target.query) == {"next": [CUSTOMERS], "moved": ["1"]}
    assert "/wwlogin/" in at_platform(client.get(f"{target.path}?{target.query}"))


@pytest.mark.parametrize("target", ["https://evil.example.com/", "//evil.example.com", "/\\evil.example.com", "x", ""])
def test_it_leads_nowhere_else(linked: User, target: str) -> None:
    answer = sign_in(browser(), f"/signin/?next={target}", "wanglei")

    assert answer.headers["Location"] == "/admin/"


def test_a_code_brought_by_somebody_else_logs_nobody_in(linked: User) -> None:
    begun = chosen(at_platform(browser().get("/signin/")), "wanglei")
    victim = browser()
    victim.get("/signin/")

    answer = victim.get(begun)

    assert refused(answer, "不是从这里发起", 400)
    assert who(victim) is None
    assert victim.get("/signin/back/?code=x").status_code == 400


def test_a_state_works_once_for_its_purpose_and_ten_minutes(linked: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = browser()
    back = chosen(at_platform(client.get("/signin/")), "wanglei")
    assert refused(client.get(back.replace("/signin/", "/h5/signin/")), "不是从这里发起", 400)
    assert client.get(back).status_code == 302
    assert client.get(back).status_code == 400

    late = chosen(at_platform(client.get("/signin/")), "wanglei")
    begun = clock.real_now()
    monkeypatch.setattr("time.time", lambda: begun.timestamp() + trip.LIFE + 1)
    assert client.get(late).status_code == 400


def test_a_used_code_is_told(linked: User) -> None:
    client = browser()
    one, two = (chosen(at_platform(client.get("/signin/")), "wanglei") for _ in range(2))
    code = parse_qs(urlsplit(one).query)["code"][0]
    state = parse_qs(urlsplit(two).query)["state"][0]
    assert client.get(one).status_code == 302
    client.logout()

    client.get("/signin/")
    answer = client.get(f"/signin/back/?code={code}&state={state}")

    assert answer.status_code == 400
    assert who(client) is None


def test_whoever_cancels_is_not_logged_in(linked: User) -> None:
    client = browser()

    assert refused(sign_in(client, "/signin/", "refused"), "取消了登录")
    assert who(client) is None


@pytest.mark.parametrize(
    ("person", "words"), [("zhaomin", "没有为您开通控制台账号"), ("somebody", "不是本企业的企业微信成员")]
)
def test_members_without_an_account_and_others_are_told_so(linked: User, person: str, words: str) -> None:
    client = browser()

    answer = sign_in(client, "/signin/", person)

    assert refused(answer, words)
    assert who(client) is None
    record = AuditRecord.objects.get()
    assert (record.deed, record.user, record.subject) == (
        "login.refused", None, person if person == "zhaomin" else "–"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("staff", "user", "words"),
    [
        ({"status": 2}, {}, "已被停用"),
        ({"left_at": "2026-01-01T00:00:00Z"}, {}, "已被停用"),
        ({}, {"is_active": False}, "没有为您开通"),
        ({}, {"is_staff": False}, "没有为您开通"),
    ],
)
def test_the_inactive_stay_out(linked: User, staff: dict[str, Any], user: dict[str, Any], words: str) -> None:
    Staff.objects.filter(userid="wanglei").update(**staff)
    User.objects.filter(pk=linked.pk).update(**user)
    client = browser()

    assert refused(sign_in(client, "/signin/", "wanglei"), words)
    assert who(client) is None


def test_two_accounts_of_one_member_are_no_account(linked: User, charlie: User) -> None:
    User.objects.filter(pk=charlie.pk).update(wecom_userid="wanglei")

    assert refused(sign_in(browser(), "/signin/", "wanglei"), "多个控制台账号")


def test_before_the_first_sync_the_platforms_word_is_enough(corp: Corp, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(wecom_userid="wanglei")
    client = browser()

    sign_in(client, "/signin/", "wanglei")

    assert who(client) == "alice"


def test_a_renamed_member_logs_in_and_the_heir_of_the_userid_does_not(linked: User, corp: Corp) -> None:
    corp.act("rename_user", userid="wanglei", new_userid="wanglei2")
    with transaction.atomic():
        rename_staff("wanglei", "wanglei2")
    corp.act("create_user", userid="wanglei", name="王蕾")
    client, heir = browser(), browser()

    sign_in(client, "/signin/", "wanglei2")

    assert who(client) == "bob"
    assert refused(sign_in(heir, "/signin/", "wanglei"), "没有为您开通")


def test_a_platform_that_is_away_is_told_and_nobody_is_logged_in(linked: User, corp: Corp) -> None:
    client = browser()
    back = chosen(at_platform(client.get("/signin/")), "wanglei")
    corp.standin.faults.add({"api": "auth/getuserinfo", "from": 1, "count": 0, "action": "status", "value": 503})

    assert refused(client.get(back), "企业微信暂时没有响应", 503)
    assert who(client) is None


def test_codes_by_the_dozen_do_not_reach_the_platform(
    linked: User, corp: Corp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trip, "FROM_ONE_ADDRESS", Bucket("signin", "2/minute"))
    answers = []
    for _ in range(3):
        client = browser()
        state = parse_qs(urlsplit(at_platform(client.get("/signin/"))).query)["state"][0]
        answers.append(client.get(f"/signin/back/?code=guess&state={state}").status_code)

    assert answers == [400, 400, 429]
    assert corp.standin.calls.of("auth/getuserinfo") == 2


def test_behind_our_proxy_each_address_has_its_own_tries(
    linked: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trip, "FROM_ONE_ADDRESS", Bucket("signin", "1/minute"))
    settings.TRUSTED_PROXIES = 1
    answers = []
    for address in ("198.51.100.1", "198.51.100.2", "198.51.100.1"):
        client = browser()
        state = parse_qs(urlsplit(at_platform(client.get("/signin/"))).query)["state"][0]
        back = f"/signin/back/?code=guess&state={state}"
        answers.append(client.get(back, headers={"x-forwarded-for": address}).status_code)

    assert answers == [400, 400, 429]


def test_without_its_settings_there_is_no_button_and_a_reason(linked: User, settings: Any) -> None:
    settings.WECOM_AGENT_ID = ""

    assert "/signin/" not in browser().get("/admin/login/").content.decode()
    assert browser(inside_wecom=True).get("/admin/login/").status_code == 200
    assert refused(browser().get("/signin/"), "WECOM_AGENT_ID", 503)
