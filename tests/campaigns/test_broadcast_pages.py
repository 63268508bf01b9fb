"""The console's pages of broadcasts: what they show, what their buttons do, and who may not press them."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from unittest.mock import ANY

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.translation import gettext as _

from campaigns.models import Broadcast, Delivery, Dispatch, Reminder
from campaigns.sending import pace
from contacts.models import Customer, Department, Staff
from scrm.base import clock, roles
from scrm.base.console.editions import edition
from scrm.base.models import AuditRecord, User, Work
from scrm.base.roles import Role
from tests.conftest import operator

Make = Callable[..., Any]
LIST = "/admin/campaigns/broadcast/"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


@pytest.fixture(autouse=True)
def _released(settings: Any) -> None:
    settings.SENDING = "on"


@pytest.fixture
def console(alice: User) -> Client:
    return _client(alice)


@pytest.fixture
def watcher(departments: list[Department]) -> User:
    """Sees department 2, writes nothing."""
    user = User.objects.create_user("watcher", is_staff=True, department_ids=[2])
    roles.give(user, Role.STAFF)
    return user


def _client(user: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client


def _allow(user: User, *codenames: str) -> None:
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))


def page_of(broadcast: Broadcast) -> str:
    return f"{LIST}{broadcast.pk}/change/"


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def press(client: Client, broadcast: Broadcast, deed: str, **given: Any) -> list[str]:
    """The messages that the next page shows. The button is that of the page as it stands now, unless `seen` is given."""
    hidden = re.search(r'name="seen" value="([^"]*)"', client.get(page_of(broadcast)).content.decode())
    seen = {"seen": hidden[1]} if hidden else {}
    answer = client.post(f"{LIST}{broadcast.pk}/{deed}/", seen | given, follow=True)
    assert answer.status_code == 200, answer.status_code
    return [str(message) for message in answer.context["messages"]]


def settle(broadcast: Broadcast, userid: str, **states: Delivery.State) -> None:
    """What the engine would have booked for the recipients of one staff member (external_userid=state)."""
    from campaigns.sending.counts import refresh_counts

    task = Dispatch.objects.get(broadcast=broadcast, staff__userid=userid)
    for external_userid, state in states.items():
        sent_at = clock.now() if state == Delivery.State.SENT else None
        rows = Delivery.objects.filter(dispatch=task, customer__external_userid=external_userid)
        assert rows.update(state=state, sent_at=sent_at) == 1
    Dispatch.objects.filter(pk=task.pk).update(
        state=Dispatch.State.CONFIRMED, sent_at=clock.now(), confirmed_at=clock.now(), polled_at=clock.now()
    )
    refresh_counts([task.pk])


def waits(broadcast: Broadcast, userid: str) -> Dispatch:
    """A task that its staff member has still to confirm."""
    task = Dispatch.objects.get(broadcast=broadcast, staff__userid=userid)
    Dispatch.objects.filter(pk=task.pk).update(state=Dispatch.State.SENT, msgid=f"msg{task.pk}", sent_at=clock.now())
    return task


# --- the list ------------------------------------------------------------------------------------------------------------
class TestList:
    def test_shows_state_confirmations_and_deliveries(
        self, console: Client, befriend: Make, draft: Make, wanglei: Staff, zhaomin: Staff, alice: User
    ) -> None:
        befriend("wmA", wanglei)
        befriend("wmB", wanglei)
        befriend("wmC", zhaomin)
        broadcast = pace.approve(draft(["wmA", "wmB", "wmC"]), alice)
        settle(broadcast, "wanglei", wmA=Delivery.State.SENT, wmB=Delivery.State.NOT_FRIEND)
        draft(["wmA"], text="草稿")

        text = text_of(console, LIST)

        assert "1 / 2" in text  # staff
        assert "1 / 3" in text  # customers
        assert "计划 3 · 已送达 1" in text

    def test_has_tabs_and_is_found_by_name(
        self, console: Client, befriend: Make, draft: Make, wanglei: Staff, alice: User
    ) -> None:
        befriend("wmA", wanglei)
        running = pace.approve(draft(["wmA"]), alice)
        cancelled = pace.cancel(draft(["wmA"], text="别的"), alice)
        only_draft = draft(["wmA"], text="再来")
        Broadcast.objects.filter(pk=only_draft.pk).update(name="会员日")

        def found(query: str) -> list[int]:
            return [row.pk for row in console.get(f"{LIST}?{query}").context["cl"].result_list]

        assert found("view=draft") == [only_draft.pk]
        assert found("view=open") == [running.pk]
        assert found("view=cancelled") == [cancelled.pk]
        assert found("view=done") == []
        assert found("q=会员") == [only_draft.pk]
        assert found("to=group") == []

    def test_says_what_to_do_while_it_is_empty(self, console: Client) -> None:
        assert "企微不会自行发送" in text_of(console, LIST)


# --- the form ------------------------------------------------------------------------------------------------------------
def filled(**given: Any) -> dict[str, Any]:
    return {"name": "上新", "aim": "filter", "staff_choice": "owner", "text": "新品上架", **given}


def errors_of(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors)


class TestForm:
    def test_makes_a_draft_by_filter_and_leads_to_its_check(self, console: Client, wanglei: Staff) -> None:
        answer = console.post(f"{LIST}add/", filled(staff=["wanglei"], added_from="2026-11-01", added_to="2026-11-02"))
        made = Broadcast.objects.get()
        assert answer.headers["Location"] == page_of(made)
        assert made.audience == {
            "filter": {
                "userids": ["wanglei"],
                "added_after": "2026-10-31T16:00:00+00:00",
                "added_before": "2026-11-02T16:00:00+00:00",
            }
        }
        assert (made.state, made.to, made.text) == ("draft", "single", "新品上架")
        assert AuditRecord.objects.get(deed="broadcast.add").subject == "上新"

    def test_takes_pasted_ids_chosen_chats_and_chats_that_match(
        self, console: Client, chat: Make, wanglei: Staff, zhaomin: Staff
    ) -> None:
        first, second = chat("福利群1", wanglei), chat("秒杀群", zhaomin)
        chat("福利群2", zhaomin, dismissed_at=clock.now())

        console.post(f"{LIST}add/", filled(aim="ids", ids="wmA, wmB\nwmC"))
        console.post(f"{LIST}add/", filled(aim="chats", chats=[second.pk]))
        console.post(f"{LIST}add/", filled(aim="matching", chat_name="福利"))
        console.post(f"{LIST}add/", filled(aim="kept", kept_chats=f"{first.pk},{second.pk}"))

        assert [row.audience for row in Broadcast.objects.order_by("pk")] == [
            {"external_userids": ["wmA", "wmB", "wmC"]},
            {"chat_ids": ["秒杀群"]},
            {"chat_ids": ["福利群1"]},
            {"chat_ids": ["福利群1", "秒杀群"]},
        ]

    def test_puts_each_error_next_to_its_field(self, console: Client, alice: User) -> None:
        past = (clock.now() - dt.timedelta(days=1)).astimezone(clock.zone())
        answer = console.post(
            f"{LIST}add/",
            filled(name="", aim="ids", text="您好{customer}", link_title="看看", create_at=f"{past:%Y-%m-%dT%H:%M}"),
        )
        found = errors_of(answer)
        assert set(found) == {"name", "ids", "text", "create_at"}
        assert found["ids"] == ["没有选择任何人：绝不会发给空对象。"]
        assert not Broadcast.objects.exists()
        assert set(errors_of(console.post(f"{LIST}add/", filled(link_title="看看")))) == {"link_url"}
        assert set(errors_of(console.post(f"{LIST}add/", filled(text="长" * 1400)))) == {"text"}

    def test_a_draft_is_changed_and_keeps_its_maker(
        self, console: Client, befriend: Make, draft: Make, wanglei: Staff, bob: User
    ) -> None:
        befriend("wmA", wanglei)
        made = draft(["wmA"], user=bob)
        shown = console.get(f"{LIST}{made.pk}/edit/").context["adminform"].form.initial
        assert (shown["aim"], shown["ids"], shown["text"]) == ("ids", "wmA", "新品上架")

        console.post(f"{LIST}{made.pk}/edit/", filled(aim="ids", ids="wmA wmB", text="改过", seen=edition(made)))

        made.refresh_from_db()
        assert (made.audience, made.text, made.created_by) == ({"external_userids": ["wmA", "wmB"]}, "改过", bob)
        assert made.digest != draft(["wmA"]).digest

    def test_an_approved_one_is_not_changed_but_copied(
        self, console: Client, befriend: Make, draft: Make, wanglei: Staff, alice: User
    ) -> None:
        befriend("wmA", wanglei)
        held = pace.approve(draft(["wmA"]), alice)

        answer = console.post(f"{LIST}{held.pk}/edit/", filled(text="改过"), follow=True)
        assert [str(message) for message in answer.context["messages"]] == ["已批准的群发不能修改，请复制一条。"]
        held.refresh_from_db()
        assert held.text == "新品上架"

        console.post(f"{LIST}{held.pk}/copy/")
        copy = Broadcast.objects.exclude(pk=held.pk).get()
        assert (copy.state, copy.name, copy.text, copy.audience) == (
            "draft",
            "上新 （副本）",
            "新品上架",
            held.audience,
        )

    def test_chats_are_found_by_name_and_owner_within_the_scope(
        self, chat: Make, bob: User, wanglei: Staff, zhaomin: Staff
    ) -> None:
        own = chat("福利群1", wanglei, people=8)
        chat("福利群2", zhaomin)
        _allow(bob, "add_broadcast")
        client = _client(bob)
        expected = [{"id": str(own.pk), "text": "福利群1 · 王磊 (8)"}]
        assert client.get(f"{LIST}chats/?term=福利").json() == {"results": expected, "pagination": {"more": False}}
        assert client.get(f"{LIST}chats/?term=王磊").json()["results"] == expected
        assert client.get(f"{LIST}chats/?term=赵敏").json()["results"] == []

    def test_is_closed_to_who_may_not_prepare(self, watcher: User) -> None:
        client = _client(watcher)
        assert client.get(f"{LIST}add/").status_code == 403
        assert client.get(f"{LIST}chats/").status_code == 403


class TestPicture:
    def test_goes_to_wecom_and_its_address_into_the_draft(self, standin: Any, settings: Any) -> None:
        admin = User.objects.create_superuser("alice", password="alice")
        console = _client(admin)
        console.post(f"{LIST}add/", filled(picture=SimpleUploadedFile("a.png", PNG)))
        image = Broadcast.objects.get().attachments[0]["image"]
        assert re.fullmatch(r"https://wework\.qpic\.cn/wwpic/[0-9a-f]{32}/0", image["pic_url"])

        made = Broadcast.objects.get()
        console.post(
            f"{LIST}{made.pk}/edit/", filled(picture_url=image["pic_url"], no_picture="on", seen=edition(made))
        )
        made.refresh_from_db()
        assert made.attachments == []

    @pytest.mark.parametrize(
        ("data", "fault"),
        [
            (b"GIF89a" + b"0" * 40, "请选择 JPG 或 PNG 文件。"),
            (PNG + b"0" * 2 * 1024 * 1024, "图片有 2.0 MB，企微最多接收 2 MB。"),
        ],
    )
    def test_is_refused_in_words_without_asking_wecom(self, console: Client, data: bytes, fault: str) -> None:
        answer = console.post(f"{LIST}add/", filled(picture=SimpleUploadedFile("a.gif", data)))
        assert errors_of(answer) == {"picture": [fault]}
        assert not Broadcast.objects.exists()


class TestActions:
    def test_chosen_chats_and_customers_fill_the_form(
        self, console: Client, befriend: Make, chat: Make, wanglei: Staff
    ) -> None:
        first, over = chat("福利群1", wanglei), chat("散了", wanglei, dismissed_at=clock.now())
        customer = befriend("wmA", wanglei)
        answer = console.post(
            "/admin/groups/groupchat/", {"action": "broadcast_to_chats", "_selected_action": [first.pk, over.pk]}
        )
        assert answer.headers["Location"] == f"{LIST}add/?chosen=1"
        assert console.get(f"{LIST}add/?chosen=1").context["adminform"].form.initial["chats"] == [first.pk]

        console.post(
            "/admin/contacts/customer/", {"action": "broadcast_to_customers", "_selected_action": [customer.pk]}
        )
        assert console.get(f"{LIST}add/?chosen=1").context["adminform"].form.initial["ids"] == "wmA"

    def test_are_not_offered_to_who_may_not_prepare(self, watcher: User, chat: Make, wanglei: Staff) -> None:
        chat("福利群1", wanglei)
        assert "broadcast_to_chats" not in _client(watcher).get("/admin/groups/groupchat/").content.decode()


# --- the check -----------------------------------------------------------------------------------------------------------
class TestCheck:
    def test_says_who_confirms_for_whom_and_who_is_left_out_why(
        self, console: Client, befriend: Make, draft: Make, wanglei: Staff, zhaomin: Staff
    ) -> None:
        befriend("wmA", wanglei)
        befriend("wmB", wanglei)
        befriend("wmC", zhaomin)
        befriend("wmHalf", zhaomin, half=True)

        text = text_of(console, page_of(draft(["wmA", "wmB", "wmC", "wmHalf", "wmNobody"])))

        assert "将请 王磊、赵敏 各点 1 次确认，发给 3 位客户。" in text
        assert "未完全互加" in text
        assert "您的数据权限内没有这个客户或群" in text
        assert "RECEIVE_RULE=month_total" in text
        assert "可以批准，但" not in text

    def test_warns_of_many_confirmations_on_one_day(
        self, console: Client, befriend: Make, draft: Make, wanglei: Staff, alice: User
    ) -> None:
        befriend("wmA", wanglei)
        for number in range(6):
            pace.approve(draft(["wmA"], text=f"第{number}条"), alice)
        assert "当天要点 6 次以上" not in text_of(console, page_of(Broadcast.objects.latest("pk")))
        assert "1 位员工当天要点 6 次以上" in text_of(console, page_of(draft(["wmA"], text="第七条")))

    def test_moves_the_creation_to_the_end_of_quiet_hours(
        self, console: Client, befriend: Make, draft: Make, wanglei: Staff, settings: Any
    ) -> None:
        befriend("wmA", wanglei)
        made = draft(["wmA"])
        local = clock.now().astimezone(clock.zone())
        begin, end = local - dt.timedelta(hours=1), local + dt.timedelta(hours=1)
        settings.QUIET_HOURS = f"{begin:%H:%M}-{end:%H:%M}"
        assert "免打扰时段不下发" in text_of(console, page_of(made))

        press(console, made, "after_quiet")

        made.refresh_from_db()
        assert f"{made.create_at.astimezone(clock.zone()):%H:%M}" == f"{end:%H:%M}"
        assert made.confirm_by > made.create_at
        assert "免打扰时段不下发" not in text_of(console, page_of(made))

    def test_says_that_the_brake_is_on(
        self, console: Client, befriend: Make, draft: Make, wanglei: Staff, settings: Any
    ) -> None:
        befriend("wmA", wanglei)
        settings.SENDING = "off"
        assert "发送：已刹车 可以批准，但松开刹车前不会创建任务" in text_of(console, page_of(draft(["wmA"])))

    def test_is_approved_once(self, console: Client, befriend: Make, draft: Make, wanglei: Staff, alice: User) -> None:
        befriend("wmA", wanglei)
        made = draft(["wmA"])
        assert press(console, made, "approve")[0].startswith("已批准，")
        assert press(console, made, "approve") == ["这条群发已处于“已计划”状态（alice 批准）。"]
        assert Dispatch.objects.count() == 1
        assert AuditRecord.objects.get(deed="broadcast.approve").address == "127.0.0.1"

    def test_many_recipients_need_their_number_typed(
        self, console: Client, befriend: Make, draft: Make, wanglei: Staff, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("campaigns.admin.deeds.MANY", 1)
        for name in ("wmA", "wmB"):
            befriend(name, wanglei)
        made = draft(["wmA", "wmB"])
        assert "输入收件数 2" in text_of(console, page_of(made))
        for typed in ("", "1", "22"):
            assert press(console, made, "approve", typed=typed) == ["未批准：将发给 2。请输入这个数字后再批准。"]
        assert not Dispatch.objects.exists() and not Delivery.objects.exists()
        assert not AuditRecord.objects.filter(deed="broadcast.approve").exists()

        press(console, made, "approve", typed="2")
        assert Delivery.objects.count() == 2

    def test_the_number_of_a_moment_ago_is_near_enough(
        self, console: Client, befriend: Make, draft: Make, wanglei: Staff, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("campaigns.admin.deeds.MANY", 1)
        people = [f"wm{number}" for number in range(101)]
        for name in people:
            befriend(name, wanglei)
        made = draft(people)
        assert press(console, made, "approve", typed="99") == ["未批准：将发给 101。请输入这个数字后再批准。"]

        press(console, made, "approve", typed="1,00")
        assert Delivery.objects.count() == 101

    def test_what_was_changed_after_it_was_looked_at_is_not_approved(
        self, console: Client, befriend: Make, draft: Make, wanglei: Staff
    ) -> None:
        befriend("wmA", wanglei)
        made = draft(["wmA"], text="九折")
        seen = re.search(r'name="seen" value="([^"]*)"', console.get(page_of(made)).content.decode())
        assert seen is not None
        form = {"name": made.name, "aim": "ids", "ids": "wmA", "text": "一折", "seen": edition(made)}
        other_tab = console.post(f"{LIST}{made.pk}/edit/", form, follow=True)
        assert "一折" in other_tab.content.decode()

        for stale in (seen[1], ""):
            (said,) = press(console, made, "approve", seen=stale)
            assert said == _("Not approved: this draft was changed since you opened the page. Look at it again.")
        made.refresh_from_db()
        assert (made.state, made.text, Delivery.objects.count()) == (Broadcast.State.DRAFT, "一折", 0)

        assert press(console, made, "approve")[0].startswith("已批准，")

    def test_buttons_are_for_those_with_the_right(
        self, befriend: Make, draft: Make, wanglei: Staff, watcher: User
    ) -> None:
        befriend("wmA", wanglei)
        made = draft(["wmA"], user=watcher)
        client = _client(watcher)
        assert "批准并下发" not in text_of(client, page_of(made))
        for deed in ("approve", "pause", "resume", "cancel", "remind", "copy", "after_quiet", "export"):
            assert client.post(f"{LIST}{made.pk}/{deed}/").status_code == 403, deed
        made.refresh_from_db()
        assert made.state == "draft"


# --- results -------------------------------------------------------------------------------------------------------------
@pytest.fixture
def running(befriend: Make, draft: Make, wanglei: Staff, zhaomin: Staff, alice: User) -> Broadcast:
    """王磊 has confirmed: one sent, one no friend, one over WeCom's limit; 赵敏 has not. One was left out."""
    for name in ("wmA", "wmB", "wmC"):
        befriend(name, wanglei)
    befriend("wmD", zhaomin)
    befriend("wmHalf", zhaomin, half=True)
    broadcast = pace.approve(draft(["wmA", "wmB", "wmC", "wmD", "wmHalf", "wmNobody"]), alice)
    states = {"wmA": Delivery.State.SENT, "wmB": Delivery.State.NOT_FRIEND, "wmC": Delivery.State.OVER_QUOTA}
    settle(broadcast, "wanglei", **states)
    waits(broadcast, "zhaomin")
    return broadcast


