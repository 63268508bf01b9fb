"""The form of a user: role, link to a staff member, departments, extra rights."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.hashers import is_password_usable
from django.contrib.auth.models import Permission
from django.db.models import Q
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.models import Department, Staff
from scrm.base import roles
from scrm.base.models import User
from scrm.base.roles import Role
from scrm.site.console.scope import gone
from scrm.site.rights import EXTRA

if TYPE_CHECKING:
    from django.contrib.auth.forms import UserChangeForm
    from django.forms import CheckboxSelectMultiple as Boxes
    from django.forms import Select
    from django.forms import Select as SearchedSelect
else:
    from unfold.forms import UserChangeForm
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as Boxes
    from unfold.widgets import UnfoldAdminSelect2Widget as SearchedSelect
    from unfold.widgets import UnfoldAdminSelectWidget as Select

_ROLES = gettext_lazy(
    "Staff look; operators also write channels, welcome rules and broadcasts; managers also approve, export and reveal; "
    "administrators may do everything, in all departments. Without a role one sees a page that says whom to ask."
)
_DEPARTMENTS = gettext_lazy("Sub-departments are included. Without any, the user sees nothing of customers.")
_OWN = gettext_lazy("The user sees this member's customers and group chats, whatever the departments say.")


class PasswordLine(forms.Widget):
    """Whether there is a password, and the way to set one. How it is kept is nobody's business here."""

    read_only = True

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        usable = bool(value) and is_password_usable(value)
        words = (
            _("There is one. It is kept so that nobody can read it.") if usable else _("None: logs in with WeCom only.")
        )
        deed = _("Set a new password") if usable else _("Set a password")
        return format_html(
            '<p>{} <a class="c-btn sm" style="margin-left:12px" href="../password/">{}</a></p>', words, deed
        )

    def id_for_label(self, id_: str) -> str:
        return ""


class UserForm(UserChangeForm):  # type: ignore[type-arg]
    """A user with role, staff member and departments chosen by name."""

    role = forms.ChoiceField(label=gettext_lazy("role"), required=False, widget=Select, help_text=_ROLES)
    wecom_userid = forms.ChoiceField(
        label=gettext_lazy("is the staff member"), required=False, widget=SearchedSelect, help_text=_OWN
    )
    department_ids = forms.TypedMultipleChoiceField(
        label=gettext_lazy("departments in scope"), required=False, coerce=int, empty_value=[], widget=Boxes,
        help_text=_DEPARTMENTS,
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].widget = PasswordLine()
        self.fields["password"].help_text = ""
        self.fields["role"].choices = [("", gettext_lazy("none yet")), *Role.choices]  # type: ignore[attr-defined]
        self.initial["role"] = self.instance.role or ""
        self.fields["wecom_userid"].choices = self._members()  # type: ignore[attr-defined]
        departments: Any = self.fields["department_ids"]
        rows = Department.objects.present().order_by("path")
        departments.choices = [(row.pk, "　" * (len(row.path) - 1) + row.name) for row in rows]
        if lost := gone(self.instance):
            departments.help_text = format_lazy("{} {}", _DEPARTMENTS, _deleted(lost))
        rights: Any = self.fields["user_permissions"]
        rights.queryset = extra_rights()
        rights.label_from_instance = right_word

    def _members(self) -> list[tuple[str, Any]]:
        linked = self.instance.wecom_userid
        rows = Staff.objects.filter(Q(left_at__isnull=True) | Q(userid=linked)).order_by("name", "userid")
        found = [(row.userid, f"{row} ({row.userid})") for row in rows]
        unknown = [(linked, linked)] if linked and linked not in dict(found) else []
        return [("", gettext_lazy("nobody")), *unknown, *found]

    def clean_wecom_userid(self) -> str:
        """One user for one member: by it people are recognised who come from WeCom."""
        userid: str = self.cleaned_data["wecom_userid"]
        other = User.objects.filter(wecom_userid=userid).exclude(pk=self.instance.pk).first() if userid else None
        if other:
            raise forms.ValidationError(_("%(user)s is this staff member already.") % {"user": other.get_username()})
        return userid

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        stays = cleaned.get("role") == Role.ADMINISTRATOR and cleaned.get("is_active")
        if not stays and roles.is_last_administrator(self.instance):
            message = _("This is the last administrator who can log in: make somebody else administrator first.")
            self.add_error("role" if cleaned.get("role") != Role.ADMINISTRATOR else "is_active", message)
        return cleaned


def _deleted(names: list[str]) -> str:
    return _("Deleted in WeCom, they open nothing any more and go with the next save: %(names)s.") % {
        "names": "、".join(names)
    }


def extra_rights() -> Any:
    """Those of scrm.site.rights.EXTRA that exist here."""
    wanted = Q(pk__in=[])
    for right in EXTRA:
        app, _dot, code = right.partition(".")
        wanted |= Q(content_type__app_label=app, codename=code)
    return Permission.objects.filter(wanted).select_related("content_type")


def right_word(permission: Permission) -> str:
    """A right in words."""
    words = {
        "approve_broadcast": _("approve broadcasts"),
        "export": _("export personal data"),
        "reveal": _("reveal masked personal data"),
    }
    return words.get(permission.codename, permission.name)
