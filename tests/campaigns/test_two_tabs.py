"""Two tabs with the same form: who saves second is told so, loses nothing of what was typed, and may then insist."""

import html
import re
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from campaigns.models import Broadcast, WelcomeRule
from contacts.models import Staff
from contacts.renaming import rename_staff
from scrm.base import roles
from scrm.base.console import editions
from scrm.base.models import AuditRecord, User
from scrm.base.roles import Role


@pytest.fixture
def console(alice: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(alice)
    return client


def seen(text: str) -> str:
    """The edition that a page carries."""
    found = re.search(r'<input type="hidden" name="seen" value="([^"]+)"', text)
    assert found is not None
    return html.unescape(found[1])


def refusals(answer: Any) -> list[str]:
    """Codes of what the page says against the form as a whole."""
    assert answer.status_code == 200
    return [error.code for error in answer.context["adminform"].form.errors.as_data().get("__all__", [])]


def test_of_a_draft(console: Client, befriend: Any, draft: Any, wanglei: Staff) -> None:
    befriend("wmA", wanglei)
    made = draft(["wmA"], text="九折")
    page = f"/admin/campaigns/broadcast/{made.pk}/edit/"
    first = second = seen(console.get(page).content.decode())
    form = {"name": made.name, "aim": "ids", "ids": "wmA", "text": "八折"}
    assert console.post(page, form | {"seen": first}).status_code == 302
    other = form | {"name": "我的名字", "text": "一折"}

    answer = console.post(page, other | {"seen": second})

    text = answer.content.decode()
    assert refusals(answer) == ["changed_meanwhile"]
    assert "我的名字" in text
    assert re.search(r">\s*一折\s*</textarea>", text)
    made.refresh_from_db()
    assert (made.name, made.text) == (form["name"], "八折")

    assert console.post(page, other | {"seen": seen(text)}).status_code == 302
    assert Broadcast.objects.get(pk=made.pk).text == "一折"


def test_of_a_welcome_rule_with_its_attachments(console: Client, db: None) -> None:
    rule = WelcomeRule.objects.get()
    page = f"/admin/campaigns/welcomerule/{rule.pk}/change/"
    edition = seen(console.get(page).content.decode())
    link = {"position": "0", "kind": "link", "title": "新人礼", "url": "https://example.com/gift"}
    counts = {"TOTAL_FORMS": "1", "INITIAL_FORMS": "0", "MIN_NUM_FORMS": "0", "MAX_NUM_FORMS": "9"}
    form = {"name": rule.name, "active": "on", "text": "您好", "seen": edition}
    form |= {f"attachments-{key}": value for key, value in counts.items()}
    mine = form | {"text": "欢迎"} | {f"attachments-0-{key}": value for key, value in link.items()}
    assert console.post(page, form | {"attachments-TOTAL_FORMS": "0"}).status_code == 302

    answer = console.post(page, mine)

    text = answer.content.decode()
    assert refusals(answer) == ["changed_meanwhile"]
    assert "https://example.com/gift" in text
    rule.refresh_from_db()
    assert (rule.text, rule.attachments.count()) == ("您好", 0)
    assert console.post(page, mine | {"seen": seen(text)}).status_code == 302
    rule.refresh_from_db()
    assert (rule.text, rule.attachments.count()) == ("欢迎", 1)


@pytest.mark.parametrize("edition", [{}, {"seen": ""}])
def test_a_form_without_its_edition_is_not_saved(console: Client, edition: dict[str, str], bob: User) -> None:
    """A script that does not read the page first would take back what it has not seen."""
    page = f"/admin/base/user/{bob.pk}/change/"
    form = {"username": "bob", "department_ids": ["2"], "is_active": "on", "role": Role.MANAGER, "last_name": "李"}
    before = roles.role_of(bob)

    answer = console.post(page, form | edition)

    assert refusals(answer) == ["edition_missing"]
    held = User.objects.get(pk=bob.pk)
    assert (roles.role_of(held), held.last_name) == (before, "")

    assert console.post(page, form | {"seen": seen(answer.content.decode())}).status_code == 302
    assert roles.role_of(User.objects.get(pk=bob.pk)) == Role.MANAGER


def test_a_right_that_was_taken_away_does_not_come_back_with_an_old_tab(console: Client, bob: User) -> None:
    page = f"/admin/base/user/{bob.pk}/change/"
    edition = seen(console.get(page).content.decode())
    form = {"username": "bob", "department_ids": ["2"], "is_active": "on", "seen": edition}
    assert console.post(page, form | {"role": Role.STAFF}).status_code == 302

    answer = console.post(page, form | {"role": Role.MANAGER, "last_name": "李"})

    assert refusals(answer) == ["changed_meanwhile"]
    bob.refresh_from_db()
    assert (bob.role, bob.last_name) == (Role.STAFF, "")


def test_a_login_in_between_is_no_change(console: Client, bob: User) -> None:
    page = f"/admin/base/user/{bob.pk}/change/"
    edition = seen(console.get(page).content.decode())
    bob.set_password("a long one that nobody knows")
    User.objects.filter(pk=bob.pk).update(password=bob.password)
    assert Client(headers={"host": "localhost"}).login(username="bob", password="a long one that nobody knows")

    form = {"username": "bob", "department_ids": ["2"], "is_active": "on", "seen": edition, "role": Role.OPERATOR}
    assert console.post(page, form | {"last_name": "李"}).status_code == 302
    assert roles.role_of(User.objects.get(pk=bob.pk)) == Role.OPERATOR


def test_the_edition_is_no_part_of_what_is_noted(console: Client, db: None) -> None:
    rule = WelcomeRule.objects.get()
    page = f"/admin/campaigns/welcomerule/{rule.pk}/change/"
    counts = {"TOTAL_FORMS": "0", "INITIAL_FORMS": "0", "MIN_NUM_FORMS": "0", "MAX_NUM_FORMS": "9"}
    form = {"name": rule.name, "active": "on", "text": "您好", "seen": seen(console.get(page).content.decode())}
    console.post(page, form | {f"attachments-{key}": value for key, value in counts.items()})

    (record,) = AuditRecord.objects.filter(deed="welcomerule.change")
    assert "seen" not in str(record.detail)


def test_a_rename_of_staff_is_another_edition_of_the_draft(draft: Any, wanglei: Staff) -> None:
    made = draft(chosen={"userids": ["wanglei"]})
    before = editions.edition(made)

    with transaction.atomic():
        rename_staff("wanglei", "wang.lei")

    made.refresh_from_db()
    assert made.audience == {"filter": {"userids": ["wang.lei"]}}
    assert editions.edition(made) > before