class TestResults:
    def test_says_that_the_brake_does_not_stop_what_staff_have_already(
        self, console: Client, running: Broadcast, settings: Any
    ) -> None:
        assert not running.dispatches.filter(state=Dispatch.State.PLANNED).exists()
        said = "这条群发没有被拦住的任务：任务都已下发，员工仍可确认。"
        assert said not in text_of(console, page_of(running))

        settings.SENDING = "off"

        assert said in text_of(console, page_of(running))

    def test_two_bars_reasons_and_a_row_for_each_task(self, console: Client, running: Broadcast) -> None:
        answer = console.get(page_of(running))
        context = answer.context
        assert context["confirmations"] == {
            "all": 2, "confirmed": 1, "waiting": 1, "missed": 0, "to_come": 0, "refused": 0,
        }  # fmt: skip
        assert context["deliveries"] == {
            "all": 4, "sent": 1, "reach": 0, "over_quota": 1, "coming": 0, "open": 1, "failed": 1,
        }  # fmt: skip
        assert {row["progress"]: row["count"] for row in context["outcomes"]} == {
            "sent": 1, "not_friend": 1, "over_quota": 1, "waiting": 1,
        }  # fmt: skip
        assert [(row["reason"], row["count"], bool(row["link"])) for row in context["left_out"]] == [
            ("未完全互加", 1, True),
            ("您的数据权限内没有这个客户或群", 1, False),
        ]
        text = text_of(console, page_of(running))
        assert "1 / 2 位员工" in text
        assert "1 / 4 位客户" in text
        assert "RECEIVE_RULE" in text and "企微后台 > 客户联系" in text

    def test_each_number_leads_to_as_many_rows(self, console: Client, running: Broadcast) -> None:
        context = console.get(page_of(running)).context
        linked = [row for row in [*context["outcomes"], *context["left_out"]] if row["link"]]
        assert len(linked) == 5
        for row in linked:
            assert console.get(row["link"]).context["page"].paginator.count == row["count"]

    def test_who_ended_early_is_told_of_no_deadline(self, console: Client, running: Broadcast) -> None:
        def steps() -> list[str]:
            return [step["what"] for step in console.get(page_of(running)).context["steps"]]

        assert "deadline" in steps() and "过后自动撤回" in text_of(console, page_of(running))

        Broadcast.objects.filter(pk=running.pk).update(state=Broadcast.State.DONE, finished_at=clock.now())
        assert steps()[-1] == "finished" and "deadline" not in steps()
        assert "过后自动撤回" not in text_of(console, page_of(running))

        Broadcast.objects.filter(pk=running.pk).update(finished_at=running.confirm_by)
        assert "deadline" in steps()

    def test_it_refreshes_itself_until_it_is_done(self, console: Client, running: Broadcast) -> None:
        fragment = f"{LIST}{running.pk}/progress/"
        assert f'hx-get="{fragment}"' in console.get(page_of(running)).content.decode()
        assert f'hx-get="{fragment}"' in console.get(fragment).content.decode()
        Dispatch.objects.filter(broadcast=running).update(settled_at=clock.now())
        Broadcast.objects.filter(pk=running.pk).update(state=Broadcast.State.DONE)
        assert "hx-get" not in console.get(fragment).content.decode()

    def test_says_how_many_tasks_wait_for_a_person_and_leads_to_their_work(
        self, console: Client, running: Broadcast, draft: Make, alice: User, bob: User
    ) -> None:
        assert console.get(page_of(running)).context["stuck"] == {"count": 0, "error": "", "link": ANY}
        befriended = draft(["wmD"], text="别的")
        others = pace.approve(befriended, alice)
        works = Work.objects.filter(source_kind=Dispatch.WORK_SOURCE)
        assert works.update(state=Work.State.QUARANTINED, error="KeyError: 'x'") == 3

        found = console.get(page_of(running))

        assert (found.context["stuck"]["count"], found.context["stuck"]["error"]) == (2, "KeyError: 'x'")
        text = text_of(console, page_of(running))
        assert "KeyError" in text
        listed = console.get(found.context["stuck"]["link"]).context["cl"].result_list
        ids = set(running.dispatches.values_list("pk", flat=True))
        assert ({row.source_id for row in listed}, len(listed)) == (ids, 2)
        assert not ids & set(others.dispatches.values_list("pk", flat=True))
        for odd in ("x", "９", "99999999999999999999"):
            assert not console.get(f"/admin/base/work/?broadcast={odd}").context["cl"].result_list

        (own,) = _client(bob).get(page_of(running)).context["tasks"]
        assert own["row"].staff.userid == "wanglei"
        seen = _client(bob).get(page_of(running)).context["stuck"]
        assert (seen["count"], seen["link"]) == (1, "")

    def test_pause_and_go_on(self, console: Client, running: Broadcast) -> None:
        assert press(console, running, "pause") == ["已暂停：不再创建新任务，员工手上已有的任务仍可确认。"]
        assert press(console, running, "pause") == ["这条群发已处于“已暂停”状态（alice 批准）。"]
        assert press(console, running, "resume") == ["已从暂停处继续。"]

    def test_taking_back_needs_the_word(self, console: Client, running: Broadcast) -> None:
        assert press(console, running, "cancel", typed="好") == ["未撤回：请输入“撤回”。"]
        running.refresh_from_db()
        assert running.state == "planned"
        press(console, running, "cancel", typed="撤回")
        running.refresh_from_db()
        assert running.state == "cancelled"

    def test_reminds_of_what_waits_at_most_three_times(self, console: Client, running: Broadcast) -> None:
        for time in range(3):
            assert press(console, running, "remind") == ["正在催办 1 个任务。"]
            assert f"{time + 1}/3" in text_of(console, page_of(running))
        assert press(console, running, "remind") == [
            "正在催办 0 个任务。 1 个任务 24 小时内已催满 3 次，企微不再接受。"
        ]
        assert Reminder.objects.count() == 3
        assert [row.dispatch.staff.userid for row in Reminder.objects.all()] == ["zhaomin"] * 3

    def test_a_colleague_sees_the_tasks_of_the_own_scope_only(self, running: Broadcast, bob: User) -> None:
        client = _client(bob)
        context = client.get(page_of(running)).context
        assert [row["row"].staff.userid for row in context["tasks"]] == ["wanglei"]
        assert context["deliveries"]["all"] == 3
        assert context["left_out"] == []
        assert "赵敏" not in text_of(client, page_of(running))
        assert client.get(f"{LIST}{running.pk}/recipients/").context["page"].paginator.count == 3


