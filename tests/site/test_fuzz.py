"""Whatever stands in an address of the console: a page or a refusal, never a fault, never another department's rows."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.models import Broadcast, HandPost
from contacts.models import Staff
from scrm.base import roles
from scrm.base.models import User
from scrm.base.roles import Role
from tests.site import world

FOREIGN = ("赵敏", "zhaomin")
ELSEWHERE = ("api/v1/", "i18n/", "admin/logout/")  # fuzzed by tests.api, or not read with GET
NAMES = [
    "q", "o", "p", "e", "all", "view", "_changelist_filters", "_popup", "_to_field", "_facets", "ot", "page", "state",
    "reason", "staff", "staff__userid", "tag", "channel", "outcome", "department", "group_chat", "lane", "errcode", "from",
    "to", "last", "days", "table", "part", "step", "stamp", "next", "k", "term", "app_label", "model_name", "field_name",
    "s", "extended", "chat", "customer", "owner", "code", "password", "moved", "added_at_from", "added_at_to",
    "first_added_at_from", "first_added_at_to", "happened_at_from", "happened_at_to", "created_at_from", "created_at_to",
    "received_domain_at_from", "at_from", "at_to", "id__in", "pk__gt", "name__startswith", "owner__name__startswith",
    "staff__name__startswith", "follows__staff__name__startswith", "password__startswith", "customer__name__startswith",
    "created_by__password__startswith", "broadcast", "rule", "api", "content", "audience", "copy", "state__exact", "type__exact", "active__exact",
]  # fmt: skip
LIKELY = [
    "", "0", "-1", "1", "2", "-1.2", "9" * 30, "99999999999999999999.1", "true", "2026-11-01", "0001-01-01", "9999-12-31",
    "9999/12/31", "10000-01-01", "\x00", "a\x00b", "%", "_", "'", '"><script>', "\\", "٣", "𠮷", "1e9", "NaN",
    "zhaomin", "wanglei", "wmzhaomin0", "wrzhaomin", "王", "p=9&q=x", "view=failed", "value", "numerator", "denominator",
    "joined", "reached", "dropped", "adds", "staff", "sent", "pending", "contacts", "customer", "broadcast", "campaigns",
    "base", "user", "²", str(2**63), "9" * 5_000, "//evil.example.com", "\r\nSet-Cookie: a=b", "{}", "[]", "__import__", "x" * 5_000,
]  # fmt: skip
TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
VALUES = st.sampled_from(LIKELY) | TEXT | st.integers().map(str) | st.dates().map(str)
PLACES = st.sampled_from(["0", "1", "2", "adds", "joins", "members", "x", "9" * 25, "%00", "王磊", "_5F", "a,b", "-1"])
FUZZ = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def _addresses(resolver: Any, before: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        here = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield here
        else:
            yield from _addresses(pattern, here)


def _is_ours(address: str) -> bool:
    return not address.startswith(ELSEWHERE) and "^" not in address and "(?P" not in address


ADDRESSES = sorted({address for address in _addresses(get_resolver()) if _is_ours(address)})

LISTS = sorted(admin.site._registry.items(), key=lambda item: item[0]._meta.label)


@pytest.fixture(autouse=True)
def rows(wanglei: Staff, zhaomin: Staff, alice: User, moment: dt.datetime) -> None:
    world.build(wanglei, zhaomin, alice, moment)


def console_of(user: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client


def text_of(answer: Any) -> str:
    content: bytes = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content.decode()


@st.composite
def questions(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """(path, query) of any page."""
    first, *rest = draw(st.sampled_from(ADDRESSES)).split("<")
    path = "/" + first + "".join(draw(PLACES) + part.partition(">")[2] for part in rest)
    query = draw(st.dictionaries(st.sampled_from(NAMES) | TEXT, VALUES, max_size=4))
    return path, query


def test_no_address_breaks_anything(alice: User) -> None:
    client = console_of(alice)

    @FUZZ
    @given(questions())
    def ask(asked: tuple[str, dict[str, str]]) -> None:
        answer = client.get(*asked)
        assert answer.status_code < 500 or asked[0].startswith(("/signin/", "/h5/signin/"))  # not set up here: 503
        assert "evil" not in answer.headers.get("Location", "").partition("?")[0]
        text_of(answer)

    ask()


# Every place where a number is read out of an address or a form by ourselves.
NUMBERS = ["²", "٣", str(2**63), "9" * 5_000]
READ = [
    ("admin:campaigns_broadcast_chats", "page"), ("admin:base_work_changelist", "broadcast"),
    ("admin:campaigns_welcome_changelist", "rule"), ("admin:wecom_apicall_changelist", "errcode"),
    ("console:tasks", "broadcast"), ("console:tasks", "page"), ("dashboards:overview", "department"),
]  # fmt: skip


def test_no_number_breaks_anything(alice: User) -> None:
    client = console_of(alice)
    post, broadcast = HandPost.objects.latest("pk"), Broadcast.objects.latest("pk")
    asked = [(reverse(name), key) for name, key in READ]
    asked.append((reverse("admin:campaigns_handpost_change", args=[post.pk]), "owner"))
    sent = [
        (reverse("console:tasks-remind"), "dispatch", 302),
        (reverse("admin:campaigns_broadcast_remind", args=[broadcast.pk]), "dispatch", 302),
        (reverse("admin:campaigns_broadcast_add"), "kept_chats", 200),
        (reverse("admin:campaigns_broadcast_add"), "chats", 200),
    ]
    for number in NUMBERS:
        for address, key in asked:
            assert client.get(address, {key: number}).status_code == 200, (address, key, number[:40])
        for address, key, status in sent:
            answer = client.post(address, {key: number, "aim": "kept" if key == "kept_chats" else "chats"})
            assert answer.status_code == status, (address, key, number[:40])


def test_bob_finds_nothing_of_another_department(bob: User) -> None:
    roles.give(bob, Role.MANAGER)
    client = console_of(bob)

    @FUZZ
    @given(questions())
    def ask(asked: tuple[str, dict[str, str]]) -> None:
        text, echoed = text_of(client.get(*asked)), json.dumps(asked, ensure_ascii=False)
        assert [word for word in FOREIGN if word in text and word not in echoed] == []

    ask()


def test_no_filter_of_a_list_breaks_it(alice: User) -> None:
    client = console_of(alice)
    for _model, page in LISTS:
        address = reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")
        specs = client.get(address).context["cl"].filter_specs
        days = [
            name for spec in specs for name in spec.expected_parameters() if name and name.endswith(("_from", "_to"))
        ]
        for day in days:
            assert client.get(address, {day: "9999-12-31"}).status_code == 200, (address, day)
        assert client.get(address, {"q": "a\x00b"}).status_code == 400, address
