"""The form of a user: role, staff member, departments; what it says of the scope, refuses and notes."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext as _

from contacts.models import Customer, Department, Follow, Staff
from groups.models import GroupChat
from scrm.base import clock, roles
from scrm.base.console.editions import edition
from scrm.base.models import AuditRecord, User
from scrm.base.roles import Role
from scrm.site.console.scope import scope_line
from tests.site import world


@pytest.fixture(autouse=True)
def rows(wanglei: Staff, zhaomin: Staff, alice: User, moment: dt.datetime) -> None:
    world.build(wanglei, zhaomin, alice, moment)


@pytest.fixture
def console(alice: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(alice)
    return client


def form_of(user: User, **changed: Any) -> dict[str, Any]:
    """What the browser sends when nothing is changed, and what was changed; None: an empty box."""
    data = {
        "username": user.username, "role": user.role or "", "wecom_userid": user.wecom_userid,
        "department_ids": user.department_ids, "is_active": "on" if user.is_active else None,
        "sees_all": "on" if user.sees_all else None, "seen": edition(User.objects.get(pk=user.pk)), **changed,
    }  # fmt: skip
    return {name: value for name, value in data.items() if value is not None}


def save(console: Client, user: User, **changed: Any) -> Any:
    return console.post(f"/admin/base/user/{user.pk}/change/", form_of(user, **changed))


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return {name: [str(error) for error in found] for name, found in answer.context["adminform"].form.errors.items()}


def notes() -> list[tuple[str, Any, Any]]:
    found = AuditRecord.objects.filter(deed__in=["user.role", "user.scope", "user.rights", "user.active"])
    return [(row.deed, row.detail["before"], row.detail["after"]) for row in found.order_by("pk")]


def test_says_whether_there_is_a_password_and_nothing_of_how_it_is_kept(console: Client, bob: User) -> None:
    bob.set_password("a-Long-pass-phrase-9")
    bob.save()
    page = console.get(f"/admin/base/user/{bob.pk}/change/").content.decode()
    digest = bob.password.rpartition("$")[2]
    assert digest[:6] not in page and "****" not in page
    assert str(_("Set a new password")) in page and 'href="../password/"' in page

    bob.set_unusable_password()
    bob.save()
    page = console.get(f"/admin/base/user/{bob.pk}/change/").content.decode()
    assert str(_("None: logs in with WeCom only.")) in page and bob.password not in page


def test_saving_unchanged_notes_nothing(console: Client, bob: User) -> None:
    assert save(console, bob).status_code == 302
    assert notes() == []
    assert (User.objects.get(pk=bob.pk).role, User.objects.get(pk=bob.pk).department_ids) == (Role.OPERATOR, [2])


def test_gives_a_role_and_notes_it(console: Client, frank: User) -> None:
    assert save(console, frank, role="manager").status_code == 302
    assert User.objects.get(pk=frank.pk).role is Role.MANAGER
    assert notes() == [("user.role", None, "manager")]
    note = AuditRecord.objects.get(deed="user.role")
    assert (note.username, note.subject, note.address) == ("alice", "frank", "127.0.0.1")


def test_refuses_a_role_that_does_not_exist(console: Client, frank: User) -> None:
    assert list(errors(save(console, frank, role="emperor"))) == ["role"]
    assert User.objects.get(pk=frank.pk).role is None


def test_changes_the_scope_and_notes_it(console: Client, bob: User) -> None:
    save(console, bob, department_ids=["3"], wecom_userid="wanglei")
    before = {"departments": [2], "sees_all": False, "staff": ""}
    assert notes() == [("user.scope", before, {"departments": [3], "sees_all": False, "staff": "wanglei"})]


def test_gives_rights_beside_the_role_and_notes_them(console: Client, bob: User) -> None:
    reveal = Permission.objects.get(content_type__app_label="base", codename="reveal")
    save(console, bob, user_permissions=[reveal.pk])
    assert User.objects.get(pk=bob.pk).has_perm("base.reveal") is True
    assert User.objects.get(pk=bob.pk).has_perm("base.export") is False
    assert notes() == [("user.rights", [], ["base.reveal"])]


def test_gives_no_right_that_is_not_offered(console: Client, bob: User) -> None:
    deletion = Permission.objects.get(codename="delete_customer")
    assert list(errors(save(console, bob, user_permissions=[deletion.pk]))) == ["user_permissions"]


def test_switches_an_account_off(console: Client, bob: User) -> None:
    own = Client(headers={"host": "localhost"})
    own.force_login(bob)
    assert own.get("/admin/").status_code == 200
    save(console, bob, is_active=None)
    assert own.get("/admin/").status_code == 302
    assert notes() == [("user.active", True, False)]


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"role": "operator"}, "role"), ({"role": ""}, "role"), ({"is_active": None}, "is_active")],
)
def test_the_last_administrator_stays(console: Client, alice: User, changed: dict[str, Any], field: str) -> None:
    User.objects.create_superuser("asleep", is_active=False)
    assert list(errors(save(console, alice, **changed))) == [field]
    assert list(roles.administrators()) == [alice]
    assert notes() == []


def test_one_of_two_administrators_may_step_down(console: Client, alice: User, bob: User) -> None:
    roles.give(bob, Role.ADMINISTRATOR)
    assert save(console, alice, role="operator").status_code == 302
    assert list(roles.administrators()) == [bob]
    assert console.get("/admin/base/user/").status_code == 403


def test_two_users_are_not_the_same_staff_member(console: Client, bob: User, charlie: User) -> None:
    User.objects.filter(pk=charlie.pk).update(wecom_userid="wanglei")
    assert list(errors(save(console, bob, wecom_userid="wanglei"))) == ["wecom_userid"]


def test_a_link_to_somebody_who_left_is_kept(console: Client, bob: User) -> None:
    Staff.objects.filter(userid="wanglei").update(left_at=clock.now())
    User.objects.filter(pk=bob.pk).update(wecom_userid="wanglei")
    bob.refresh_from_db()
    assert save(console, bob).status_code == 302
    assert list(errors(save(console, bob, wecom_userid="nobody-of-ours"))) == ["wecom_userid"]


# --- scope -------------------------------------------------------------------------------------------------------------
def test_the_scope_is_said_in_figures_as_the_lists_have_them(
    console: Client, bob: User, charlie: User, alice: User
) -> None:
    with translation.override("en"):
        assert scope_line(bob) == "Sees: 1 departments · 1 staff · 2 customers"
        assert scope_line(charlie) == "Sees: 0 departments · 0 staff · 0 customers"
        assert scope_line(alice) == "Sees the whole company: 2 staff · 4 customers"
        User.objects.filter(pk=charlie.pk).update(wecom_userid="zhaomin")
        assert scope_line(User.objects.get(pk=charlie.pk)) == "Sees: 0 departments · 1 staff · 2 customers"
    assert str(scope_line(bob)) in console.get(f"/admin/base/user/{bob.pk}/change/").content.decode()


def test_who_loses_the_last_department_sees_nothing_and_the_form_says_why(console: Client, bob: User) -> None:
    Department.objects.filter(pk=2).update(deleted_at=clock.now())

    for model in (Department, Staff, Customer, Follow, GroupChat):
        assert list(model.objects.visible_to(bob)) == [], model
    form = console.get(f"/admin/base/user/{bob.pk}/change/").context["adminform"].form
    assert "销售" in str(form.fields["department_ids"].help_text)
    assert [number for number, _name in form.fields["department_ids"].choices] == [1, 3]


def test_a_department_of_two_is_deleted_and_the_other_stays(bob: User, wanglei: Staff, zhaomin: Staff) -> None:
    bob.department_ids = [2, 3]
    Department.objects.filter(pk=2).update(deleted_at=clock.now())
    assert list(Staff.objects.visible_to(bob)) == [zhaomin]


def test_a_deleted_department_is_still_part_of_the_one_above(bob: User, wanglei: Staff, zhaomin: Staff) -> None:
    """Whose members left while it was there: the manager above keeps their history."""
    bob.department_ids = [1]
    Department.objects.filter(pk=2).update(deleted_at=clock.now())
    assert set(Staff.objects.visible_to(bob)) == {wanglei, zhaomin}


def test_a_department_that_never_was_opens_nothing(bob: User) -> None:
    bob.department_ids = [99]
    assert list(Customer.objects.visible_to(bob)) == []


def test_users_are_filtered_by_role(console: Client, alice: User, bob: User, frank: User) -> None:
    def shown(role: str) -> list[str]:
        return [user.username for user in console.get(f"/admin/base/user/?role={role}").context["cl"].queryset]

    assert [shown("administrator"), shown("operator"), shown("manager"), shown("-")] == [
        ["alice"],
        ["bob"],
        [],
        ["frank"],
    ]