class TestRecipients:
    def found(self, client: Client, broadcast: Broadcast, query: str) -> list[str]:
        rows = client.get(f"{LIST}{broadcast.pk}/recipients/?{query}").context["rows"]
        return [row["name"] for row in rows]

    def test_are_filtered_by_state_reason_staff_and_name(self, console: Client, running: Broadcast) -> None:
        assert self.found(console, running, "") == ["wmA", "wmB", "wmC", "wmD", "wmHalf"]
        assert self.found(console, running, "state=sent") == ["wmA"]
        assert self.found(console, running, "state=waiting") == ["wmD"]
        assert self.found(console, running, "reason=half") == ["wmHalf"]
        assert self.found(console, running, "staff=zhaomin") == ["wmD"]
        assert self.found(console, running, "q=wmB") == ["wmB"]
        assert self.found(console, running, "state=nothing") == []

    def test_cost_a_fixed_number_of_queries(
        self, console: Client, running: Broadcast, django_assert_max_num_queries: Any
    ) -> None:
        console.get(f"{LIST}{running.pk}/recipients/")
        with django_assert_max_num_queries(14):
            console.get(f"{LIST}{running.pk}/recipients/")
        with django_assert_max_num_queries(14):
            console.get(page_of(running))

    def test_are_exported_as_filtered_by_those_with_the_right_and_noted(
        self, console: Client, running: Broadcast
    ) -> None:
        Customer.objects.filter(external_userid="wmA").update(name="=1+1")
        answer = console.post(f"{LIST}{running.pk}/export/?state=sent")
        lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
        assert lines[0] == "\ufeff接收方,id,员工,状态,原因,发送时间,触达人数"
        assert len(lines) == 2
        assert lines[1].startswith("'=1+1,wmA,王磊,已送达,")
        record = AuditRecord.objects.get(deed="broadcast.export")
        assert (record.detail["count"], record.detail["filters"]) == (1, {"state": "sent"})


