"""The audit trail: what is noted, who reads it, how it is found."""

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import translation

from scrm.base import audit
from scrm.base.console.audit_words import deed_words, detail_lines
from scrm.base.models import ApiToken, AuditRecord, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def console(alice: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(alice)
    return client


def shown(console: Client, query: str) -> list[str]:
    return [row.deed for row in console.get(f"/admin/base/auditrecord/?{query}").context["cl"].result_list]


def test_is_filtered_by_deed_person_and_day(console: Client, alice: User, bob: User) -> None:
    audit.record("user.role", user=alice, subject="bob", before=None, after="operator")
    audit.record("customer.export", user=bob, count=3)
    assert shown(console, "deed=user.role") == ["user.role"]
    assert shown(console, "who=bob") == ["customer.export"]
    assert shown(console, "who=bob&deed=user.role") == []
    assert shown(console, "at_from=2020-01-01&at_to=2020-01-02") == []
    assert shown(console, "q=bob") == ["customer.export", "user.role"]


@pytest.mark.parametrize("address", ["", "1/change/", "?deed=user.role"])
def test_is_read_by_administrators_only(address: str, bob: User) -> None:
    bob.user_permissions.add(*_all_permissions())
    client = Client(headers={"host": "localhost"})
    client.force_login(bob)
    assert client.get(f"/admin/base/auditrecord/{address}").status_code == 403


def _all_permissions() -> Any:
    from django.contrib.auth.models import Permission

    return Permission.objects.all()


def test_says_details_in_words(alice: User) -> None:
    before = {"departments": [2], "sees_all": False, "staff": ""}
    with translation.override("en"):
        assert detail_lines({"before": None, "after": "operator"}) == ["nothing → operator"]
        assert detail_lines({"before": before, "after": {**before, "departments": [2, 3], "sees_all": True}}) == [
            "departments 2, sees the whole company no, staff member nothing → "
            "departments 2、3, sees the whole company yes, staff member nothing"
        ]
        assert detail_lines({"count": 3, "unheard": "of"}) == ["count: 3", "unheard: of"]
        assert detail_lines({"changes": [{"changed": {"fields": ["Name"]}}]}) == ["Changed Name."]
        assert detail_lines({}) == []


def test_every_deed_that_the_code_names_has_words() -> None:
    """Read from the code, so that no deed is added without."""
    import re

    from tests.processes import ROOT

    places = [path for room in ("scrm", "contacts", "groups", "campaigns") for path in (ROOT / room).rglob("*.py")]
    code = "\n".join(path.read_text("utf-8") for path in places)
    named = set(re.findall(r'audit\.record\(\s*"([a-z._]+)"', code))
    assert {"callback.replay", "apitoken.add", "sync.start"} <= named
    assert named - set(deed_words()) == set()


def test_tokens_of_console_and_command_line_are_noted_without_their_text(
    console: Client, alice: User, bob: User
) -> None:
    console.post("/admin/base/apitoken/add/", {"user": bob.pk, "scope": "write"})
    call_command("apitoken", "bob", scope="read")
    notes = AuditRecord.objects.filter(deed="apitoken.add").order_by("pk")
    hints = [str(token) for token in ApiToken.objects.order_by("pk")]
    assert [(row.username, row.subject, row.detail) for row in notes] == [
        ("alice", hints[0], {"of": "bob", "scope": "write"}),
        ("", hints[1], {"of": "bob", "scope": "read"}),
    ]
    assert all(len(hint) == len("scrm_12345…") for hint in hints)
