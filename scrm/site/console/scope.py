"""How far a user sees, in words and figures."""

from typing import Any

from django.utils.translation import gettext as _

from contacts.models import Customer, Department, Staff
from scrm.base.console import formats
from scrm.base.models import User


def scope_line(user: User) -> str:
    """`Sees: 3 departments · 27 staff · 12,480 customers`, as `visible_to` counts them. A few queries."""
    if user.has_full_scope:
        return _("Sees the whole company: %(staff)s staff · %(customers)s customers") % _counts(user)
    return _("Sees: %(departments)s departments · %(staff)s staff · %(customers)s customers") % _counts(user)


def _counts(user: User) -> dict[str, str]:
    return {
        "departments": formats.number(Department.objects.visible_to(user).present().count()),
        "staff": formats.number(Staff.objects.visible_to(user).present().count()),
        "customers": formats.number(Customer.objects.visible_to(user).added().count()),
    }


def scope_of(user: User) -> dict[str, Any]:
    """What decides it, for the audit trail."""
    return {"departments": sorted(user.department_ids), "sees_all": user.sees_all, "staff": user.wecom_userid}


def gone(user: User) -> list[str]:
    """Departments of the user's scope that are no more: they open nothing. Names, or `#id` where none is known."""
    known = dict(Department.objects.filter(pk__in=user.department_ids).values_list("pk", "name"))
    present = set(Department.objects.present().filter(pk__in=user.department_ids).values_list("pk", flat=True))
    return [known.get(number, f"#{number}") for number in user.department_ids if number not in present]
