"""What the console's pages show and do."""

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client

from campaigns.models import Welcome, WelcomeRule
from contacts.models import Channel, Customer, Follow, Staff, SyncRun, SyncStep
from groups.models import GroupChat
from scrm.base import clock, roles
from scrm.base.console.editions import edition
from scrm.base.models import ApiToken, AuditRecord, User, Work
from scrm.base.models.token import digest
from scrm.base.roles import Role
from scrm.wecom.models import Callback
from tests.site import world

pytestmark = pytest.mark.usefixtures("noon")


@pytest.fixture
def rows(wanglei: Staff, zhaomin: Staff, alice: User, moment: dt.datetime) -> None:
    world.build(wanglei, zhaomin, alice, moment)


@pytest.fixture
def console(alice: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(alice)
    return client


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def messages_of(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/admin/base/work/", ["系统设置", "处理队列"]),
        ("/admin/wecom/apicall/", ["系统设置", "接口额度与调用"]),
        ("/console/tasks/", ["工作台", "今日待办"]),
        ("/dashboards/dictionary/", ["数据分析", "指标口径"]),
        ("/admin/contacts/customer/{}/change/", ["客户管理", "全部客户", "王磊的客户0"]),
        ("/admin/contacts/channel/add/", ["引流获客", "渠道"]),
    ],
)
def test_the_head_says_where_the_page_stands_in_the_words_of_the_menu(
    rows: None, console: Client, address: str, words: list[str]
) -> None:
    customer = Customer.objects.get(external_userid="wmwanglei0")

    html = text_of(console, address.format(customer.pk))

    assert [word for word in re.findall(r'class="c-crumb[^>]*>([^<]+)<', html) if word != "›"] == words


# --- lists -------------------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("rows")
class TestCustomers:
    def found(self, console: Client, query: str) -> list[str]:
        return sorted(row.name for row in console.get(f"/admin/contacts/customer/?{query}").context["cl"].result_list)

    def test_are_found_by_name_pinyin_initials_and_id(self, console: Client) -> None:
        for query in ("q=王磊的客户0", "q=wangleidekehu0", "q=wldkh0", "q=wmwanglei0"):
            assert self.found(console, query) == ["王磊的客户0"], query

    def test_are_filtered_by_what_stands_in_the_address(self, console: Client, moment: dt.datetime) -> None:
        lost = Customer.objects.get(external_userid="wmzhaomin1")
        Follow.objects.filter(customer=lost).update(ended_at=moment, ended_by="customer", ended_known_by="event")
        Customer.objects.filter(pk=lost.pk).update(open_follows=0, lost_at=moment)
        day = clock.day_of(moment)
        assert self.found(console, "staff=wanglei") == ["王磊的客户0", "王磊的客户1"]
        assert self.found(console, "staff=zhaomin") == ["赵敏的客户0"]
        assert self.found(console, "view=lost") == ["赵敏的客户1"]
        assert self.found(console, "view=kept&tag=t1") == ["王磊的客户0", "王磊的客户1", "赵敏的客户0"]
        assert self.found(console, "channel=ch1&chat=赵敏的福利群") == ["赵敏的客户0", "赵敏的客户1"]
        assert self.found(console, "channel=-") == []
        assert len(self.found(console, f"first_added_at_from={day}&first_added_at_to={day}")) == 4
        assert self.found(console, f"first_added_at_to={day - dt.timedelta(days=1)}") == []

    def test_leave_strangers_in_chats_out(self, console: Client) -> None:
        Customer.objects.create(external_userid="wmstranger", name="路人")
        assert "路人" not in self.found(console, "")

    def test_show_everything_that_is_known_of_one(self, console: Client) -> None:
        customer = Customer.objects.get(external_userid="wmwanglei0")
        text = text_of(console, f"/admin/contacts/customer/{customer.pk}/change/")
        for part in (
            "王磊的备注",
            "扫描二维码",
            "包裹卡",
            "干皮",
            "王磊的福利群",
            "扫描群二维码",
            "客户轨迹",
            "成为好友",
            "已发送",
        ):
            assert part in text, part

    def test_number_of_a_tag_is_the_number_of_its_rows(self, console: Client) -> None:
        tag = console.get("/admin/contacts/tag/").context["cl"].result_list[0]
        assert tag.customers == len(self.found(console, "tag=t1")) == 4

    def test_number_of_a_staff_member_is_the_number_of_their_rows(self, console: Client) -> None:
        shown = {row.userid: row.customers for row in console.get("/admin/contacts/staff/").context["cl"].result_list}
        assert shown == {userid: len(self.found(console, f"staff={userid}")) for userid in ("wanglei", "zhaomin")}

    def test_number_of_a_channel_is_the_number_of_its_rows(self, console: Client) -> None:
        channel = console.get("/admin/contacts/channel/").context["cl"].result_list[0]
        assert (channel.customers, channel.adds) == (len(self.found(console, "channel=ch1")), 4)


