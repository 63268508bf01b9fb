"""The task page of staff: their own tasks and nobody else's, through OAuth at the stand-in and through signed links."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from campaigns import handposts
from campaigns.models import Broadcast, Dispatch, HandPost, HandPostTick, Reminder
from contacts.models import Customer, Follow, Staff
from groups.models import GroupChat
from scrm.base import clock
from scrm.base.models import User
from scrm.site.h5 import links, todo
from scrm.wecom import brake
from tests.corp import Corp
from tests.site.platform_pages import browser, sign_in

PAGE = "/h5/tasks/"
Make = Callable[..., Any]


@pytest.fixture(autouse=True)
def cast(corp: Corp, noon: None, wanglei: Staff, zhaomin: Staff, alice: User) -> None:
    """Both owners with chats, and a customer whose name must not be seen here."""
    for owner, names in ((wanglei, ("福利一群", "福利二群", "福利三群")), (zhaomin, ("客服群",))):
        for name in names:
            GroupChat.objects.create(chat_id=f"wr{name}", name=name, owner=owner, people=187)
    customer = Customer.objects.create(external_userid="wm1", name="小林")
    Follow.objects.create(staff=wanglei, customer=customer, added_at=clock.now())


@pytest.fixture
def inside(wanglei: Staff) -> Client:
    """王磊 on the page, inside WeCom."""
    return enter("wanglei")


def enter(person: str) -> Client:
    client = browser(inside_wecom=True)
    sign_in(client, client.get(PAGE).headers["Location"], person)
    return client


def by_link(staff: Staff) -> Client:
    client = browser()
    key = parse_qs(urlsplit(links.task_link(staff)).query)["k"][0]
    assert client.get(PAGE, {"k": key}, follow=True).status_code == 200
    return client


def task(alice: User, staff: Staff, name: str, *, hours: float = 3, **given: Any) -> Dispatch:
    """A task that waits for `staff`, created an hour ago, to be confirmed in so many hours."""
    now = clock.now()
    broadcast = Broadcast.objects.create(
        name=name, to=given.pop("to", "group"), audience={"chat_ids": ["wr"]}, text=given.pop("text", "新品上架"),
        attachments=given.pop("attachments", []), digest=name, create_at=now - dt.timedelta(hours=12),
        confirm_by=now + dt.timedelta(hours=hours), state="running", created_by=alice, created_at=now,
    )  # fmt: skip
    return Dispatch.objects.create(**{
        "broadcast": broadcast, "staff": staff, "number": 0, "digest": name, "recipients": 3, "state": "sent",
        "msgid": f"msg{name}", "sent_at": now - dt.timedelta(hours=1), **given,
    })  # fmt: skip


def post(alice: User, *chats: str, **given: Any) -> HandPost:
    return handposts.make(
        alice, **{"name": "早安", "chat_ids": [f"wr{chat}" for chat in chats], "text": "早上好", **given}
    )


def sections(answer: Any) -> dict[str, str]:
    """The page's sections by their names."""
    assert answer.status_code == 200, answer.content.decode()
    page = re.sub(r"\s+", " ", answer.content.decode())
    return dict(re.findall(r'<section id="(\w+)".*?>(.*?)</section>', page))


def tick_of(chat: str) -> HandPostTick:
    return HandPostTick.objects.get(chat__name=chat)


def set_tick(client: Client, chat: str, state: str) -> Any:
    return client.post(f"/h5/tasks/ticks/{tick_of(chat).pk}/", {"state": state})