# --- pages of people and chats -------------------------------------------------------------------------------------------
class TestNoMoreBroadcasts:
    def test_is_switched_on_and_off_and_noted(
        self, console: Client, befriend: Make, draft: Make, wanglei: Staff
    ) -> None:
        customer = befriend("wmA", wanglei)
        address = f"/admin/contacts/customer/{customer.pk}/"
        for _twice in range(2):
            console.post(f"{address}do_not_contact/", {"wanted": "yes"})
        customer.refresh_from_db()
        assert customer.do_not_contact_at is not None
        assert "不再群发" in text_of(console, f"{address}change/")
        assert "不再群发" in text_of(console, "/admin/contacts/customer/")
        assert "不希望再被联系" in text_of(console, page_of(draft(["wmA"])))

        console.post(f"{address}do_not_contact/", {"wanted": "no"})
        customer.refresh_from_db()
        assert customer.do_not_contact_at is None
        records = AuditRecord.objects.filter(deed="customer.do_not_contact").order_by("pk")
        assert [row.detail["on"] for row in records] == [True, False]

    def test_is_closed_without_the_right(self, befriend: Make, wanglei: Staff, watcher: User) -> None:
        customer = befriend("wmA", wanglei)
        assert _client(watcher).post(f"/admin/contacts/customer/{customer.pk}/do_not_contact/").status_code == 403