@pytest.mark.usefixtures("rows")
class TestChats:
    def test_tabs_count_what_they_list(self, console: Client, settings: Any, moment: dt.datetime) -> None:
        settings.CHAT_SCAN_CAPACITY = 200
        GroupChat.objects.filter(chat_id="wrwanglei").update(people=170)
        GroupChat.objects.filter(chat_id="wrzhaomin").update(dismissed_at=moment, people=199)
        for tab in console.get("/admin/groups/groupchat/").context["console_views"]:
            answer = console.get(f"/admin/groups/groupchat/{tab['address']}")
            assert tab["count"] == answer.context["cl"].result_count, tab
        counts = [tab["count"] for tab in console.get("/admin/groups/groupchat/").context["console_views"]]
        assert counts == [2, 1, 1, 1]

    def test_page_separates_present_from_past(self, console: Client, moment: dt.datetime) -> None:
        chat = GroupChat.objects.get(chat_id="wrwanglei")
        chat.stays.filter(member_id="wmwanglei1").update(left_at=moment, left_known_by="event", quit_scene=0)
        present = console.get(f"/admin/groups/groupchat/{chat.pk}/change/")
        past = console.get(f"/admin/groups/groupchat/{chat.pk}/change/?past")
        assert sorted(row["name"] for row in present.context["rows"]) == ["王磊", "王磊的客户0"]
        assert [(row["name"], row["quit"]) for row in past.context["rows"]] == [("王磊的客户1", "主动退群")]
        roles = {row["name"]: row["role"] for row in present.context["rows"]}
        assert roles == {"王磊": "群主", "王磊的客户0": "普通成员"}


# --- rules -------------------------------------------------------------------------------------------------------------
class TestWelcomeRules:
    def form(self, **changes: str) -> dict[str, str]:
        attachments = {"TOTAL_FORMS": "0", "INITIAL_FORMS": "0", "MIN_NUM_FORMS": "0", "MAX_NUM_FORMS": "9"}
        return {
            "name": "包裹卡欢迎", "channel": "", "staff": "", "active": "on", "text": "您好", "nameless_text": "",
            "returning_text": "", **{f"attachments-{key}": value for key, value in attachments.items()}, **changes,
        }  # fmt: skip

    def test_are_written_and_noted(self, console: Client, db: None) -> None:
        channel = Channel.objects.create(state="ch1", name="包裹卡")
        link = {"position": "0", "kind": "link", "title": "新人礼", "url": "https://example.com/gift"}
        data = self.form(channel=str(channel.pk)) | {f"attachments-0-{key}": value for key, value in link.items()}
        answer = console.post("/admin/campaigns/welcomerule/add/", data | {"attachments-TOTAL_FORMS": "1"})
        assert answer.status_code == 302
        rule = WelcomeRule.objects.get(channel=channel)
        assert [(item.title, item.url) for item in rule.attachments.all()] == [("新人礼", "https://example.com/gift")]
        assert AuditRecord.objects.filter(deed="welcomerule.add", subject="包裹卡欢迎", username="alice").count() == 1

    def test_refuse_a_second_default_with_the_reason(self, console: Client, db: None) -> None:
        answer = console.post("/admin/campaigns/welcomerule/add/", self.form())
        assert "该渠道与员工的组合已有一条启用的规则。" in answer.content.decode()
        assert WelcomeRule.objects.count() == 1

    @pytest.mark.parametrize(("size", "taken"), [(4000, True), (4001, False)])
    def test_count_bytes(self, console: Client, db: None, size: int, taken: bool) -> None:
        WelcomeRule.objects.update(active=False)
        text = "好" * 1333 + "a" * (size - 3999)
        answer = console.post("/admin/campaigns/welcomerule/add/", self.form(text=text))
        assert WelcomeRule.objects.filter(name="包裹卡欢迎").exists() is taken
        if not taken:
            assert "内容共 4001 字节" in answer.content.decode()

    def test_are_switched_off_instead_of_deleted(self, console: Client, db: None) -> None:
        rule = WelcomeRule.objects.get()
        assert console.post(f"/admin/campaigns/welcomerule/{rule.pk}/delete/", {"post": "yes"}).status_code == 403
        data = self.form(name=rule.name, text=rule.text, returning_text=rule.returning_text)
        data.pop("active")
        data["seen"] = edition(rule)
        assert console.post(f"/admin/campaigns/welcomerule/{rule.pk}/change/", data).status_code == 302
        assert not WelcomeRule.objects.get().active


