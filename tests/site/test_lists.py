"""What every list of the console owes its readers: filters in the address, totals, empty states, Chinese."""

import datetime as dt
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib import admin
from django.core.paginator import Paginator
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape

from contacts.models import Department, Staff
from scrm.base.console import pages
from scrm.base.console.pages import BothEnds
from scrm.base.models import User
from tests.site import lists

PAGES = {model._meta.label: page for model, page in admin.site._registry.items()}
NEVER_EMPTY = {"base.User", "campaigns.WelcomeRule"}  # the administrator, the default rule
# Words of the platform and of computers that stay as they are, and what the rows of the test are called.
STAY = {
    "API", "SCRM", "userid", "Ctrl", "Redis", "ID", "WECOM", "CALLS", "PER", "MINUTE", "HOUR",
    "SENDING", "English", "hans", "esc", "state", "CSV",
}  # fmt: skip
DATA = re.compile(
    r"\b(alice|bob|lili|wanglei|zhaomin|contact|callback|externalcontact/[\w/]+|WecomError|wm\w+|wr\w+|ch\d|sync|"
    r"wx\w+|scrm_[\w-]+)\b|https?://\S+|\{\w+\}"
)


class _Text(HTMLParser):
    """What a person reads: texts outside scripts and icons, and the attributes that are shown or read out."""

    SILENT = ("script", "style", "svg")

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        silent = tag in self.SILENT or "material-symbols" in (given.get("class") or "")
        if tag not in {"input", "br", "hr", "img", "link", "meta"}:
            self._open.append((tag, silent))
        self.said += [given[name] or "" for name in ("title", "placeholder", "aria-label", "alt") if given.get(name)]

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            opened, _silent = self._open.pop()
            if opened == tag:
                return

    def handle_data(self, data: str) -> None:
        if not any(silent for _tag, silent in self._open):
            self.said.append(data)


def english_in(html: str) -> list[str]:
    """English words that a reader of the page would meet."""
    reader = _Text()
    reader.feed(html[html.index("<body") :])
    text = DATA.sub(" ", " ".join(reader.said))
    return sorted(set(re.findall(r"[A-Za-z]{3,}", text)) - STAY)


def address_of(label: str) -> str:
    page = PAGES[label]
    return reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")


def nothing(label: str) -> str:
    """The list's filter with a value that no row has."""
    key = lists.FILTERS[label].partition("=")[0]
    return {"view": "view=nosuch", "errcode": "errcode=-1"}.get(key, f"{key}=nosuch")


@pytest.fixture
def console(alice: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(alice)
    return client


@pytest.fixture
def rows(wanglei: Staff, zhaomin: Staff, alice: User, moment: dt.datetime) -> None:
    lists.build(wanglei, zhaomin, alice, moment)


def test_every_list_is_in_the_table() -> None:
    assert set(PAGES) == set(lists.FILTERS)


@pytest.mark.parametrize("label", sorted(lists.FILTERS))
class TestEachList:
    def test_keeps_the_filter_while_one_pages(
        self, label: str, rows: None, console: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(PAGES[label], "list_per_page", 1)
        wanted = lists.FILTERS[label]
        first = console.get(f"{address_of(label)}?{wanted}")
        total = first.context["cl"].result_count
        assert total >= 2

        links = re.findall(r'href="\?([^"]*\bp=2[^"]*)"', first.content.decode())
        assert links
        second = console.get(f"{address_of(label)}?{links[0].replace('&amp;', '&')}")

        assert second.context["cl"].result_count == total
        assert second.context["cl"].page_num == 2
        assert [row.pk for row in second.context["cl"].result_list] != [
            row.pk for row in first.context["cl"].result_list
        ]

    def test_filters_something_out(self, label: str, rows: None, console: Client) -> None:
        answer = console.get(f"{address_of(label)}?{nothing(label)}")
        assert answer.context["cl"].result_count == 0
        assert "没有匹配的结果" in answer.content.decode() and "清除筛选" in answer.content.decode()

    def test_shows_the_total(self, label: str, rows: None, console: Client) -> None:
        answer = console.get(f"{address_of(label)}?{lists.FILTERS[label]}")
        assert f"共 {answer.context['cl'].result_count} 条" in re.sub(r"\s+", " ", answer.content.decode())

    def test_says_why_it_is_empty_and_what_to_do(self, label: str, console: Client) -> None:
        answer = console.get(address_of(label))
        if answer.context["cl"].result_count:
            assert label in NEVER_EMPTY
            return
        said = escape(str(PAGES[label].nothing_yet))  # type: ignore[attr-defined]
        assert re.search(r"[\u4e00-\u9fff]", said)
        assert said in answer.content.decode()
        assert "清除筛选" not in answer.content.decode()

    def test_speaks_chinese(self, label: str, rows: None, console: Client) -> None:
        assert english_in(console.get(address_of(label)).content.decode()) == []

    def test_speaks_chinese_when_it_is_empty(self, label: str, console: Client) -> None:
        assert (
            english_in(console.get(f"{address_of(label)}?{nothing(label)}").content.decode().replace("nosuch", ""))
            == []
        )


@pytest.mark.parametrize("address", ["/admin/", "/console/tasks/", "/dashboards/", "/dashboards/dictionary/"])
def test_other_pages_speak_chinese(address: str, rows: None, console: Client) -> None:
    text = re.sub(r"<code>.*?</code>", "", console.get(address).content.decode())
    assert english_in(text) == []


def test_an_english_word_is_noticed(rows: None, console: Client) -> None:
    text: Any = console.get(address_of("contacts.Staff")).content.decode()
    assert english_in(text.replace("</h1>", " Nothing here</h1>") + '<i title="Remove">') == [
        "Nothing",
        "Remove",
        "here",
    ]


def test_pages_read_from_either_end_are_those_read_from_the_beginning(departments: list[Department]) -> None:
    Staff.objects.bulk_create(Staff(userid=f"s{number:02}", name="同名", left_at=None) for number in range(11))
    rows = Staff.objects.order_by("name", "-left_at", "-userid")
    for size in (1, 2, 3, 4, 5, 6, 10, 11, 12):
        cut = BothEnds(rows, size)
        found = [[row.userid for row in cut.page(number)] for number in cut.page_range]
        assert found == [[row.userid for row in page] for page in Paginator(rows, size)]


def test_pages_far_inside_are_found_by_their_keys_and_are_the_same(
    departments: list[Department], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "LONG_WAY", 1)
    Staff.objects.bulk_create(Staff(userid=f"s{number:02}", name="同名", left_at=None) for number in range(11))
    rows = Staff.objects.order_by("name", "-left_at", "-userid")
    for size in (1, 2, 3, 4, 5, 6, 10, 11, 12):
        found = BothEnds(rows, size)
        assert [list(page) for page in found] == [list(page) for page in Paginator(rows, size)]
    with CaptureQueriesContext(connection) as asked:
        list(BothEnds(rows, 2).page(3))
    assert '"contacts_staff"."id" IN (SELECT ' in asked.captured_queries[-1]["sql"]


def test_the_last_page_is_read_from_the_end(departments: list[Department]) -> None:
    Staff.objects.bulk_create(Staff(userid=f"s{number:02}") for number in range(11))
    cut = BothEnds(Staff.objects.order_by("userid"), 3)
    with CaptureQueriesContext(connection) as asked:
        assert [row.userid for row in cut.page(4)] == ["s09", "s10"]
    assert asked.captured_queries[-1]["sql"].endswith('ORDER BY "contacts_staff"."userid" DESC LIMIT 2')