class TestTasksToConfirm:
    def test_each_says_what_to_how_many_since_when_and_until_when(
        self, inside: Client, alice: User, wanglei: Staff
    ) -> None:
        waiting = task(
            alice, wanglei, "今日秒杀", text="秒杀\n开始了", attachments=[{"msgtype": "link", "link": {}}], hours=3.5
        )
        for state in ("sent", "unknown", "refused"):
            Reminder.objects.create(dispatch=waiting, state=state, asked_at=clock.now())

        found = todo.of(wanglei, clock.now()).waiting

        assert [(row.name, row.text, row.reminded, row.late) for row in found] == [
            ("今日秒杀", "秒杀 开始了", 2, False)
        ]
        shown = sections(inside.get(PAGE))
        assert f'id="task-{waiting.pk}"' in shown["confirm"]
        for words in ("今日秒杀", "秒杀 开始了", found[0].recipients, found[0].extras, found[0].left):
            assert words in shown["confirm"]
        assert "done" not in shown

    def test_the_most_urgent_comes_first_and_a_late_one_is_marked(
        self, inside: Client, alice: User, wanglei: Staff
    ) -> None:
        later, late = task(alice, wanglei, "晚场", hours=5), task(alice, wanglei, "早场", hours=-0.5)

        shown = sections(inside.get(PAGE))["confirm"]

        assert re.findall(r'class="card (.*?)" id="task-(\d+)"', shown) == [
            ("waiting late", str(late.pk)), ("waiting", str(later.pk)),
        ]  # fmt: skip

    def test_one_that_is_confirmed_moves_down_for_the_rest_of_the_day(
        self, inside: Client, alice: User, wanglei: Staff
    ) -> None:
        waiting = task(alice, wanglei, "今日秒杀")
        task(alice, wanglei, "昨天", state="confirmed", confirmed_at=clock.now() - dt.timedelta(hours=13))
        first = inside.get(PAGE)
        Dispatch.objects.filter(pk=waiting.pk).update(state="confirmed", confirmed_at=clock.now(), count_sent=2)

        second = inside.get(PAGE)

        assert "今日秒杀" not in sections(second)["confirm"]
        assert "今日秒杀" in sections(second)["done"]
        assert "昨天" not in second.content.decode()
        assert edition(first) != edition(second) == edition(inside.get(PAGE))

    @pytest.mark.parametrize("state", ["planned", "sending", "unknown", "refused", "unconfirmed", "cancelled"])
    def test_what_is_no_task_yet_or_any_more_is_not_there(
        self, inside: Client, alice: User, wanglei: Staff, state: str
    ) -> None:
        task(alice, wanglei, "今日秒杀", state=state)

        assert "今日秒杀" not in inside.get(PAGE).content.decode()

    def test_a_cancelled_broadcast_is_not_there(self, inside: Client, alice: User, wanglei: Staff) -> None:
        task(alice, wanglei, "今日秒杀")
        Broadcast.objects.update(state="cancelled")

        assert "今日秒杀" not in inside.get(PAGE).content.decode()


def edition(answer: Any) -> str:
    found = re.search(r'data-edition="(\w{16})"', answer.content.decode())
    assert found
    return found.group(1)


class TestManualPosts:
    def test_a_post_shows_what_to_copy_and_a_tick_for_each_chat(self, inside: Client, alice: User) -> None:
        row = post(
            alice, "福利一群", "福利二群", "客服群", text="早上好\n<b>今天</b>", picture_url="https://img.example.com/a.jpg",
            link_title="商城", link_url="https://shop.example.com/",
        )  # fmt: skip

        shown = sections(inside.get(PAGE))["posts"]

        assert f'id="text-{row.pk}">早上好 &lt;b&gt;今天&lt;/b&gt;</p>' in shown
        assert f'data-copy="text-{row.pk}"' in shown
        assert '<img src="https://img.example.com/a.jpg"' in shown
        assert '<a href="https://shop.example.com/"' in shown
        assert re.findall(r'<span class="name">(.*?)</span>', shown) == ["福利一群", "福利二群"]
        assert "<b>0/2</b>" in shown

    def test_ticks_count_are_idempotent_and_can_be_undone(self, inside: Client, alice: User) -> None:
        row = post(alice, "福利一群", "福利二群")

        first = set_tick(inside, "福利一群", "done")
        at = tick_of("福利一群").done_at
        set_tick(inside, "福利一群", "done")

        assert (first.status_code, first.headers["Location"]) == (302, f"{PAGE}#post-{row.pk}")
        assert (tick_of("福利一群").state, tick_of("福利一群").done_at) == ("done", at)
        assert "<b>1/2</b>" in sections(inside.get(PAGE))["posts"]
        set_tick(inside, "福利一群", "todo")
        assert "<b>0/2</b>" in sections(inside.get(PAGE))["posts"]

    def test_a_finished_post_moves_down(self, inside: Client, alice: User) -> None:
        row = post(alice, "福利一群", "福利二群")
        set_tick(inside, "福利一群", "done")
        set_tick(inside, "福利二群", "skipped")

        shown = sections(inside.get(PAGE))

        assert f'id="post-{row.pk}"' not in shown["posts"]
        assert f'id="post-{row.pk}"' in shown["done"]
        assert "<b>1/2</b>" in shown["done"]

    def test_late_ones_are_marked_and_go_after_two_days(self, inside: Client, alice: User) -> None:
        row = post(alice, "福利一群")
        now = clock.now()
        HandPost.objects.update(due_at=now - dt.timedelta(hours=30), deadline=now - dt.timedelta(hours=20))
        assert f'class="card post late" id="post-{row.pk}"' in sections(inside.get(PAGE))["posts"]

        HandPost.objects.update(due_at=now - dt.timedelta(hours=60), deadline=now - dt.timedelta(hours=49))
        assert "早安" not in inside.get(PAGE).content.decode()

    def test_one_for_later_is_announced_without_its_ticks(self, inside: Client, alice: User) -> None:
        now = clock.now()
        row = post(alice, "福利一群", due_at=now + dt.timedelta(hours=2), deadline=now + dt.timedelta(hours=4))

        shown = sections(inside.get(PAGE))["posts"]

        assert "早安" in shown
        assert "14:00" in shown
        assert f'id="post-{row.pk}"' not in shown
        assert set_tick(inside, "福利一群", "done").status_code == 404

    def test_nobody_ticks_for_somebody_else(self, inside: Client, alice: User) -> None:
        post(alice, "客服群")

        assert set_tick(inside, "客服群", "done").status_code == 404
        assert tick_of("客服群").state == "todo"

    def test_only_known_states_by_post_and_with_the_token(self, alice: User, wanglei: Staff) -> None:
        post(alice, "福利一群")
        client = by_link(wanglei)
        address = f"/h5/tasks/ticks/{tick_of('福利一群').pk}/"

        assert client.post(address, {"state": "sent"}).status_code == 400
        assert client.get(address, {"state": "done"}).status_code == 405
        strict = Client(enforce_csrf_checks=True, headers={"host": "127.0.0.1:8000"})
        strict.cookies = client.cookies
        assert strict.post(address, {"state": "done"}).status_code == 403
        assert tick_of("福利一群").state == "todo"
        token = strict.get(PAGE).context["csrf_token"]
        assert strict.post(address, {"state": "done", "csrfmiddlewaretoken": str(token)}).status_code == 302
        assert tick_of("福利一群").state == "done"