# --- deeds -------------------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("rows")
class TestReplay:
    def test_opens_failed_callbacks_again_and_notes_who(self, console: Client) -> None:
        callback = Callback.objects.latest("pk")
        answer = console.post(f"/admin/wecom/callback/{callback.pk}/replay/", follow=True)
        assert messages_of(answer) == ["1 项任务将重新处理。"]
        assert Work.objects.get(source_id=callback.pk).state == Work.State.WAITING
        assert Work.objects.exclude(source_id=callback.pk).get().state == Work.State.QUARANTINED
        note = AuditRecord.objects.get(deed="callback.replay")
        assert (note.username, note.subject, note.address) == ("alice", f"#{callback.pk}", "127.0.0.1")

    def test_takes_several_from_the_list(self, console: Client) -> None:
        ids = list(Callback.objects.values_list("pk", flat=True))
        data = {"action": "replay_chosen", "_selected_action": ids}
        console.post("/admin/wecom/callback/?view=failed", data)
        assert set(Work.objects.values_list("state", flat=True)) == {Work.State.WAITING}

    def test_of_waiting_work_does_nothing(self, console: Client) -> None:
        Work.objects.update(state=Work.State.WAITING)
        answer = console.post(f"/admin/wecom/callback/{Callback.objects.latest('pk').pk}/replay/", follow=True)
        assert messages_of(answer) == ["无需重新处理：任务还在等待中。"]

    def test_is_not_done_by_a_link(self, console: Client) -> None:
        assert console.get(f"/admin/wecom/callback/{Callback.objects.latest('pk').pk}/replay/").status_code == 302
        assert set(Work.objects.values_list("state", flat=True)) == {Work.State.QUARANTINED}

    def test_needs_the_token_of_the_form(self, alice: User) -> None:
        client = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
        client.force_login(alice)
        assert client.post(f"/admin/wecom/callback/{Callback.objects.latest('pk').pk}/replay/").status_code == 403

    def test_of_work_opens_its_source_again(self, console: Client) -> None:
        work = Work.objects.latest("pk")
        console.post(f"/admin/base/work/{work.pk}/replay/")
        work.refresh_from_db()
        assert (work.state, work.attempts, work.error) == (Work.State.WAITING, 0, "")


class TestTokens:
    def test_are_shown_once_and_work(self, console: Client, alice: User) -> None:
        answer = console.post("/admin/base/apitoken/add/", {"user": alice.pk, "scope": "write"}, follow=True)
        (message,) = messages_of(answer)
        text = message.partition("<code>")[2].partition("</code>")[0]
        token = ApiToken.objects.get()
        assert (token.digest, token.scope, token.user) == (digest(text), "write", alice)
        assert text not in text_of(console, f"/admin/base/apitoken/{token.pk}/change/")
        assert AuditRecord.objects.filter(deed="apitoken.add").count() == 1
        assert text not in str(list(AuditRecord.objects.values()))

    def test_are_revoked_once(self, console: Client, alice: User) -> None:
        ApiToken.issue(alice)
        token = ApiToken.objects.get()
        for _ in range(2):
            console.post(f"/admin/base/apitoken/{token.pk}/revoke/")
        token.refresh_from_db()
        assert token.revoked_at is not None
        assert AuditRecord.objects.filter(deed="apitoken.revoke").count() == 1


