"""Staff in the console with what they do."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from campaigns.models import Broadcast, Dispatch
from contacts.models import Staff
from scrm.base import clock
from scrm.base.models import User
from tests.site import world

ADDRESS = "/admin/contacts/staff/"


@pytest.fixture(autouse=True)
def rows(wanglei: Staff, zhaomin: Staff, alice: User, moment: dt.datetime) -> None:
    world.build(wanglei, zhaomin, alice, moment)


def client_of(user: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client


def task(staff: Staff, user: User, name: str, *, days_ago: float, state: str, **fields: Any) -> Dispatch:
    at = clock.now() - dt.timedelta(days=days_ago)
    broadcast = Broadcast.objects.create(
        name=name, to="single", audience={}, digest=name, state="running", created_by=user, created_at=at,
        create_at=at, confirm_by=at + dt.timedelta(hours=3), plan_date=clock.day_of(at),
    )  # fmt: skip
    given = {"number": 0, "digest": name, "recipients": 40, "msgid": f"{staff.userid}-{name}", "sent_at": at} | fields
    return Dispatch.objects.create(broadcast=broadcast, staff=staff, state=state, **given)


def row_of(client: Client, userid: str) -> Any:
    return next(row for row in client.get(ADDRESS).context["cl"].result_list if row.userid == userid)


def test_counts_tasks_that_wait_and_the_share_that_was_confirmed(alice: User, wanglei: Staff, zhaomin: Staff) -> None:
    task(wanglei, alice, "今天", days_ago=0, state="sent")
    task(wanglei, alice, "上周", days_ago=7, state="confirmed")
    task(wanglei, alice, "上上周", days_ago=14, state="unconfirmed")
    task(wanglei, alice, "早先", days_ago=31, state="confirmed")
    task(zhaomin, alice, "赵敏的", days_ago=1, state="confirmed")

    row = row_of(client_of(alice), "wanglei")

    assert (row.waiting, row.made, row.confirmed) == (1, 3, 1)


def test_numbers_lead_to_as_many_rows(alice: User, wanglei: Staff) -> None:
    task(wanglei, alice, "今天", days_ago=0, state="sent")
    client = client_of(alice)
    row = row_of(client, "wanglei")
    text = client.get(ADDRESS).content.decode()

    assert f"/admin/contacts/customer/?staff={row.userid}" in text
    assert client.get(f"/admin/contacts/customer/?staff={row.userid}").context["cl"].result_count == row.customers == 2
    assert f"/admin/groups/groupchat/?owner={row.userid}&amp;view=living" in text
    chats = client.get(f"/admin/groups/groupchat/?owner={row.userid}&view=living")
    assert chats.context["cl"].result_count == row.chats == 1
    assert f"/console/tasks/?q={row.userid}" in text
    assert client.get(f"/console/tasks/?q={row.userid}").context["total"] == row.waiting == 1


def test_room_is_what_the_setting_leaves(alice: User, settings: Any) -> None:
    settings.STAFF_CAPACITY = 2
    client = client_of(alice)

    assert client.get(f"{ADDRESS}?view=full").context["cl"].result_count == 2
    text = client.get(f"{ADDRESS}?q=wanglei").content.decode()
    assert '<i class="bad" style="width:100.0%">' in text
    settings.STAFF_CAPACITY = 3
    assert client.get(f"{ADDRESS}?view=full").context["cl"].result_count == 0


def test_names_the_console_user_and_links_it_for_administrators_only(alice: User, bob: User, wanglei: Staff) -> None:
    bob.wecom_userid, bob.sees_all = "wanglei", False
    bob.save()

    assert f'href="/admin/base/user/{bob.pk}/change/"' in client_of(alice).get(ADDRESS).content.decode()
    text = client_of(bob).get(ADDRESS).content.decode()
    assert f"/admin/base/user/{bob.pk}/change/" not in text


def test_page_of_one_shows_today_apart_from_the_days_before(alice: User, wanglei: Staff, zhaomin: Staff) -> None:
    at = clock.now()
    Dispatch.objects.all().delete()  # the world's own
    task(wanglei, alice, "今天的秒杀", days_ago=0, state="sent")
    done = task(wanglei, alice, "上周的复购", days_ago=7, state="confirmed", count_sent=38)
    Dispatch.objects.filter(pk=done.pk).update(confirmed_at=done.sent_at + dt.timedelta(minutes=11))  # type: ignore[operator]
    task(wanglei, alice, "太早", days_ago=31, state="confirmed")
    task(zhaomin, alice, "赵敏的任务", days_ago=0, state="sent", sent_at=at)

    answer = client_of(alice).get(f"{ADDRESS}{wanglei.pk}/change/")

    assert [str(item["row"].broadcast) for item in answer.context["tasks_today"]] == ["今天的秒杀"]
    assert [(str(item["row"].broadcast), item["took"]) for item in answer.context["tasks_before"]] == [
        ("上周的复购", 660.0)
    ]
    assert answer.context["rate"] == 0.5
    text = answer.content.decode()
    assert "太早" not in text and "赵敏的任务" not in text
    assert "担任群主" in text  # the panel of group chats


def test_page_of_one_is_closed_to_other_departments(bob: User, zhaomin: Staff) -> None:
    answer = client_of(bob).get(f"{ADDRESS}{zhaomin.pk}/change/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")
