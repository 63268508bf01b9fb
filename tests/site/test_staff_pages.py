"""The guard before the pages of staff: OAuth, signed links, and who stays out."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from contacts.models import OpenedLink, Staff
from scrm.base import signing
from scrm.base.models import User
from scrm.site.h5 import links
from tests.corp import Corp
from tests.site.platform_pages import HOST, at_platform, browser, chosen, sign_in

pytestmark = pytest.mark.urls("tests.site.staff_pages")

PAGE = "/h5/tasks/"


@pytest.fixture(autouse=True)
def staff(corp: Corp, wanglei: Staff, zhaomin: Staff) -> None:
    """Both are in our address book and at the platform."""


def key_of(staff: Staff) -> str:
    return parse_qs(urlsplit(links.task_link(staff)).query)["k"][0]


def open_link(client: Client, key: str) -> Any:
    """What a browser that follows redirects shows in the end."""
    return client.get(PAGE, {"k": key}, follow=True)


def said(answer: Any, words: str, status: int = 403) -> bool:
    return answer.status_code == status and words in answer.content.decode()


def by_oauth(client: Client, person: str, page: str = PAGE) -> Any:
    """Opens the page inside WeCom as `person`."""
    first = client.get(page)
    assert (first.status_code, urlsplit(first.headers["Location"]).path) == (302, "/h5/signin/")
    return sign_in(client, first.headers["Location"], person)


def test_inside_wecom_oauth_says_who_it_is(wanglei: Staff) -> None:
    client = browser(inside_wecom=True)

    back = by_oauth(client, "wanglei", f"{PAGE}?broadcast=7")

    assert (back.status_code, back.headers["Location"]) == (302, f"{PAGE}?broadcast=7")
    assert client.get(PAGE).content == b"GET wanglei"
    assert client.post(PAGE).content == b"POST wanglei"
    assert client.get(PAGE).headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")


def test_the_session_gets_a_new_key() -> None:
    client = browser(inside_wecom=True)
    first = client.get(PAGE)
    address = chosen(at_platform(client.get(first.headers["Location"])), "wanglei")
    before = client.session.session_key

    client.get(address)

    assert client.session.session_key != before


def test_a_browser_elsewhere_is_told_where_to_open_it_and_may_scan() -> None:
    client = browser()

    answer = client.get(f"{PAGE}?broadcast=7")

    assert said(answer, "请从企业微信的应用消息中打开")
    assert "/h5/signin/?next=%2Fh5%2Ftasks%2F%3Fbroadcast%3D7" in answer.content.decode()
    sign_in(client, "/h5/signin/?next=%2Fh5%2Ftasks%2F", "zhaomin")
    assert client.get(PAGE).content == b"GET zhaomin"


def test_a_signed_link_signs_in_and_leaves_no_key_behind(wanglei: Staff) -> None:
    client, link = browser(), links.task_link(wanglei)
    assert link.startswith(f"http://{HOST}{PAGE}?k=")

    first = client.get(f"{PAGE}?broadcast=7&k={key_of(wanglei)}")
    second = client.get(first.headers["Location"])

    assert (second.status_code, second.headers["Location"]) == (302, f"{PAGE}?broadcast=7")
    assert client.get(PAGE).content == b"GET wanglei"


def test_the_first_device_that_opens_a_link_keeps_it(wanglei: Staff) -> None:
    key, glance, owner, other = key_of(wanglei), browser(), browser(), browser()
    glance.get(PAGE, {"k": key})  # a program that looks at links and comes no second time

    assert open_link(owner, key).content == b"GET wanglei"
    assert said(open_link(other, key), "链接已失效")
    owner.cookies.pop("sessionid")
    assert open_link(owner, key).content == b"GET wanglei"


def test_a_browser_without_cookies_is_told_and_not_sent_round(wanglei: Staff) -> None:
    answer = browser().get(PAGE, {"k": key_of(wanglei), "named": ""})

    assert said(answer, "链接已失效")
    assert not OpenedLink.objects.exists()


def test_a_link_that_was_passed_on_shows_everybody_their_own_tasks(wanglei: Staff) -> None:
    client = browser(inside_wecom=True)

    by_oauth(client, "zhaomin", f"{PAGE}?k={key_of(wanglei)}")

    assert client.get(PAGE).content == b"GET zhaomin"
    assert client.get(f"{PAGE}?k={key_of(wanglei)}").headers["Location"] == PAGE
    assert client.get(PAGE).content == b"GET zhaomin"


@pytest.mark.parametrize("forge", ["altered", "other_purpose", "expired", "gone", "nonsense"])
def test_a_forged_or_old_link_opens_nothing(wanglei: Staff, zhaomin: Staff, settings: Any, forge: str) -> None:
    key = key_of(wanglei)
    if forge == "altered":
        key = signing.sign(zhaomin.pk, purpose=links.PURPOSE).split(":")[0] + ":" + key.partition(":")[2]
    elif forge == "other_purpose":
        key = signing.sign(wanglei.pk, purpose="gate")
    elif forge == "expired":
        settings.TASK_LINK_HOURS = -1
    elif forge == "gone":
        Staff.objects.filter(pk=wanglei.pk).update(status=Staff.Status.DISABLED)
    else:
        key = "nonsense"
    client = browser()

    assert said(open_link(client, key), "链接已失效")
    assert said(client.get(PAGE), "请从企业微信的应用消息中打开")


def test_without_a_trusted_domain_links_work_inside_wecom_too(wanglei: Staff, settings: Any) -> None:
    settings.STAFF_SIGN_IN = "link"
    client = browser(inside_wecom=True)

    assert said(client.get(PAGE), "请从企业微信的应用消息中打开")
    assert "/h5/signin/" not in client.get(PAGE).content.decode()
    assert open_link(client, key_of(wanglei)).content == b"GET wanglei"


def test_whoever_leaves_is_out_at_once(wanglei: Staff) -> None:
    client = browser(inside_wecom=True)
    by_oauth(client, "wanglei")
    Staff.objects.filter(pk=wanglei.pk).update(left_at="2026-01-01T00:00:00Z")

    assert client.get(PAGE).status_code == 302
    assert said(client.post(PAGE), "请从企业微信的应用消息中打开")


@pytest.mark.parametrize(
    ("person", "words"), [("somebody", "不是本企业的企业微信成员"), ("lijing", "通讯录里还没有您"), ("refused", "")]
)
def test_others_are_told_why_not(corp: Corp, person: str, words: str) -> None:
    corp.act("create_user", userid="lijing")
    client = browser()
    address = at_platform(client.get("/h5/signin/"))

    assert said(client.get(chosen(address, person)), words)
    assert said(client.get(PAGE), "请从企业微信的应用消息中打开")


def test_it_leads_to_no_other_place_than_ours() -> None:
    client = browser()

    back = sign_in(client, "/h5/signin/?next=//evil.example.com/", "wanglei")

    assert back.headers["Location"] == PAGE


def test_neither_login_opens_the_others_pages(alice: User, wanglei: Staff) -> None:
    staff, user = browser(inside_wecom=True), browser()
    by_oauth(staff, "wanglei")
    user.force_login(alice)

    assert staff.get("/admin/contacts/customer/").status_code == 302
    assert user.get(PAGE).status_code == 403
