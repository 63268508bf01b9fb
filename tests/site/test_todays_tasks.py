"""Today's tasks: who has still to confirm what, in whose sight, and reminding them."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from campaigns.models import Broadcast, Dispatch, Reminder
from contacts.models import Staff
from scrm.base import clock
from scrm.base.models import AuditRecord, User, Work

pytestmark = pytest.mark.usefixtures("noon")
ADDRESS = "/console/tasks/"
Ask = Callable[..., Dispatch]


@pytest.fixture
def ask(alice: User) -> Ask:
    """A task that waits for `staff`, of a broadcast to be confirmed in `minutes`."""

    def make(staff: Staff, name: str = "上新", *, minutes: int = 120, **fields: Any) -> Dispatch:
        now = clock.now()
        broadcast, _ = Broadcast.objects.get_or_create(
            name=name,
            defaults={
                "to": "single", "audience": {}, "digest": name, "state": "running", "created_by": alice,
                "create_at": now - dt.timedelta(hours=1), "created_at": now - dt.timedelta(hours=2),
                "confirm_by": now + dt.timedelta(minutes=minutes), "plan_date": clock.today(),
            },
        )  # fmt: skip
        given = {"state": "sent", "sent_at": now - dt.timedelta(minutes=1), "recipients": 40} | fields
        number = broadcast.dispatches.filter(staff=staff).count()
        msgid = f"msg-{name}-{staff.userid}-{number}"
        return Dispatch.objects.create(
            broadcast=broadcast, staff=staff, number=number, digest=name, msgid=msgid, **given
        )

    return make


def client_of(user: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client


def shown(client: Client, query: str = "") -> dict[str, list[str]]:
    people = client.get(f"{ADDRESS}?{query}").context["people"]
    return {person.staff.userid: [str(task.dispatch.broadcast) for task in person.tasks] for person in people}


def test_names_each_with_what_waits_the_most_urgent_first(
    alice: User, wanglei: Staff, zhaomin: Staff, ask: Ask
) -> None:
    ask(wanglei, "会员日", minutes=300)
    ask(wanglei, "上新", minutes=200)
    ask(zhaomin, "秒杀", minutes=10)
    ask(zhaomin, "已确认的", state="confirmed")

    found = shown(client_of(alice))

    assert list(found.items()) == [("zhaomin", ["秒杀"]), ("wanglei", ["上新", "会员日"])]


def test_tells_the_day_in_figures(alice: User, wanglei: Staff, zhaomin: Staff, ask: Ask) -> None:
    ask(wanglei, "秒杀", minutes=10)
    ask(zhaomin, "秒杀", state="confirmed")
    ask(zhaomin, "明早", state="planned", sent_at=None)

    day = client_of(alice).get(ADDRESS).context["day"]

    assert day == {
        "made": 2, "confirmed": 1, "to_come": 1, "waiting": 1, "people": 1, "recipients": 40, "names": ["王磊"],
    }  # fmt: skip


def test_filters_stand_in_the_address(alice: User, wanglei: Staff, zhaomin: Staff, ask: Ask) -> None:
    late = ask(wanglei, "晚了", minutes=-5)
    ask(wanglei, "快了", minutes=10)
    ask(zhaomin, "不急", minutes=300)
    client = client_of(alice)

    assert shown(client, "view=late") == {"wanglei": ["晚了"]}
    assert shown(client, "view=soon") == {"wanglei": ["快了"]}
    assert shown(client, "q=赵") == shown(client, "q=zhaomin") == {"zhaomin": ["不急"]}
    assert shown(client, f"broadcast={late.broadcast_id}") == {"wanglei": ["晚了"]}
    assert shown(client, "broadcast=x") == shown(client, f"broadcast={'9' * 30}") == shown(client, "q=谁") == {}
    tabs = client.get(f"{ADDRESS}?q=王").context["tabs"]
    assert [(tab["count"], tab["address"]) for tab in tabs] == [
        (2, "?q=%E7%8E%8B"), (1, "?q=%E7%8E%8B&view=soon"), (1, "?q=%E7%8E%8B&view=late"),
    ]  # fmt: skip


def test_pages_keep_the_filter(alice: User, departments: Any, ask: Ask) -> None:
    for number in range(21):
        ask(Staff.objects.create(userid=f"s{number}", name=f"员工{number}", department_ids=[2]), "秒杀")
    client = client_of(alice)

    answer = client.get(f"{ADDRESS}?q=员工")

    assert (len(answer.context["people"]), answer.context["total"]) == (20, 21)
    assert "?q=%E5%91%98%E5%B7%A5&amp;page=2" in answer.content.decode()
    assert len(client.get(f"{ADDRESS}?q=员工&page=2").context["people"]) == 1


def test_the_number_of_questions_does_not_grow_with_the_people(
    alice: User, departments: Any, ask: Ask, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        ask(Staff.objects.create(userid=f"s{number}", name=f"员工{number}", department_ids=[2]), "秒杀")
    client = client_of(alice)
    client.get(ADDRESS)

    with django_assert_max_num_queries(18):
        client.get(ADDRESS)


class TestScope:
    def test_shows_the_own_departments_only(self, bob: User, wanglei: Staff, zhaomin: Staff, ask: Ask) -> None:
        ask(wanglei)
        ask(zhaomin)

        answer = client_of(bob).get(ADDRESS)

        assert shown(client_of(bob)) == {"wanglei": ["上新"]}
        assert answer.context["day"]["waiting"] == answer.context["total"] == 1
        assert "赵敏" not in answer.content.decode()

    def test_reminds_nobody_out_of_scope(self, bob: User, wanglei: Staff, zhaomin: Staff, ask: Ask) -> None:
        bob.user_permissions.add(Permission.objects.get(codename="approve_broadcast"))
        foreign = ask(zhaomin)
        ask(wanglei)
        client = client_of(bob)

        client.post(f"{ADDRESS}remind/", {"dispatch": foreign.pk})
        assert Reminder.objects.count() == 0
        client.post(f"{ADDRESS}remind/", {"all": "1"})

        assert list(Reminder.objects.values_list("dispatch__staff__userid", flat=True)) == ["wanglei"]

    def test_needs_the_right_to_approve(self, bob: User, wanglei: Staff, ask: Ask) -> None:
        task = ask(wanglei)

        assert client_of(bob).post(f"{ADDRESS}remind/", {"dispatch": task.pk}).status_code == 403
        assert Reminder.objects.count() == 0
        assert client_of(bob).get(ADDRESS).context["may_remind"] is False

    def test_is_not_opened_to_strangers(self, db: None) -> None:
        for address in (ADDRESS, f"{ADDRESS}remind/"):
            answer = Client(headers={"host": "localhost"}).get(address)
            assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/admin/login/")

    def test_says_whom_to_ask_where_there_is_no_scope(self, charlie: User) -> None:
        assert "还没有数据权限" in client_of(charlie).get(ADDRESS).content.decode()


class TestReminding:
    def test_one_writes_a_reminder_and_notes_who(self, alice: User, wanglei: Staff, ask: Ask) -> None:
        task = ask(wanglei)

        answer = client_of(alice).post(f"{ADDRESS}remind/", {"dispatch": task.pk, "query": "q=王磊&page=2&x=1"})

        assert answer.headers["Location"] == f"{ADDRESS}?q=%E7%8E%8B%E7%A3%8A"
        reminder = Reminder.objects.get()
        assert (reminder.dispatch, reminder.asked_by, reminder.state) == (task, alice, "waiting")
        assert Work.objects.filter(lane="remind", source_id=reminder.pk, source_kind="reminder").count() == 1
        assert AuditRecord.objects.filter(deed="broadcast.remind", username="alice").count() == 1

    def test_all_takes_only_what_matches(self, alice: User, wanglei: Staff, zhaomin: Staff, ask: Ask) -> None:
        ask(wanglei, "秒杀", minutes=10)
        ask(zhaomin, "不急", minutes=300)

        client_of(alice).post(f"{ADDRESS}remind/", {"all": "1", "query": "view=soon"})

        assert list(Reminder.objects.values_list("dispatch__broadcast__name", flat=True)) == ["秒杀"]

    def test_shows_how_many_are_used_and_offers_no_fourth(self, alice: User, wanglei: Staff, ask: Ask) -> None:
        task = ask(wanglei)
        for hours, state in ((1, "sent"), (2, "unknown"), (3, "waiting"), (4, "refused"), (25, "sent")):
            Reminder.objects.create(
                dispatch=task, asked_by=alice, asked_at=clock.now() - dt.timedelta(hours=hours), state=state
            )
        client = client_of(alice)
        (person,) = client.get(ADDRESS).context["people"]
        assert (person.tasks[0].used, person.tasks[0].left, person.remindable) == (3, 0, [])

        client.post(f"{ADDRESS}remind/", {"dispatch": task.pk})

        assert Reminder.objects.count() == 5

    def test_ignores_what_is_no_task(self, alice: User, wanglei: Staff, ask: Ask) -> None:
        done = ask(wanglei, state="confirmed")

        answer = client_of(alice).post(f"{ADDRESS}remind/", {"dispatch": ["x", "9" * 30, str(done.pk)]})

        assert answer.status_code == 302
        assert Reminder.objects.count() == 0

    def test_is_not_done_by_a_link(self, alice: User, wanglei: Staff, ask: Ask) -> None:
        task = ask(wanglei)

        assert client_of(alice).get(f"{ADDRESS}remind/?dispatch={task.pk}").status_code == 405
        assert Reminder.objects.count() == 0