class TestSyncs:
    def test_are_started_by_the_button_and_joined_by_a_second_press(self, console: Client, alice: User) -> None:
        first = console.post("/admin/contacts/syncrun/start/")
        second = console.post("/admin/contacts/syncrun/start/")
        run = SyncRun.objects.get()
        assert (run.state, run.started_by) == (SyncRun.State.RUNNING, alice)
        assert first.headers["Location"] == second.headers["Location"] == f"/admin/contacts/syncrun/{run.pk}/change/"
        assert AuditRecord.objects.filter(deed="sync.start").count() == 2

    def test_show_progress_that_is_fetched_again_while_they_run(self, console: Client, alice: User) -> None:
        console.post("/admin/contacts/syncrun/start/")
        run = SyncRun.objects.get()
        assert "hx-get" in text_of(console, f"/admin/contacts/syncrun/{run.pk}/progress/")
        SyncRun.objects.update(state=SyncRun.State.DONE, finished_at=clock.now())
        assert "hx-get" not in text_of(console, f"/admin/contacts/syncrun/{run.pk}/progress/")

    def test_wait_for_a_person_before_removing_much(self, console: Client, moment: dt.datetime) -> None:
        run = SyncRun.objects.create(state=SyncRun.State.HELD, started_at=moment, finished_at=moment, held=23)
        SyncStep.objects.create(run=run, kind="removals")
        text = text_of(console, f"/admin/contacts/syncrun/{run.pk}/change/")
        assert "23 条移除待确认" in text
        answer = console.post(f"/admin/contacts/syncrun/{run.pk}/accept/", follow=True)
        run.refresh_from_db()
        assert (run.state, run.accepted) == (SyncRun.State.RUNNING, True)
        assert messages_of(answer) == ["已确认，正在移除。"]
        answer = console.post(f"/admin/contacts/syncrun/{run.pk}/accept/", follow=True)
        assert messages_of(answer) == ["该同步已不需要确认。"]
        assert AuditRecord.objects.filter(deed="sync.accept_removals").count() == 1


class TestUsers:
    def test_get_departments_by_name_and_see_only_those(self, console: Client, wanglei: Staff, zhaomin: Staff) -> None:
        user = User.objects.create_user("dora", password="dora", is_staff=True)
        form = text_of(console, f"/admin/base/user/{user.pk}/change/")
        assert "销售" in form and "客服" in form
        data = {
            "username": "dora",
            "is_active": "on",
            "role": "operator",
            "department_ids": ["2"],
            "seen": edition(user),
        }
        assert console.post(f"/admin/base/user/{user.pk}/change/", data).status_code == 302
        user.refresh_from_db()
        assert list(Staff.objects.visible_to(user)) == [wanglei]
        assert AuditRecord.objects.filter(deed="user.change", subject="dora").count() == 1

    def test_made_here_may_log_in_to_the_console(self, console: Client, db: None) -> None:
        data = {
            "username": "emil",
            "password1": "a-Long-pass-phrase-9",
            "password2": "a-Long-pass-phrase-9",
            "usable_password": "true",
        }
        assert console.post("/admin/base/user/add/", data).status_code == 302
        assert (User.objects.get(username="emil").is_staff, User.objects.get(username="emil").is_superuser) == (
            True,
            False,
        )

    def test_with_the_right_may_write_rules_but_others_only_read(self, bob: User) -> None:
        from django.contrib.auth.models import Permission

        client = Client(headers={"host": "localhost"})
        client.force_login(bob)
        roles.give(bob, Role.STAFF)
        assert client.get("/admin/campaigns/welcomerule/add/").status_code == 403
        bob.user_permissions.add(Permission.objects.get(codename="add_welcomerule"))
        assert client.get("/admin/campaigns/welcomerule/add/").status_code == 200