def test_panels_tell_what_was_received_and_what_is_left(
    console: Client, running: Broadcast, chat: Make, draft: Make, wanglei: Staff, alice: User, settings: Any
) -> None:
    settings.RECEIVE_RULE = "week_7"
    customer = Customer.objects.get(external_userid="wmA")
    text = text_of(console, f"/admin/contacts/customer/{customer.pk}/change/")
    assert "本期已用 1，剩余 6" in text
    group = chat("福利群", wanglei)
    pace.approve(draft(chats=["福利群"]), alice)
    assert "本期已用 1，剩余 6" in text_of(console, f"/admin/groups/groupchat/{group.pk}/change/")


def test_the_palette_and_the_menu_lead_to_broadcasts(console: Client, draft: Make) -> None:
    draft(["wmA"])
    assert "上新" in console.get("/admin/search/?s=上新&extended=1").content.decode()
    links = [item["link"] for group in console.get("/admin/").context["sidebar_navigation"] for item in group["items"]]
    assert LIST in links


def test_a_copy_tells_nothing_of_customers_out_of_sight(
    befriend: Make, draft: Make, wanglei: Staff, zhaomin: Staff, alice: User, departments: list[Department]
) -> None:
    """Of alice's broadcast an operator of one department sees a part, and copies that."""
    befriend("wmA", wanglei)
    befriend("wmZ", zhaomin)
    shared = pace.approve(draft(["wmA", "wmZ"]), alice)
    client = _client(operator("oskar", department_ids=[2]))

    answer = client.post(f"{LIST}{shared.pk}/copy/", follow=True)

    copied = Broadcast.objects.latest("pk")
    assert (copied.created_by.username, copied.audience) == ("oskar", {"external_userids": ["wmA"]})
    assert "wmZ" not in answer.content.decode()
