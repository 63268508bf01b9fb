"""Roles: Django groups of fixed names. A user has one, or none and then sees a page that says whom to ask."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from django.contrib.auth.models import Group, Permission
from django.db import models, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from scrm.base.models import User

EXPORT = "base.export"  # take personal data out as a file
REVEAL = "base.reveal"  # read what is masked


_RIGHT_WORDS = {EXPORT: _("export personal data"), REVEAL: _("reveal masked personal data")}


class Role(models.TextChoices):
    """From most to least. The values are the names of the groups."""

    ADMINISTRATOR = "administrator", _("administrator")
    MANAGER = "manager", _("manager")
    OPERATOR = "operator", _("operator")
    STAFF = "staff", _("staff")


def role_of(user: "User") -> Role | None:
    """The user's role; superusers are administrators. One query unless the groups were fetched before."""
    if user.is_superuser:
        return Role.ADMINISTRATOR
    names = {group.name for group in user.groups.all()}
    return next((role for role in Role if role in names and role is not Role.ADMINISTRATOR), None)


@transaction.atomic
def give(user: "User", role: Role | None) -> None:
    """Makes `role` the user's only one. Administrators are superusers and nobody else is; who has a role may log in."""
    user.is_superuser = role is Role.ADMINISTRATOR
    user.is_staff = user.is_staff or role is not None
    user.save(update_fields=["is_superuser", "is_staff"])
    user.groups.remove(*Group.objects.filter(name__in=Role.values))
    if role is not None:
        user.groups.add(Group.objects.get(name=role))


def holders() -> "models.QuerySet[User]":
    """Users with a role."""
    from scrm.base.models import User

    given = models.Q(groups__name__in=[role for role in Role if role is not Role.ADMINISTRATOR])
    return User.objects.filter(given | models.Q(is_superuser=True))


def refusal(right: str) -> str:
    """Why somebody without `right` is refused, and whom to ask."""
    word = _RIGHT_WORDS.get(right)
    if word is None:
        return gettext("Your role does not allow this. An administrator gives roles: 系统设置 > 用户.")
    return gettext("This needs the right “%(right)s”. An administrator gives it: 系统设置 > 用户.") % {"right": word}


def administrators() -> "models.QuerySet[User]":
    """Those who can still log in and give roles."""
    from scrm.base.models import User

    return User.objects.filter(is_superuser=True, is_active=True, is_staff=True)


def is_last_administrator(user: "User") -> bool:
    """Whether nobody could give roles without `user`. Within a transaction: two who step down at once wait for each other."""
    return [row.pk for row in administrators().select_for_update().order_by("pk")] == [user.pk]


@transaction.atomic
def sync(table: Mapping[Role, Iterable[str]]) -> None:
    """Gives each role exactly the permissions that its patterns name (see scrm.site.rights). May run at any time.

    When the roles are made for the first time, users who could log in before keep what they had: those with a right to
    write are made operators, the others staff.
    """
    known = list(Permission.objects.select_related("content_type"))
    first = not Group.objects.filter(name__in=Role.values).exists()
    for role in Role:
        group, _made = Group.objects.get_or_create(name=role)
        group.permissions.set(
            row for row in known if matches(f"{row.content_type.app_label}.{row.codename}", table[role])
        )
    if first:
        _keep_the_access_of_before()


def matches(permission: str, patterns: Iterable[str]) -> bool:
    """Whether a pattern names `app.codename`; a pattern that begins with `-` takes it away again. No pattern: no right."""
    patterns = list(patterns)
    taken = any(fnmatchcase(permission, pattern[1:]) for pattern in patterns if pattern.startswith("-"))
    return not taken and any(fnmatchcase(permission, pattern) for pattern in patterns)


def _keep_the_access_of_before() -> None:
    from scrm.base.models import User

    for user in User.objects.filter(is_staff=True, groups__isnull=True):
        wrote = user.user_permissions.exists()
        give(user, Role.ADMINISTRATOR if user.is_superuser else Role.OPERATOR if wrote else Role.STAFF)
