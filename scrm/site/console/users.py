"""Users of the console and what they may see: departments come from the address book."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.admin import display
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, Permission
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.models import Department, Staff
from scrm.base.console import formats
from scrm.base.console.pages import ConsolePage
from scrm.base.models import User

if TYPE_CHECKING:
    from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
    from django.forms import CheckboxSelectMultiple as Boxes
else:
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm
    from unfold.forms import UserCreationForm as AdminUserCreationForm
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as Boxes

# What a user of the console may change besides seeing it, in the words of the form.
PERMISSIONS = (
    "contacts.add_channel", "contacts.change_channel", "campaigns.add_welcomerule", "campaigns.change_welcomerule",
)  # fmt: skip


class UserForm(UserChangeForm):  # type: ignore[type-arg]
    """A user with departments chosen by name."""

    department_ids = forms.TypedMultipleChoiceField(
        label=gettext_lazy("departments in scope"), required=False, coerce=int, empty_value=[],
        widget=Boxes, help_text=gettext_lazy("Sub-departments are included. Without any, the user sees nothing of customers."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get("department_ids")
        if isinstance(field, forms.TypedMultipleChoiceField):
            rows = Department.objects.present().order_by("path")
            field.choices = [(row.pk, "　" * (len(row.path) - 1) + row.name) for row in rows]
        if "user_permissions" in self.fields:
            codes = [code.partition(".")[2] for code in PERMISSIONS]
            rights = Permission.objects.filter(codename__in=codes).select_related("content_type")
            chosen: Any = self.fields["user_permissions"]
            chosen.queryset = rights
            chosen.label_from_instance = right_word


def right_word(permission: Permission) -> str:
    """A right in words."""
    words = {
        "add_channel": _("enter channels"),
        "change_channel": _("change channels"),
        "add_welcomerule": _("write welcome rules"),
        "change_welcomerule": _("change welcome rules"),
    }
    return words.get(permission.codename, permission.name)


admin.site.unregister(Group) if admin.site.is_registered(Group) else None


@admin.register(User)
class UserPage(ConsolePage, UserAdmin):  # type: ignore[type-arg]
    """Who logs in, and which part of the company they see."""

    changeable = True
    form = UserForm
    add_form = AdminUserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("login", "full_name", "role", "scope", "standing", "last_seen")
    list_filter = ()
    search_fields = ("username", "last_name", "first_name", "wecom_userid")
    search_help_text = gettext_lazy("User name or name")
    ordering = ("username",)
    filter_horizontal = ()
    actions = None
    readonly_fields = ("last_seen", "scope")
    fieldsets = (
        (None, {"fields": ("username", "password", "last_name", "first_name", "wecom_userid")}),
        (gettext_lazy("Data scope"), {"fields": ("department_ids", "sees_all", "scope")}),
        (
            gettext_lazy("Rights"),
            {"fields": ("is_active", "is_staff", "is_superuser", "user_permissions", "last_seen")},
        ),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("username", "password1", "password2")}),)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            kwargs.setdefault(
                "labels",
                {
                    "is_staff": _("may log in to the console"),
                    "is_superuser": _("administrator"),
                    "user_permissions": _("may also"),
                },
            )
            kwargs.setdefault(
                "help_texts",
                {
                    "is_superuser": _("Sees and may do everything, in all departments."),
                    "is_staff": "",
                    "user_permissions": "",
                },
            )
        return super().get_form(request, obj, change=change, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user_permissions":
            kwargs["widget"] = Boxes()
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.is_staff = True
        super().save_model(request, obj, form, change)

    def prepare(self, request: HttpRequest, rows: list[Any]) -> None:
        numbers = {number for row in rows for number in row.department_ids}
        names = dict(Department.objects.present().filter(pk__in=numbers).values_list("pk", "name"))
        for row in rows:
            row.department_names = [names[number] for number in row.department_ids if number in names]

    @display(description=gettext_lazy("user name"), ordering="username")
    def login(self, row: Any) -> str:
        return str(row.username)

    @display(description=gettext_lazy("name"))
    def full_name(self, row: Any) -> str:
        return row.get_full_name() or formats.NONE

    @display(description=gettext_lazy("role"))
    def role(self, row: Any) -> SafeString:
        if row.is_superuser:
            return formats.tag(_("administrator"), "pri")
        return formats.tag(_("operator")) if row.is_staff else formats.tag(_("no access to the console"))

    @display(description=gettext_lazy("effective scope"))
    def scope(self, row: Any) -> str:
        if row.pk is None:
            return formats.NONE
        if row.has_full_scope:
            return _("the whole company")
        names = getattr(row, "department_names", None)
        if names is not None:  # in the list, where counting would be a query a row
            return "、".join(names) or _("nothing")
        departments = Department.objects.present().filter(pk__in=row.department_ids).values_list("name", flat=True)
        seen = "、".join(departments) or _("nothing")
        return _("%(departments)s: %(n)d members of staff") % {
            "departments": seen,
            "n": Staff.objects.visible_to(row).present().count(),
        }

    @display(description=gettext_lazy("status"), ordering="is_active")
    def standing(self, row: Any) -> SafeString:
        return formats.tag(_("active"), "ok") if row.is_active else formats.tag(_("disabled"))

    @display(description=gettext_lazy("last login"), ordering="last_login")
    def last_seen(self, row: Any) -> SafeString:
        return formats.ago(row.last_login, real=True)
