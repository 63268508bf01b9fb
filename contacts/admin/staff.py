"""Staff and departments: the address book as WeCom has it."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.models import Department, Follow, Staff
from scrm.base.console import formats
from scrm.base.console.pages import ConsolePage, Text


@admin.register(Staff)
class StaffPage(ConsolePage):
    """Members of the corp."""

    open_to_staff = True
    views: Sequence[tuple[str, Text]] = (
        ("serving", gettext_lazy("Serving customers")),
        ("others", gettext_lazy("Others")),
        ("left", gettext_lazy("Left the company")),
    )
    list_display: tuple[str, ...] = (
        "person",
        "userid",
        "department_names",
        "position",
        "status_now",
        "count_customers",
    )
    search_fields = ("name", "userid", "alias")
    search_help_text = gettext_lazy("Name or userid")
    ordering = ("left_at", "name", "pk")
    fieldsets = (
        (None, {"fields": ("person", "userid", "alias", "position", "department_names", "status_now")}),
        (None, {"fields": ("serves_customers", "is_persona", "left_on", "count_customers")}),
    )
    readonly_fields = ("person", "department_names", "status_now", "left_on", "count_customers")
    nothing_yet = gettext_lazy("Staff appear here after the first full sync.")

    def view_queryset(self, request: HttpRequest, rows: QuerySet[Any], view: str) -> QuerySet[Any]:
        views = {
            "serving": Q(left_at__isnull=True, serves_customers=True),
            "others": Q(left_at__isnull=True, serves_customers=False),
            "left": Q(left_at__isnull=False),
        }
        return rows.filter(views.get(view, Q(pk__in=[])))

    def prepare(self, request: HttpRequest, rows: list[Any]) -> None:
        names = department_names(number for row in rows for number in row.department_ids)
        open_periods = Follow.objects.open().filter(staff__in=rows).values_list("staff")
        counts = dict(open_periods.annotate(Count("pk")))
        for row in rows:
            row.departments = [names[number] for number in row.department_ids if number in names]
            row.customers = counts.get(row.pk, 0)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is not None:
            self.prepare(request, [found])
        return found

    @display(description=gettext_lazy("name"), ordering="name")
    def person(self, row: Any) -> str:
        return str(row)

    @display(description=gettext_lazy("departments"))
    def department_names(self, row: Any) -> str:
        return "、".join(row.departments) or formats.NONE

    @display(description=gettext_lazy("status"), ordering="status")
    def status_now(self, row: Any) -> SafeString:
        if row.left_at:
            return formats.tag(Staff.Status.LEFT.label)
        kind = "ok" if row.status == Staff.Status.ACTIVE else "warn"
        words = {
            Staff.Status.ACTIVE: _("at work"),
            Staff.Status.DISABLED: _("disabled"),
            Staff.Status.NOT_ACTIVATED: _("not activated"),
            Staff.Status.LEFT: _("left"),
        }
        return formats.tag(words.get(row.status, str(row.status)), kind)

    @display(description=gettext_lazy("left the company"))
    def left_on(self, row: Any) -> str:
        return formats.moment(row.left_at)

    @display(description=gettext_lazy("customers now"))
    def count_customers(self, row: Any) -> SafeString:
        return formats.figure(row.customers, f"{_customers()}?staff={row.userid}")


@admin.register(Department)
class DepartmentPage(ConsolePage):
    """Departments of the address book."""

    open_to_staff = True
    list_display = ("name", "above", "count_staff")
    search_fields = ("name",)
    search_help_text = gettext_lazy("Name")
    ordering = ("path",)
    fields = ("name", "above", "count_staff")
    readonly_fields = ("above", "count_staff")
    nothing_yet = gettext_lazy("Departments appear here after the first full sync.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).present()  # type: ignore[attr-defined, no-any-return]

    def prepare(self, request: HttpRequest, rows: list[Any]) -> None:
        names = department_names(number for row in rows for number in row.path)
        present = Staff.objects.present().filter(department_ids__overlap=[row.pk for row in rows])
        members = list(present.values_list("department_ids", flat=True))
        for row in rows:
            row.above_names = [names[number] for number in row.path if number != row.pk and number in names]
            row.members = sum(row.pk in numbers for numbers in members)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is not None:
            self.prepare(request, [found])
        return found

    @display(description=gettext_lazy("part of"))
    def above(self, row: Any) -> str:
        return " / ".join(row.above_names) or formats.NONE

    @display(description=gettext_lazy("staff"))
    def count_staff(self, row: Any) -> SafeString:
        return formats.figure(row.members)


def department_names(numbers: Any) -> dict[int, str]:
    """Names of the departments with these ids."""
    return dict(Department.objects.filter(pk__in=set(numbers)).values_list("pk", "name"))


def _customers() -> str:
    return reverse("admin:contacts_customer_changelist")
