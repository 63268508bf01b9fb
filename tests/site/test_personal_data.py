"""Exporting and revealing are rights of their own: asked, noted, refused with a sentence."""

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from contacts.models import Customer, Follow, Staff
from scrm.base.masking import masked
from scrm.base.models import AuditRecord, User
from tests.site import world

PHONE = "13812345678"
EXPORT = "/admin/contacts/customer/export/"


@pytest.fixture(autouse=True)
def rows(wanglei: Staff, zhaomin: Staff, alice: User, moment: dt.datetime) -> None:
    world.build(wanglei, zhaomin, alice, moment)
    Follow.objects.update(remark=f"杭州 {PHONE}")


def client_of(user: User, *rights: str) -> Client:
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="base", codename__in=rights))
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client


def lines(answer: Any) -> list[list[str]]:
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(answer.streaming_content).decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:])))


def notes(deed: str) -> list[tuple[str, str, dict[str, Any]]]:
    return [(row.username, row.subject, row.detail) for row in AuditRecord.objects.filter(deed=deed).order_by("pk")]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("小林 13812345678", "小林 138****5678"),
        ("138 1234 5678", "138****5678"),
        ("138-1234-5678", "138****5678"),
        ("电话0571-8765432", "电话057****5432"),
        ("QQ 1234567", "QQ 12****67"),
        ("330106199001011234", "330****1234"),
        ("买了2件, 300元, 3月8日", "买了2件, 300元, 3月8日"),
        ("", ""),
    ],
)
def test_numbers_in_free_text_are_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


# --- export ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("rights", [[], ["reveal"]])
def test_seeing_a_list_is_no_right_to_take_it_away(bob: User, rights: list[str]) -> None:
    client = client_of(bob, *rights)
    assert "export/" not in client.get("/admin/contacts/customer/").content.decode()

    refused = client.post(EXPORT)

    assert (refused.status_code, refused.templates[0].name) == (403, "403.html")
    assert "系统设置 &gt; 用户" in refused.content.decode()
    assert notes("customer.export") == []


def test_an_export_holds_the_own_scope_masked_and_is_noted(bob: User) -> None:
    client = client_of(bob, "export")
    assert "export/" in client.get("/admin/contacts/customer/").content.decode()

    head, *rest = lines(client.post(f"{EXPORT}?staff=wanglei"))

    assert head[0] == "external_userid"
    assert sorted(row[0] for row in rest) == ["wmwanglei0", "wmwanglei1"]
    assert {row[5] for row in rest} == {"杭州 138****5678"}
    assert notes("customer.export") == [("bob", "客户", {"count": 2, "filters": {"staff": "wanglei"}})]


def test_an_export_is_in_full_for_who_may_reveal(bob: User) -> None:
    _head, *rest = lines(client_of(bob, "export", "reveal").post(EXPORT))
    assert {row[5] for row in rest} == {f"杭州 {PHONE}"}


def test_an_export_by_a_link_takes_nothing_along(bob: User) -> None:
    assert client_of(bob, "export").get(EXPORT).status_code == 302
    assert notes("customer.export") == []


def test_a_filter_by_somebody_else_s_staff_exports_nobody(bob: User) -> None:
    assert lines(client_of(bob, "export").post(f"{EXPORT}?staff=zhaomin"))[1:] == []


def test_a_name_that_is_a_formula_is_none_in_the_file(alice: User) -> None:
    Customer.objects.filter(external_userid="wmwanglei0").update(name="=HYPERLINK(1)")
    names = {row[0]: row[1] for row in lines(client_of(alice).post(EXPORT))[1:]}
    assert names["wmwanglei0"] == "'=HYPERLINK(1)"


# --- reveal ------------------------------------------------------------------------------------------------------------
def address(external_userid: str, deed: str = "change") -> str:
    return f"/admin/contacts/customer/{Customer.objects.get(external_userid=external_userid).pk}/{deed}/"


def test_numbers_are_masked_whoever_looks(bob: User, alice: User) -> None:
    for client in (client_of(bob), client_of(alice)):
        text = client.get(address("wmwanglei0")).content.decode()
        assert "138****5678" in text and PHONE not in text


def test_revealing_is_noted(bob: User) -> None:
    client = client_of(bob, "reveal")
    assert address("wmwanglei0", "reveal") in client.get(address("wmwanglei0")).content.decode()

    text = client.post(address("wmwanglei0", "reveal")).content.decode()

    assert PHONE in text
    assert notes("customer.reveal") == [("bob", "wmwanglei0", {})]
    assert PHONE not in client.get(address("wmwanglei0")).content.decode()


@pytest.mark.parametrize("rights", [[], ["export"]])
def test_without_the_right_nothing_is_revealed(bob: User, rights: list[str]) -> None:
    client = client_of(bob, *rights)
    assert address("wmwanglei0", "reveal") not in client.get(address("wmwanglei0")).content.decode()
    refused = client.post(address("wmwanglei0", "reveal"))
    assert refused.status_code == 403
    assert PHONE not in refused.content.decode() and "系统设置 &gt; 用户" in refused.content.decode()
    assert notes("customer.reveal") == []


def test_nobody_of_another_department_is_revealed(bob: User) -> None:
    answer = client_of(bob, "reveal").post(address("wmzhaomin0", "reveal"))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")
    assert notes("customer.reveal") == []
