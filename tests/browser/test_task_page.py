"""The task page on a phone: copying, ticking and news without a reload, and all of it without a script."""

import datetime as dt
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from campaigns import handposts
from campaigns.models import Broadcast, Dispatch, HandPost, HandPostTick
from contacts.models import Staff
from groups.models import GroupChat
from scrm.base import clock
from scrm.base.models import User
from scrm.site.h5 import links

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

Open = Callable[..., Page]
TEXT = "姐妹们早上好 ☀️\n今天的福利：全场面膜第二件半价，戳链接领券。"


@pytest.fixture
def duties(company: User) -> HandPost:
    """王磊 has a task to confirm in three hours, and one text for three chats."""
    HandPost.objects.all().delete()
    now, wanglei = clock.now(), Staff.objects.get(userid="wanglei")
    broadcast = Broadcast.objects.create(
        name="20 点秒杀", to="group", audience={"chat_ids": ["wr"]}, text="今晚 20:00 秒杀，前 100 名送小样。", digest="x",
        create_at=now - dt.timedelta(hours=1), confirm_by=now + dt.timedelta(hours=3, minutes=20), state="running",
        created_by=company, created_at=now, attachments=[{"msgtype": "link", "link": {}}],
    )  # fmt: skip
    Dispatch.objects.create(
        broadcast=broadcast, staff=wanglei, number=0, digest="x", recipients=138, state="sent", msgid="m1", sent_at=now
    )
    for number in range(1, 4):
        GroupChat.objects.create(
            chat_id=f"wrA{number}", name=f"宠粉福利群 {number}", owner=wanglei, people=180 + number
        )
    return handposts.make(
        company, name="早安", text=TEXT, chat_ids=["wrA1", "wrA2", "wrA3"], link_title="领券",
        link_url="https://shop.example.com/coupon/2026", deadline=now + dt.timedelta(minutes=50),
    )  # fmt: skip


@pytest.fixture
def phone(browser: Browser, server: str, duties: HandPost) -> Iterator[Open]:
    """The page on 王磊's phone, opened by a signed link; what it complains of fails the test."""
    contexts, complaints = [], []

    def open_it(*, width: int = 375, script: bool = True, dark: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 812}, is_mobile=True, has_touch=True, java_script_enabled=script,
            color_scheme="dark" if dark else "light", permissions=["clipboard-read", "clipboard-write"], locale="zh-CN",
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        link = urlsplit(links.task_link(Staff.objects.get(userid="wanglei")))
        page.goto(f"{server}{link.path}?{link.query}")
        assert "k=" not in page.url
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert complaints == []


def states() -> list[str]:
    return list(HandPostTick.objects.order_by("chat__name").values_list("state", flat=True))


@pytest.mark.parametrize("width", [300, 390])
def test_it_fits_and_everything_can_be_hit_with_a_thumb(phone: Open, width: int) -> None:
    page = phone(width=width)

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    heights = page.eval_on_selector_all(
        "button, summary, a.button", "all => all.filter(e => e.offsetParent).map(e => e.getBoundingClientRect().height)"
    )
    assert len(heights) >= 10
    assert min(heights) >= 44


def test_the_text_is_copied_as_it_was_written(phone: Open, duties: HandPost) -> None:
    page = phone()

    page.locator(f"[data-copy=text-{duties.pk}]").tap()

    expect(page.locator("#said")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").replace("\r\n", "\n") == TEXT


def test_an_old_browser_copies_too(phone: Open, duties: HandPost) -> None:
    page = phone()
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.evaluate("document.addEventListener('copy', () => { window.copied = String(document.activeElement.value); })")

    page.locator(f"[data-copy=link-{duties.pk}]").tap()

    expect(page.locator("#said")).to_be_visible()
    assert page.evaluate("window.copied") == "https://shop.example.com/coupon/2026"


def test_ticks_count_without_a_reload_and_can_be_undone(phone: Open, duties: HandPost) -> None:
    page = phone()
    page.evaluate("window.loaded = 'once'")
    progress = page.locator(f"#post-{duties.pk} .progress b")
    page.locator("button.chat").nth(1).tap()
    expect(progress).to_have_text("1/3")
    assert states() == ["todo", "done", "todo"]

    page.locator("li.done .other").tap()
    expect(progress).to_have_text("0/3")
    assert states() == ["todo", "todo", "todo"]
    page.locator("li.todo .other").first.tap()
    expect(page.locator("li.skipped")).to_have_count(1)
    assert states() == ["skipped", "todo", "todo"]
    assert page.evaluate("window.loaded") == "once"


def test_it_notices_by_itself_what_was_confirmed_in_wecom(phone: Open) -> None:
    page = phone()
    expect(page.locator("#confirm .waiting")).to_have_count(1)
    page.locator("#how summary").tap()
    Dispatch.objects.filter(msgid="m1").update(state="confirmed", confirmed_at=clock.now(), count_sent=120)

    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    expect(page.locator("#done .confirmed")).to_contain_text("20 点秒杀")
    expect(page.locator("#confirm .waiting")).to_have_count(0)


def test_without_a_script_ticks_work_by_reload(phone: Open, duties: HandPost) -> None:
    page = phone(script=False)
    expect(page.locator("[data-copy]").first).to_be_hidden()

    page.locator("button.chat").first.tap()

    expect(page.locator(f"#post-{duties.pk} .progress b")).to_have_text("1/3")
    assert states() == ["done", "todo", "todo"]
