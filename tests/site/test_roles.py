"""Roles: groups in step with the table, and what a role, or none, opens."""

import itertools
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from scrm.base import roles
from scrm.base.models import User
from scrm.base.roles import Role
from scrm.site.rights import RIGHTS

pytestmark = pytest.mark.django_db


def rights_of(role: Role) -> set[str]:
    return {
        f"{row.content_type.app_label}.{row.codename}"
        for row in Group.objects.get(name=role).permissions.select_related("content_type")
    }


def client_of(user: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client


def test_every_role_is_a_group_after_migrating() -> None:
    assert set(Group.objects.values_list("name", flat=True)) == {"administrator", "manager", "operator", "staff"}
    assert rights_of(Role.ADMINISTRATOR) == {
        f"{row.content_type.app_label}.{row.codename}" for row in Permission.objects.select_related("content_type")
    }


def test_each_role_holds_what_the_next_holds() -> None:
    held = [rights_of(role) for role in Role]
    assert all(more > less for more, less in itertools.pairwise(held))


def test_staff_only_look() -> None:
    assert rights_of(Role.STAFF) > {"contacts.view_customer", "groups.view_groupchat", "campaigns.view_welcome"}
    assert {right.partition(".")[2].partition("_")[0] for right in rights_of(Role.STAFF)} == {"view"}


def test_personal_data_and_approval_are_for_managers() -> None:
    apart = {"base.export", "base.reveal", "campaigns.approve_broadcast"}
    assert rights_of(Role.MANAGER) & apart == apart & rights_of(Role.ADMINISTRATOR) >= {"base.export", "base.reveal"}
    assert rights_of(Role.OPERATOR) & apart == set()


@pytest.mark.parametrize("role", [Role.MANAGER, Role.OPERATOR, Role.STAFF])
def test_nobody_but_administrators_reads_callbacks_users_or_the_audit_trail_or_deletes(role: Role) -> None:
    held = rights_of(role) - {"base.export", "base.reveal"}
    assert {right.partition(".")[0] for right in held} <= {"contacts", "groups", "campaigns", "analytics"}
    assert [right for right in held if ".delete_" in right] == []


@pytest.mark.parametrize(
    ("permission", "role", "granted"),
    [
        ("campaigns.view_broadcast", Role.STAFF, True),
        ("campaigns.change_broadcast", Role.STAFF, False),
        ("campaigns.change_broadcast", Role.OPERATOR, True),
        ("campaigns.delete_broadcast", Role.MANAGER, False),
        ("campaigns.approve_broadcast", Role.OPERATOR, False),
        ("campaigns.approve_broadcast", Role.MANAGER, True),
        ("campaigns.view_delivery", Role.STAFF, True),
        ("campaigns.change_delivery", Role.MANAGER, False),
        ("campaigns.add_dispatch", Role.MANAGER, False),
        ("orders.view_order", Role.MANAGER, False),
        ("orders.delete_order", Role.ADMINISTRATOR, True),
    ],
)
def test_a_model_that_is_to_come_has_its_rights_by_app_and_verb(permission: str, role: Role, granted: bool) -> None:
    assert roles.matches(permission, RIGHTS[role]) is granted


def test_migrating_again_mends_a_group_and_leaves_people_and_other_groups_alone(bob: User) -> None:
    other = Group.objects.create(name="night shift")
    bob.groups.add(other)
    operators = Group.objects.get(name="operator")
    before = rights_of(Role.OPERATOR)
    operators.permissions.set([Permission.objects.get(codename="delete_customer")])

    call_command("migrate", verbosity=0)

    assert rights_of(Role.OPERATOR) == before
    assert set(bob.groups.values_list("name", flat=True)) == {"operator", "night shift"}
    assert Group.objects.count() == 5


def test_who_could_log_in_before_there_were_roles_still_can(alice: User, frank: User) -> None:
    outsider = User.objects.create_user("outsider")
    writer = User.objects.create_user("writer", is_staff=True)
    writer.user_permissions.add(Permission.objects.get(codename="add_channel"))
    Group.objects.all().delete()

    roles.sync(RIGHTS)

    people = [User.objects.get(pk=user.pk) for user in (alice, frank, writer, outsider)]
    assert [user.role for user in people] == [Role.ADMINISTRATOR, Role.STAFF, Role.OPERATOR, None]
    roles.give(frank, None)
    roles.sync(RIGHTS)
    assert User.objects.get(pk=frank.pk).role is None  # only where roles are new


def test_a_user_has_one_role(bob: User) -> None:
    roles.give(bob, Role.ADMINISTRATOR)
    assert (bob.role, bob.is_superuser) == (Role.ADMINISTRATOR, True)
    roles.give(bob, Role.STAFF)
    again = User.objects.get(pk=bob.pk)
    assert (again.role, again.is_superuser, [group.name for group in again.groups.all()]) == (
        Role.STAFF,
        False,
        ["staff"],
    )


@pytest.mark.parametrize(
    "address",
    ["/admin/", "/admin/contacts/customer/", "/admin/base/user/", "/dashboards/", "/console/tasks/", "/connection/"],
)
def test_without_a_role_one_is_told_whom_to_ask(address: str, frank: User, alice: User) -> None:
    answer = client_of(frank).get(address)
    assert (answer.status_code, answer.templates[0].name) == (200, "console/roleless.html")
    assert answer.context["administrators"] == ["alice"]


def test_so_is_who_came_another_way_than_by_the_console_s_login() -> None:
    answer = client_of(User.objects.create_user("guest")).get("/admin/")
    assert answer.templates[0].name == "console/roleless.html"


def test_without_a_role_nothing_is_done_either(frank: User, alice: User) -> None:
    answer = client_of(frank).post(f"/admin/base/user/{alice.pk}/change/", {"username": "mallory"})
    assert answer.templates[0].name == "console/roleless.html"
    assert User.objects.filter(username="mallory").count() == 0


@pytest.mark.parametrize("name", ["password_change", "jsi18n"])
def test_without_a_role_the_own_password_can_be_changed(name: str, frank: User) -> None:
    answer = client_of(frank).get(reverse(f"admin:{name}"))
    assert "console/roleless.html" not in [template.name for template in answer.templates]
    assert answer.status_code == 200


def test_without_a_role_one_can_log_out(frank: User) -> None:
    client = client_of(frank)
    client.post("/admin/logout/")
    assert "_auth_user_id" not in client.session


def test_the_group_alone_makes_no_administrator(frank: User) -> None:
    frank.groups.add(Group.objects.get(name="administrator"))
    assert User.objects.get(pk=frank.pk).role is None
    assert client_of(frank).get("/admin/wecom/callback/").templates[0].name == "console/roleless.html"


def test_roles_open_what_the_table_says(bob: User, wanglei: Any) -> None:
    def statuses() -> list[int]:
        client = client_of(bob)
        return [
            client.get(f"/admin/{page}/").status_code
            for page in ("contacts/channel", "contacts/channel/add", "base/user")
        ]

    found = {}
    for role in (Role.STAFF, Role.OPERATOR, Role.MANAGER, Role.ADMINISTRATOR):
        roles.give(bob, role)
        found[role] = statuses()
    assert found == {
        Role.STAFF: [200, 403, 403],
        Role.OPERATOR: [200, 200, 403],
        Role.MANAGER: [200, 200, 403],
        Role.ADMINISTRATOR: [200, 200, 200],
    }
