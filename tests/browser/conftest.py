"""Chromium on a served console. Without Debian's Chromium the tests are skipped with the reason."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, Page, expect, sync_playwright

from contacts.models import Department, Staff
from scrm.base.models import User
from tests.site import world

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM} (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        expect.set_options(timeout=20_000)  # milliseconds; a page that is not there yet says nothing of the product
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def server(committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The console behind a real port. Playwright's loop lives in this thread: Django may be used beside it."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    thread = LiveServerThread("127.0.0.1", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait(20)
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()


@pytest.fixture
def company(server: str, noon: None, moment: dt.datetime) -> User:
    """王磊, 赵敏 and their customers, and alice, who administers."""
    for number, name in ((2, "销售"), (3, "客服")):
        Department.objects.create(id=number, name=name, path=[1, number])
    staff = [
        Staff.objects.create(userid=userid, name=name, department_ids=[number], serves_customers=True)
        for userid, name, number in (("wanglei", "王磊", 2), ("zhaomin", "赵敏", 3))
    ]
    alice = User.objects.create_superuser("alice", password="alice")
    world.build(staff[0], staff[1], alice, moment, size=4)
    return alice


@pytest.fixture
def open_page(browser: Browser, server: str, company: User) -> Iterator[Callable[..., Page]]:
    """Opens an address as alice in a window of `width`; what the page complains of fails the test."""
    contexts, complaints = [], []

    def open_it(address: str, *, width: int = 1440, dark: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, locale="zh-CN", color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(f"{server}{address}")
        page.fill("#id_username", "alice")
        page.fill("#id_password", "alice")
        page.click("button[type=submit]")
        page.wait_for_url(f"**{address}")
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert complaints == []
