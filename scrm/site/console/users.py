"""Users of the console: their roles, and what they may see. Departments come from the address book."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin import display
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.models import Department
from scrm.base import audit, roles
from scrm.base.console import formats
from scrm.base.console.pages import ConsolePage
from scrm.base.console.unfold import DropdownFilter
from scrm.base.console.who import user_of
from scrm.base.models import User
from scrm.base.roles import Role
from scrm.site.console.scope import scope_line, scope_of
from scrm.site.console.user_form import UserForm

if TYPE_CHECKING:
    from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm
    from django.forms import CheckboxSelectMultiple as Boxes
else:
    from unfold.forms import AdminPasswordChangeForm
    from unfold.forms import UserCreationForm as AdminUserCreationForm
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as Boxes

admin.site.unregister(Group) if admin.site.is_registered(Group) else None

_ROLE_KIND = {Role.ADMINISTRATOR: "pri", None: "warn"}


class RoleFilter(DropdownFilter):
    """Users of one role (`?role=operator`; `-`: without one)."""

    title = gettext_lazy("role")
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*Role.choices, ("-", gettext_lazy("none yet"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen == "-":
            return queryset.exclude(pk__in=roles.holders().values("pk"))
        if chosen == Role.ADMINISTRATOR:
            return queryset.filter(is_superuser=True)
        return queryset.filter(is_superuser=False, groups__name=chosen) if chosen else queryset


@admin.register(User)
class UserPage(ConsolePage, UserAdmin):  # type: ignore[type-arg]
    """Who logs in, as what, and which part of the company they see."""

    changeable = True
    form = UserForm
    add_form = AdminUserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("login", "full_name", "role_now", "scope", "standing", "last_seen")
    list_filter = (RoleFilter,)
    search_fields = ("username", "last_name", "first_name", "wecom_userid")
    search_help_text = gettext_lazy("User name or name")
    ordering = ("username",)
    filter_horizontal = ()
    actions = None
    readonly_fields = ("last_seen", "scope")
    fieldsets = (
        (None, {"fields": ("username", "password", "last_name", "first_name", "is_active", "last_seen")}),
        (gettext_lazy("Role"), {"fields": ("role", "user_permissions")}),
        (gettext_lazy("Data scope"), {"fields": ("wecom_userid", "department_ids", "sees_all", "scope")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("username", "password1", "password2")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("groups")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        words = {"username": _("For logging in: letters, digits and @ . + - _")}
        if obj is not None:
            kwargs.setdefault("labels", {"user_permissions": _("may also")})
            words["user_permissions"] = _("Beside what the role allows.")
            words["is_active"] = _("Off: may no longer log in. Better than deleting: what the user did keeps its name.")
        kwargs.setdefault("help_texts", words)
        return super().get_form(request, obj, change=change, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user_permissions":
            kwargs["widget"] = Boxes()
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.is_staff = True
        form.before = _standing(User.objects.get(pk=obj.pk)) if change else {}
        super().save_model(request, obj, form, change)
        if change:
            roles.give(obj, Role(form.cleaned_data["role"]) if form.cleaned_data["role"] else None)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        after = _standing(User.objects.get(pk=form.instance.pk))
        for deed, was in form.before.items():
            if was != after[deed]:
                audit.record(
                    deed, user=user_of(request), subject=form.instance.get_username(), request=request,
                    before=was, after=after[deed],
                )  # fmt: skip

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
    def role_now(self, row: Any) -> SafeString:
        return formats.tag(row.role.label if row.role else _("none yet"), _ROLE_KIND.get(row.role, ""))

    @display(description=gettext_lazy("effective scope"))
    def scope(self, row: Any) -> str:
        if row.pk is None:
            return formats.NONE
        names = getattr(row, "department_names", None)
        if names is None:  # not in the list, where counting would be a few queries a row
            return scope_line(row)
        if row.has_full_scope:
            return _("the whole company")
        return "、".join([*names, *([row.wecom_userid] if row.wecom_userid else [])]) or _("nothing")

    @display(description=gettext_lazy("status"), ordering="is_active")
    def standing(self, row: Any) -> SafeString:
        return formats.tag(_("active"), "ok") if row.is_active else formats.tag(_("disabled"))

    @display(description=gettext_lazy("last login"), ordering="last_login")
    def last_seen(self, row: Any) -> SafeString:
        return formats.ago(row.last_login, real=True)


def _standing(user: User) -> dict[str, Any]:
    """What the audit trail notes when it changes: deed → value."""
    rights = user.user_permissions.values_list("content_type__app_label", "codename")
    return {
        "user.role": user.role.value if user.role else None,
        "user.scope": scope_of(user),
        "user.rights": sorted(f"{app}.{code}" for app, code in rights),
        "user.active": user.is_active,
    }