class TestWhoSeesWhat:
    @pytest.mark.parametrize("way", ["oauth", "link"])
    def test_everybody_sees_their_own(self, alice: User, wanglei: Staff, zhaomin: Staff, way: str) -> None:
        task(alice, wanglei, "王磊的任务")
        task(alice, zhaomin, "赵敏的任务")
        post(alice, "福利一群", "客服群")

        page = (enter("zhaomin") if way == "oauth" else by_link(zhaomin)).get(PAGE).content.decode()

        assert "赵敏的任务" in page
        assert "客服群" in page
        for words in ("王磊", "福利一群", "小林", "wm1"):
            assert words not in page

    def test_a_stranger_sees_and_ticks_nothing(self, alice: User, wanglei: Staff) -> None:
        task(alice, wanglei, "王磊的任务")
        post(alice, "福利一群")
        client = browser()

        for answer in (client.get(PAGE), client.get(PAGE, {"k": "forged:1:x"}, follow=True), set_tick(client, "福利一群", "done")):  # fmt: skip
            assert answer.status_code == 403
            assert "王磊的任务" not in answer.content.decode()
        assert tick_of("福利一群").state == "todo"

    def test_another_device_gets_nothing_from_an_opened_link(self, alice: User, wanglei: Staff) -> None:
        task(alice, wanglei, "王磊的任务")
        key = parse_qs(urlsplit(links.task_link(wanglei)).query)["k"][0]
        assert browser().get(PAGE, {"k": key}, follow=True).status_code == 200

        assert browser().get(PAGE, {"k": key}, follow=True).status_code == 403


def test_a_card_leads_to_the_page_in_the_way_that_is_set(wanglei: Staff, settings: Any) -> None:
    home = settings.PUBLIC_URL.rstrip("/")
    assert links.card_link(wanglei) == f"{home}{PAGE}"

    settings.STAFF_SIGN_IN = "link"
    assert links.card_link(wanglei).startswith(f"{home}{PAGE}?k=")


def test_the_page_runs_no_script_but_its_own(inside: Client) -> None:
    answer = inside.get(PAGE)

    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split(";"))
    assert (policy["default-src"], policy["script-src"], policy["style-src"]) == ("'none'", "'self'", "'self'")
    page = answer.content.decode()
    assert re.findall(r"<script(?! src=)|<style|\sstyle=|\son\w+=", page) == []
    assert len(page.encode()) < 8_000
    assert answer.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")


def test_it_says_when_the_red_button_is_pressed(inside: Client, alice: User) -> None:
    assert 'class="note bad"' not in inside.get(PAGE).content.decode()

    brake.press(user=alice)

    assert 'class="note bad"' in inside.get(PAGE).content.decode()


def test_the_number_of_questions_does_not_grow(inside: Client, alice: User, wanglei: Staff) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            inside.get(PAGE)
        return len(queries)

    task(alice, wanglei, "一")
    post(alice, "福利一群")
    few = asked()
    for number in range(3):
        task(alice, wanglei, f"任务{number}")
        post(alice, "福利一群", "福利二群", "福利三群")

    assert asked() == few <= 6
