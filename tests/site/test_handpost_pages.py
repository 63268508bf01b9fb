"""Manual posts in the console: made by operators, watched owner by owner, cancelled and reminded."""

import re
from typing import Any

import pytest
from django.test import Client

from campaigns import handposts
from campaigns.models import HandPost, HandPostTick
from contacts.models import Notice, Staff
from groups.models import GroupChat
from scrm.base import roles
from scrm.base.models import AuditRecord, User
from scrm.base.roles import Role

LIST = "/admin/campaigns/handpost/"


@pytest.fixture(autouse=True)
def chats(wanglei: Staff, zhaomin: Staff) -> None:
    for owner, name, kind in (
        (wanglei, "福利一群", "benefits"), (wanglei, "福利二群", "benefits"), (wanglei, "服务群", "service"),
        (zhaomin, "客服群", "benefits"),
    ):  # fmt: skip
        GroupChat.objects.create(chat_id=f"wr{name}", name=name, owner=owner, type=kind)


@pytest.fixture
def operator(bob: User) -> Client:
    """bob, whose role may make and cancel."""
    return client_of(bob)


def client_of(user: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client


def add(client: Client, **given: Any) -> Any:
    return client.post(f"{LIST}add/", {"name": "早安", "text": "早上好", **given})


def posted_in() -> set[str]:
    return set(HandPostTick.objects.values_list("chat__name", flat=True))


def errors(answer: Any) -> set[str]:
    assert answer.status_code == 200
    return set(answer.context["adminform"].form.errors)


def test_an_operator_makes_one_for_chats_of_the_own_scope(operator: Client, bob: User) -> None:
    page = operator.get(f"{LIST}add/").content.decode()
    assert "wanglei" in page
    assert "zhaomin" not in page

    service = GroupChat.objects.get(name="服务群")
    answer = add(operator, chats=[service.pk], owners=["wanglei"], chat_type="benefits", due_at="2199-01-01T10:00")
    assert errors(answer) == {"due_at"}
    answer = add(operator, chats=[service.pk], owners=["wanglei"], chat_type="benefits")

    assert (answer.status_code, answer.headers["Location"]) == (302, LIST)
    assert posted_in() == {"福利一群", "福利二群", "服务群"}
    assert HandPost.objects.get().created_by == bob
    assert list(AuditRecord.objects.values_list("deed", "username")) == [("handpost.make", "bob")]


def test_a_second_click_makes_no_second_post(operator: Client, alice: User) -> None:
    assert add(operator, owners=["wanglei"]).status_code == 302
    assert errors(add(operator, owners=["wanglei"])) == {"__all__"}
    assert HandPost.objects.count() == 1

    assert add(operator, owners=["wanglei"], text="晚上好").status_code == 302
    assert add(client_of(alice), owners=["wanglei"]).status_code == 302
    assert HandPost.objects.count() == 3


def test_nobody_reaches_beyond_the_own_scope(operator: Client) -> None:
    foreign = GroupChat.objects.get(name="客服群")

    assert errors(add(operator, chats=[foreign.pk])) == {"chats"}
    assert errors(add(operator, owners=["zhaomin"])) == {"owners"}
    assert errors(add(operator, chat_name="客服")) == {"chats"}
    assert errors(add(operator, text="", chat_name="福利")) == {"text"}
    assert not HandPost.objects.exists()


def test_the_page_counts_by_owner_what_the_user_may_see(operator: Client, alice: User, wanglei: Staff) -> None:
    post = handposts.make(
        alice, name="早安", text="早上好", chat_ids=["wr福利一群", "wr福利二群", "wr客服群", "wrnone"]
    )
    handposts.tick(HandPostTick.objects.get(chat__name="福利一群").pk, wanglei, HandPostTick.State.DONE)

    mine = operator.get(f"{LIST}{post.pk}/change/?owner={wanglei.pk}")
    assert [(str(row["person"]), row["done"], row["chats"]) for row in mine.context["owners"]] == [("王磊", 1, 2)]
    assert [tick.chat.name for tick, _mark in mine.context["chats"]] == ["福利一群", "福利二群"]
    assert "赵敏" not in mine.content.decode()

    whole = client_of(alice).get(f"{LIST}{post.pk}/change/").context
    assert (whole["done"], whole["whole"], whole["left"]) == (1, 3, 2)
    assert [count for _reason, count in whole["excluded"]] == [1]
    shown = client_of(alice).get(f"{LIST}?view=open").content.decode()
    assert re.findall(r'<span class="c-num">(\d+ / \d+)</span>', shown) == ["1 / 3"]
    assert client_of(alice).get(f"{LIST}?view=overdue").context["cl"].result_count == 0


def test_buttons_remind_and_cancel(operator: Client, alice: User, bob: User) -> None:
    post = handposts.make(alice, name="早安", text="早上好", chat_ids=["wr福利一群"])
    address = f"{LIST}{post.pk}/"

    assert operator.get(f"{address}cancel/").status_code == 302
    assert operator.post(f"{address}remind/").status_code == 302
    assert Notice.objects.count() == 1
    assert operator.post(f"{address}cancel/").status_code == 302

    post.refresh_from_db()
    assert post.cancelled_by == bob
    assert set(AuditRecord.objects.values_list("deed", flat=True)) == {
        "handpost.make", "handpost.remind", "handpost.cancel",
    }  # fmt: skip


def test_without_the_right_it_is_read_only(alice: User, bob: User) -> None:
    post = handposts.make(alice, name="早安", text="早上好", chat_ids=["wr福利一群"])
    roles.give(bob, Role.STAFF)
    client = client_of(bob)

    assert client.get(f"{LIST}{post.pk}/change/").status_code == 200
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{post.pk}/cancel/").status_code == 403
    assert client.post(f"{LIST}{post.pk}/remind/").status_code == 403
    post.refresh_from_db()
    assert (post.cancelled_at, Notice.objects.count()) == (None, 0)