# --- home --------------------------------------------------------------------------------------------------------------
class TestHome:
    def test_is_a_checklist_until_everything_is_connected(self, console: Client, settings: Any, db: None) -> None:
        settings.WECOM_SECRET = ""
        text = text_of(console, "/admin/")
        assert "企微后台 &gt; 应用管理 &gt; 自建应用 &gt; Secret" in text
        assert "昨日净增" not in text

    def test_keeps_the_numbers_when_a_setting_is_taken_away(self, console: Client, settings: Any, rows: None) -> None:
        settings.WECOM_SECRET = ""
        text = text_of(console, "/admin/")
        assert "接入企业微信" in text
        assert "昨日净增" in text

    def test_counts_yesterday_like_the_metrics(self, console: Client, rows: None, alice: User) -> None:
        from analytics.fill import fill
        from analytics.query import measure

        yesterday = clock.today() - dt.timedelta(days=1)
        at = clock.day_start(yesterday) + dt.timedelta(hours=9)
        SyncRun.objects.update(started_at=at - dt.timedelta(days=9))
        Follow.objects.filter(staff__userid="wanglei").update(added_at=at)
        fill(yesterday, yesterday + dt.timedelta(days=1))
        net = console.get("/admin/").context["net"]
        (point,) = measure("adds", start=yesterday, end=yesterday + dt.timedelta(days=1), user=alice)
        assert net["friends"]["plus"] == point.value == 2
        assert net["friends"]["net"] == 2

    def test_names_what_waits(self, console: Client, rows: None, moment: dt.datetime) -> None:
        SyncRun.objects.create(state=SyncRun.State.HELD, started_at=moment, held=7)
        WelcomeRule.objects.update(active=False)
        texts = [item["text"] for item in console.get("/admin/").context["todos"]]
        assert texts == [
            "2 条回调处理失败",
            "同步发现 7 条移除，待确认",
            "没有发现工作进程",
            "1 条群发草稿待审批",
            "没有启用的默认欢迎语",
        ]

    def test_tells_who_got_no_welcome_today_and_the_list_has_as_many_rows(self, console: Client, rows: None) -> None:
        Welcome.objects.filter(userid="wanglei").update(outcome=Welcome.Outcome.EXPIRED, happened_at=clock.now())
        missed = [row for row in console.get("/admin/").context["welcome"]["missed"] if row["link"]]
        assert [(row["reason"], row["count"]) for row in missed] == [("超时失效", 2)]
        assert console.get(missed[0]["link"]).context["cl"].result_count == 2

    def test_shows_nothing_without_a_scope_but_whom_to_ask(self, rows: None, charlie: User) -> None:
        client = Client(headers={"host": "localhost"})
        client.force_login(charlie)
        text = text_of(client, "/admin/")
        assert "还没有数据权限" in text
        assert "昨日净增" not in text

    @pytest.mark.parametrize(
        ("sending", "word"), [("on", "发送：开启"), ("allowlist", "发送：仅白名单"), ("off", "发送：已刹车")]
    )
    def test_and_every_other_page_shows_the_brake(
        self, console: Client, settings: Any, sending: str, word: str, rows: None
    ) -> None:
        settings.SENDING = sending
        for address in ("/admin/", "/admin/contacts/customer/", "/admin/wecom/callback/"):
            text = text_of(console, address)
            assert f'class="c-brake {sending}"' in text and word in text

    def test_keeps_the_rest_when_redis_is_away(self, console: Client, rows: None, settings: Any) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        for address in ("/admin/", "/admin/wecom/apicall/", "/admin/base/work/"):
            text_of(console, address)


# --- frame -------------------------------------------------------------------------------------------------------------
def test_login_is_chinese_whatever_the_browser_prefers(db: None) -> None:
    answer = Client(headers={"host": "localhost", "accept-language": "en-US,en"}).get("/admin/login/")
    text = answer.content.decode()
    assert "登录" in text and "Log in" not in text


def test_login_leads_to_where_one_wanted_to_go(alice: User) -> None:
    client = Client(headers={"host": "localhost"})
    wanted = client.get("/admin/contacts/customer/").headers["Location"]
    answer = client.post(wanted, {"username": "alice", "password": "alice", "next": "/admin/contacts/customer/"})
    assert answer.headers["Location"] == "/admin/contacts/customer/"
    bare = Client(headers={"host": "localhost"}).post("/admin/login/", {"username": "alice", "password": "alice"})
    assert bare.headers["Location"] == "/admin/"


def test_language_can_be_chosen(console: Client, db: None) -> None:
    console.post("/i18n/setlang/", {"language": "en"})
    assert "Workbench" in text_of(console, "/admin/")
