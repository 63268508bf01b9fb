"""A broadcast in a real browser: made, checked, approved, paused, its results coming in while one watches."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from campaigns.models import Broadcast, Delivery, Dispatch
from campaigns.sending.counts import refresh_counts
from groups.models import GroupChat
from scrm.base import clock
from scrm.base.models import User

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

Open = Callable[..., Page]


@pytest.fixture(autouse=True)
def _open_hours(settings: Any) -> None:
    settings.QUIET_HOURS, settings.SENDING = "none", "on"


def confirm(broadcast: Broadcast) -> None:
    """What the engine books when every staff member has confirmed and all was delivered."""
    tasks = Dispatch.objects.filter(broadcast=broadcast)
    Delivery.objects.of(broadcast).update(state=Delivery.State.SENT, sent_at=clock.now())
    refresh_counts(list(tasks.values_list("pk", flat=True)))
    tasks.update(state=Dispatch.State.CONFIRMED, confirmed_at=clock.now(), settled_at=clock.now())
    Broadcast.objects.filter(pk=broadcast.pk).update(state=Broadcast.State.DONE, finished_at=clock.now())


def test_a_broadcast_is_written_checked_approved_paused_and_watched(open_page: Open) -> None:
    page = open_page("/admin/campaigns/broadcast/add/")
    page.fill("#id_name", "周五上新")
    expect(page.locator(".field-chats").first).to_be_hidden()
    page.fill("#id_text", "新品到店，戳链接先看")
    expect(page.locator("#broadcast-preview .c-bub").first).to_have_text("新品到店，戳链接先看")
    expect(page.get_by_text("30 / 4,000 字节")).to_be_visible()
    page.fill("#id_link_title", "新品")
    page.fill("#id_link_url", "https://shop.example.com/new")
    expect(page.locator("#broadcast-preview .c-bub")).to_have_count(2)
    page.get_by_role("button", name="保存").first.click()

    expect(page.locator(".c-lead")).to_have_text("将请 王磊、赵敏 各点 1 次确认，发给 8 位客户。")
    page.get_by_role("button", name="批准并下发").first.click()
    dialog = page.locator("dialog#approve")
    dialog.get_by_role("button", name="先不").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="批准并下发").first.click()
    dialog.get_by_role("button", name="批准并下发").click()

    broadcast = Broadcast.objects.get(name="周五上新")
    expect(page.locator("#delivered")).to_contain_text("0/ 8 位客户")
    page.get_by_role("button", name="暂停").click()
    expect(page.locator(".c-hd h1")).to_contain_text("已暂停")
    page.get_by_role("button", name="继续").click()
    confirm(broadcast)
    expect(page.locator("#delivered")).to_contain_text("8/ 8 位客户")  # nobody touched the page
    expect(page.locator(".c-hd h1")).to_contain_text("已完成")
    page.locator("table a", has_text="8").first.click()
    expect(page.locator(".c-table tbody tr")).to_have_count(8)


def test_taking_back_needs_the_word(open_page: Open) -> None:
    broadcast = Broadcast.objects.exclude(state="draft").latest("pk")
    page = open_page(f"/admin/campaigns/broadcast/{broadcast.pk}/change/")
    page.get_by_role("button", name="撤回").first.click()
    dialog = page.locator("dialog#cancel-broadcast")
    dialog.get_by_label("输入“撤回”").fill("撤回")
    dialog.get_by_role("button", name="撤回").click()
    expect(page.locator(".c-hd h1")).to_contain_text("已取消")


def test_chats_are_found_while_typing_and_from_their_list(open_page: Open) -> None:
    page = open_page("/admin/campaigns/broadcast/add/")
    page.select_option("#id_aim", "chats")
    page.locator(".field-chats .select2-search__field").click()
    page.locator(".field-chats .select2-search__field").type("王磊")
    page.locator(".select2-results__option", has_text="王磊的福利群").click()
    expect(page.locator(".field-chats .select2-selection__choice")).to_have_count(1)

    page.goto(page.url.replace("campaigns/broadcast/add", "groups/groupchat"), wait_until="load")
    page.locator("#action-toggle, .action-select").first.click()
    page.locator("select[name=action]").select_option("broadcast_to_chats")
    page.locator("button[name=index]").first.click()
    expect(page.locator(".field-chats .select2-selection__choice")).to_have_count(GroupChat.objects.count())


@pytest.mark.parametrize("width", [1440, 390])
def test_pages_fit_the_window(open_page: Open, company: User, width: int) -> None:
    rows = {row.state: row.pk for row in Broadcast.objects.all()}
    page = open_page("/admin/campaigns/broadcast/", width=width)
    base = page.url
    draft, running = rows["draft"], rows["planned"]
    for name in ("", "add/", f"{draft}/change/", f"{draft}/edit/", f"{running}/change/", f"{running}/recipients/"):
        page.goto(base + name)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
