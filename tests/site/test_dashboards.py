"""The manager's pages: what they show is what the numbers say, and every number leads to its rows."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from html import unescape

import pytest
import time_machine
from django.test import Client
from django.utils.http import urlencode

from analytics import fill
from analytics.metrics import METRICS
from analytics.models import FillState
from analytics.query import Point, measure
from contacts.models import Channel, Staff
from groups.models import GroupChat
from scrm.base.models import User
from scrm.site.dashboards import wording
from scrm.site.dashboards.asked import asked
from tests.analytics.conftest import Book, at, day

pytestmark = pytest.mark.django_db
INTERVAL = urlencode({"from": day(1).isoformat(), "to": day(15).isoformat()})


@pytest.fixture(autouse=True)
def forty_days_later() -> Iterator[None]:
    with time_machine.travel(at(40), tick=False):
        yield


@pytest.fixture
def book(alice: User) -> Book:
    return Book(alice)


@pytest.fixture
def busy(book: Book, wanglei: Staff, zhaomin: Staff) -> Book:
    """Forty people over two weeks through two channels; a third of them leave the chat."""
    Channel.objects.create(state="parcel", name="包裹卡")
    chats = [book.chat("福利群", wanglei), book.chat("快闪群", zhaomin)]
    for number in range(40):
        person, begin = book.person(), 1 + number % 14
        staff = (wanglei, zhaomin)[number % 2]
        state = ("parcel", "")[number % 3 == 0]
        book.follow(staff, person, at(begin), at(begin + 1) if number % 10 == 0 else None, state=state)
        book.welcome(staff, person, at(begin), "refused" if number % 7 == 0 else "sent", state=state)
        if number % 4:
            left = at(begin + 3) if number % 3 == 0 else None
            book.stay(chats[number % 2], person, at(begin, 13), left, quit_scene=0 if left else None)
    FillState.objects.all().delete()
    fill.fill_dirty()
    return book


@pytest.fixture
def see(client: Client, alice: User) -> Callable[..., str]:
    """The text of a page as a user sees it."""

    def page(path: str, user: User = alice) -> str:
        client.force_login(user)
        answer = client.get(path)
        assert answer.status_code == 200, path
        return unescape(answer.content.decode())

    return page


def _links(page: str, name: str) -> list[tuple[str, int]]:
    """(address, shown number) of all links to lists of rows that stand around a whole number."""
    found = re.findall(rf'<a[^>]*href="(/dashboards/{name}/[^"]*)"[^>]*>([^<]*)</a>', page)
    numbers = [(address, re.search(r"[\d,]+(?=\D*$)", text)) for address, text in found]
    return [
        (address, int(match[0].replace(",", ""))) for address, match in numbers if match and "%" not in match.string
    ]


def _rows(page: str) -> int:
    match = re.search(r"共 ([\d,]+) 条", page)
    assert match is not None
    return int(match[1].replace(",", ""))


def test_every_number_leads_to_as_many_rows(busy: Book, see: Callable[..., str]) -> None:
    for table in ("channel", "staff", "group_chat"):
        page = see(f"/dashboards/?{INTERVAL}&table={table}")
        found = _links(page, "rows") + _links(page, "people")

        assert len(found) > 40
        for address, number in dict(found).items():
            if re.search(r"/rows/(\w+)/", address) and METRICS[re.findall(r"/rows/(\w+)/", address)[0]].kind == "P":
                continue
            assert _rows(see(address)) == number, address


def test_cards_say_what_the_numbers_say(busy: Book, see: Callable[..., str]) -> None:
    page = see(f"/dashboards/?{INTERVAL}")
    span = {"start": day(1), "end": day(15), "user": busy.user}

    assert ">40</a><small>人次</small>" in page
    [rate] = measure("add_to_join_rate", **span)  # type: ignore[arg-type]
    assert f">{wording.rate(rate.value)}</a>" in page
    assert ">+36<small>" in page


def test_a_period_before_the_connection_is_not_compared(busy: Book, see: Callable[..., str]) -> None:
    before = see(f"/dashboards/?{INTERVAL}")
    busy.connected(at(2))
    after = see(f"/dashboards/?{INTERVAL}")

    assert "不对比" not in before
    assert after.count("不对比：上期含接入前") == 6
    assert "2026-03-04 接入" in after


def test_the_previous_period_begins_on_the_same_day_of_the_week() -> None:
    for days, shift in ((7, 7), (14, 14), (30, 35), (10, 14)):
        question = asked({"from": day(0).isoformat(), "to": day(days).isoformat()})
        assert (question.start - question.before.start).days == shift
        assert question.before.days == days


@pytest.mark.parametrize(
    "given",
    [{"from": "x", "to": "y"}, {"from": "2026-03-09", "to": "2026-03-02"}, {"from": "0001-01-01", "to": "2026-03-02"},
     {"days": "13"}, {"from": "2026-03-02", "to": "2999-01-01"}, {"table": "secrets"}, {"department": "9" * 30}],
)  # fmt: skip
def test_a_senseless_address_shows_the_last_two_weeks(
    given: dict[str, str], see: Callable[..., str], departments: object
) -> None:
    question = asked(given)

    assert (question.days, question.preset, question.table) == (14, 14, "channel")
    see(f"/dashboards/?{urlencode(given)}")


def test_filters_and_interval_stand_in_every_address(busy: Book) -> None:
    question = asked({"days": "30", "channel": "", "staff": "wanglei", "table": "staff"})

    assert question.filters.channel == ""
    assert question.address(days=7) == "channel=&staff=wanglei&table=staff&days=7"
    assert question.address(channel="*") == "days=30&staff=wanglei&table=staff"
    assert question.rows(by="channel", key="parcel").endswith("channel=parcel&staff=wanglei")


def test_a_user_sees_the_own_departments_numbers_and_rows_only(
    busy: Book, bob: User, charlie: User, see: Callable[..., str]
) -> None:
    page = see(f"/dashboards/?{INTERVAL}&table=staff", bob)

    assert ">20</a><small>人次</small>" in page
    assert "赵敏" not in page
    assert _rows(see(f"/dashboards/rows/adds/?{INTERVAL}", bob)) == 20
    assert _rows(see(f"/dashboards/rows/adds/?{INTERVAL}&staff=zhaomin", bob)) == 0
    assert "还没有数据权限" in see(f"/dashboards/?{INTERVAL}", charlie)
    assert _rows(see(f"/dashboards/rows/adds/?{INTERVAL}", charlie)) == 0


@pytest.mark.parametrize(
    ("given", "name"),
    [({"staff": "zhaomin"}, "赵敏"), ({"department": 3}, "客服"), ({"group_chat": "wr-secret"}, "高管的群")],
)
def test_a_filter_names_only_what_the_user_may_see(
    given: dict[str, str], name: str, busy: Book, zhaomin: Staff, bob: User, see: Callable[..., str]
) -> None:
    GroupChat.objects.create(chat_id="wr-secret", name="高管的群", owner=zhaomin)
    address = f"/dashboards/rows/joins/?{INTERVAL}&{urlencode(given)}"

    assert name in see(address)
    assert name not in see(address, bob)


@pytest.mark.parametrize("path", ["", "data.json", "rows/adds/", "people/?step=added", "dictionary/"])
def test_pages_ask_for_a_login_and_let_no_foreign_script_run(path: str, client: Client, alice: User) -> None:
    answer = client.get(f"/dashboards/{path}")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/admin/login/?next=/dashboards/")

    client.force_login(alice)
    answer = client.get(f"/dashboards/{path}")
    assert answer.status_code == 200
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["script-src"] == "'self' 'unsafe-eval'"
    assert policy["object-src"] == "'none'"
    inline = re.findall(rb"<script(?![^>]*\bsrc=)([^>]*)>", answer.content)
    assert all(b'type="application/json"' in attributes for attributes in inline)
    assert client.post(f"/dashboards/{path}").status_code in (403, 405)


@pytest.mark.parametrize(
    "path",
    [
        "rows/no_such_metric/",
        "rows/adds/?part=secret",
        "rows/adds/?group_chat=wr-x",
        "people/?step=bought",
        "people/?step=added&outcome=x",
    ],
)
def test_unknown_lists_are_not_found(path: str, client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get(f"/dashboards/{path}").status_code == 404


def test_an_empty_installation_explains_itself(see: Callable[..., str]) -> None:
    page = see("/dashboards/")

    assert "还没有同步" in page
    assert "0.0%" not in page


def test_no_match_offers_to_clear_the_filters(busy: Book, see: Callable[..., str]) -> None:
    page = see(f"/dashboards/?{INTERVAL}&channel=nobody")

    assert "这段时间没有新客" in page
    assert "清除筛选" in page


def test_the_page_moves_only_when_numbers_moved(busy: Book, client: Client, wanglei: Staff) -> None:
    client.force_login(busy.user)
    address = f"/dashboards/data.json?{INTERVAL}"
    first = client.get(address).json()
    assert set(first["parts"]) == {
        "cards", "broadcasts", "funnel", "table", "welcome", "trend-adds", "trend-chats",
    }  # fmt: skip
    assert first["charts"]["adds"]["series"][0]["values"][0] == 3

    same = client.get(address, {"stamp": first["stamp"], "from": "2026-03-03", "to": "2026-03-17"})
    assert set(same.json()) == {"stamp", "updated"}

    FillState.objects.update(filled_at=dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
    moved = client.get(address, {"stamp": first["stamp"], "from": "2026-03-03", "to": "2026-03-17"})
    assert "parts" in moved.json()


def test_todays_broadcasts_are_told_with_their_rows(
    book: Book, wanglei: Staff, zhaomin: Staff, bob: User, see: Callable[..., str]
) -> None:
    book.person()
    assert _links(see(f"/dashboards/?{INTERVAL}"), "rows/deliveries_planned") == []
    broadcast = book.broadcast(at(40, 9))
    confirmed, waiting = (
        book.task(broadcast, wanglei, "confirmed", confirmed_at=at(40, 10)),
        book.task(broadcast, zhaomin),
    )
    book.delivery(confirmed, book.chat("福利群", wanglei), "sent", at(40, 10), reach=120)
    for _ in range(2):
        book.delivery(waiting, book.person())
    book.delivery(book.task(book.broadcast(at(39)), wanglei), book.person())

    links = _links(see(f"/dashboards/?{INTERVAL}"), "rows/deliveries_planned")
    assert [number for _, number in links] == [3, 1, 2]
    assert [_rows(see(address)) for address, _ in links] == [3, 1, 2]
    assert "120" in see(links[1][0])
    assert [number for _, number in _links(see(f"/dashboards/?{INTERVAL}", bob), "rows/deliveries_planned")] == [1, 1]


def test_the_page_moves_when_a_task_of_today_does(busy: Book, client: Client, wanglei: Staff) -> None:
    client.force_login(busy.user)
    stamp = client.get("/dashboards/data.json").json()["stamp"]

    busy.task(busy.broadcast(at(40, 9)), wanglei)

    assert "parts" in client.get("/dashboards/data.json", {"stamp": stamp}).json()


def test_the_chart_and_its_table_hold_the_same_numbers(busy: Book, client: Client) -> None:
    client.force_login(busy.user)
    answer = client.get(f"/dashboards/data.json?{INTERVAL}").json()

    points: list[Point] = measure("joins", start=day(1), end=day(15), by="day", user=busy.user)
    assert answer["charts"]["chats"]["series"][0]["values"] == [point.value for point in points]
    table = answer["parts"]["trend-chats"]
    shown = [re.sub(r"<[^>]+>", " ", row).split() for row in re.findall(r"<tr>(.*?)</tr>", table, re.S)[1:]]
    assert [(row[0], row[1]) for row in shown] == [(point.key, str(point.value)) for point in reversed(points)]


def test_the_dictionary_names_every_metric_once(see: Callable[..., str]) -> None:
    page = see("/dashboards/dictionary/")

    for metric in METRICS.values():
        assert page.count(f"<code>{metric.name}</code>") == 1
        assert str(metric.definition) in page


def test_changes_are_coloured_by_good_and_bad_and_small_ones_stay_grey() -> None:
    assert wording.change(120, 100, good=1) == wording.Change("+20.0%", "c-up")
    assert wording.change(120, 100, good=-1) == wording.Change("+20.0%", "c-dn")
    assert wording.change(109, 100, good=1) == wording.Change("+9.0%", "c-mu")
    assert wording.change(0.034, 0.031, good=-1, points=True) == wording.Change("+0.3 个百分点", "c-dn")
    assert wording.change(0.0310, 0.0305, good=-1, points=True) == wording.Change("+0.1 个百分点", "c-mu")
    assert wording.change(5, 0, good=1) is None
    assert (wording.count(None), wording.count(-1234), wording.signed(0)) == ("–", "−1,234", "0")
