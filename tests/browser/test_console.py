"""The console in a real browser: desktop, phone, keyboard, dialogs."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from campaigns.models import Broadcast, Dispatch, Reminder
from contacts.models import Customer, Staff, SyncRun, SyncStep
from groups.models import GroupChat
from scrm.base import clock
from scrm.base.models import User, Work
from tests.site import lists

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

Open = Callable[..., Page]
LISTS = [f"admin/{label.lower().replace('.', '/')}" for label in sorted(lists.FILTERS)]
OTHERS = ["admin", "console/tasks", "console/settings", "dashboards"]


@pytest.mark.parametrize("width", [1440, 390])
def test_pages_fit_the_window(open_page: Open, width: int) -> None:
    page = open_page("/admin/", width=width)
    details = [
        f"admin/contacts/customer/{Customer.objects.latest('pk').pk}/change",
        f"admin/contacts/staff/{Staff.objects.get(userid='wanglei').pk}/change",
        f"admin/groups/groupchat/{GroupChat.objects.latest('pk').pk}/change",
        f"admin/base/work/{Work.objects.latest('pk').pk}/change",
    ]
    root = page.url.partition("/admin/")[0]
    for name in [*OTHERS, *LISTS, *details]:
        page.goto(f"{root}/{name}/")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        expect(page.locator(".c-brake summary")).to_be_visible()


def test_the_brake_explains_itself_on_a_tap(open_page: Open) -> None:
    page = open_page("/admin/", width=390)
    meaning = page.locator(".c-brake-box")
    expect(meaning).to_be_hidden()
    page.locator(".c-brake summary").click()
    expect(meaning).to_contain_text("SENDING")


def test_the_palette_opens_with_ctrl_k_and_finds_a_pasted_name(open_page: Open) -> None:
    page = open_page("/admin/")
    page.keyboard.press("Control+k")
    field = page.locator("#search-input-command")
    expect(field).to_be_visible()
    field.evaluate(
        "(input) => { input.value = '王磊的客户2'; input.dispatchEvent(new Event('input', {bubbles: true})); }"
    )
    page.locator("#command-results-list a").first.click()
    expect(page.locator(".c-hd h1")).to_contain_text("王磊的客户2")


def test_a_row_leads_to_its_page_and_back_with_the_filters(open_page: Open) -> None:
    page = open_page("/admin/contacts/customer/?staff=wanglei")
    page.get_by_role("link", name="王磊的客户3").click()
    expect(page.locator(".c-hd h1")).to_contain_text("王磊的客户3")
    page.go_back()
    expect(page).to_have_url(re.compile(r"\?staff=wanglei$"))
    assert page.locator("#result_list tbody").count() == 4


def test_failed_callbacks_are_done_again_from_the_list(open_page: Open) -> None:
    page = open_page("/admin/wecom/callback/?view=failed")
    page.locator("#action-toggle, .action-select").first.click()
    page.locator("select[name=action]").select_option("replay_chosen")
    page.locator("button[name=index]").first.click()
    expect(page.get_by_text("项任务将重新处理")).to_be_visible()
    assert Work.objects.filter(state=Work.State.WAITING).exists()


def test_all_failed_work_of_a_lane_is_done_again_in_a_dialog_only(open_page: Open) -> None:
    page = open_page("/admin/base/work/", width=390)
    page.get_by_role("button", name="全部重做").click()
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("客户变更")
    dialog.get_by_role("button", name="取消").click()
    assert not Work.objects.filter(state=Work.State.WAITING).exists()
    page.get_by_role("button", name="全部重做").click()
    dialog.get_by_role("button", name="全部重做").click()
    expect(page.get_by_text("项任务将重新处理")).to_be_visible()
    assert set(Work.objects.values_list("state", flat=True)) == {Work.State.WAITING}


def test_chosen_work_is_asked_about_before_it_is_done_again(open_page: Open) -> None:
    page = open_page("/admin/base/work/?view=failed")
    page.locator("#action-toggle, .action-select").first.click()
    page.locator("select[name=action]").select_option("replay_chosen")
    page.locator("button[name=index]").first.click()
    page.get_by_role("button", name="重新处理").click()
    expect(page.get_by_text("项任务将重新处理")).to_be_visible()
    assert Work.objects.filter(state=Work.State.WAITING).exists()


def test_a_staff_member_is_reminded_from_a_phone(open_page: Open, company: User) -> None:
    now = clock.now()
    broadcast = Broadcast.objects.create(
        name="晚八点秒杀", to="single", audience={}, digest="1", state="running", created_by=company, created_at=now,
        create_at=now, confirm_by=now + dt.timedelta(minutes=20), plan_date=clock.today(),
    )  # fmt: skip
    task = Dispatch.objects.create(
        broadcast=broadcast, staff=Staff.objects.get(userid="wanglei"), number=0, digest="1", recipients=40, state="sent",
        msgid="msg1", sent_at=now,
    )  # fmt: skip
    page = open_page("/console/tasks/", width=390)
    expect(page.get_by_text("0 / 3")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="催办", exact=True).first.click()
    expect(page.get_by_text("已催办 1 个任务")).to_be_visible()
    expect(page.get_by_text("1 / 3")).to_be_visible()
    assert Reminder.objects.get().dispatch == task


def test_removals_are_accepted_in_a_dialog_only(open_page: Open) -> None:
    run = SyncRun.objects.latest("pk")
    SyncRun.objects.filter(pk=run.pk).update(state=SyncRun.State.HELD, held=5)
    SyncStep.objects.create(run=run, kind="removals")
    page = open_page(f"/admin/contacts/syncrun/{run.pk}/change/")
    page.get_by_role("button", name="确认移除").click()
    dialog = page.locator("dialog#accept")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="取消").click()
    expect(dialog).to_be_hidden()
    run.refresh_from_db()
    assert run.state == SyncRun.State.HELD
    page.get_by_role("button", name="确认移除").click()
    dialog.get_by_role("button", name="确认移除").click()
    expect(page.get_by_text("已确认，正在移除")).to_be_visible()


def test_a_running_sync_refreshes_itself(open_page: Open) -> None:
    page = open_page("/admin/contacts/syncrun/")
    page.get_by_role("button", name="立即同步").click()
    expect(page.locator(".c-hd h1")).to_contain_text("进行中")
    run = SyncRun.objects.get(state=SyncRun.State.RUNNING)
    SyncRun.objects.filter(pk=run.pk).update(state=SyncRun.State.DONE)
    expect(page.locator(".c-hd h1")).to_contain_text("已完成")


def test_a_welcome_is_previewed_while_it_is_typed(open_page: Open) -> None:
    page = open_page("/admin/campaigns/welcomerule/add/")
    page.locator("#id_text").fill("您好{customer}，我是{staff}")
    expect(page.locator("#welcome-preview .c-bub").first).to_have_text("您好小林，我是王磊")
    expect(page.get_by_text("32 / 4,000 字节")).to_be_visible()


def test_the_dark_theme_reaches_our_own_parts(open_page: Open) -> None:
    page = open_page("/admin/", dark=True)
    page.wait_for_function("document.documentElement.classList.contains('dark')")
    colour = page.locator(".c-card").first.evaluate("(card) => getComputedStyle(card).backgroundColor")
    assert colour == "rgb(17, 24, 39)"
