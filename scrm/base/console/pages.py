"""The page class of the console: denied unless opened, scoped, read-only unless said otherwise, no query per row."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from scrm.base import audit, clock, roles
from scrm.base.console.editions import SEEN, EditionForm, has_editions
from scrm.base.console.exports import BATCH, csv_answer
from scrm.base.console.filters import ViewFilter
from scrm.base.console.panels import actions_of, filters_of, panels_of
from scrm.base.console.unfold import ChangeList, ModelAdmin
from scrm.base.console.who import user_of

Text = str | Promise
FormClass = type["ModelForm[Any]"]
LONG_WAY = 3_000  # rows before a page from which it pays to look for its keys first


class BothEnds(Paginator[Any]):
    """Pages of a long list. Those of the second half are read from the end: the last one costs as much as the first.

    Of the rows before a page only the keys are read, which an index may hold; in full they would be read for nothing.
    """

    def page(self, number: Any) -> Page[Any]:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        last = min(first + self.per_page, self.count)
        if first <= self.count / 2:
            return Page(list(self._cut(self.object_list, first, last)), number, self)
        rows: Any = self.object_list
        backwards = self._cut(rows.reverse(), self.count - last, self.count - first)
        return Page(list(backwards)[::-1], number, self)

    def _cut(self, rows: Any, first: int, last: int) -> Any:
        if first < LONG_WAY:
            return rows[first:last]
        return rows.filter(pk__in=rows.values("pk")[first:last])


class PreparedChangeList(ChangeList):
    """Lets the page fetch what its columns show for all rows at once, and tells the empty state whom it speaks to."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        user, page = user_of(request), self.model_admin
        scoped = page.scoped and page.open_to_staff  # type: ignore[attr-defined]
        self.without_scope = scoped and not (user.has_full_scope or user.department_ids or user.wecom_userid)
        self.may_add = page.has_add_permission(request)
        if not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count  # nothing is left out: no "show all"
        self.result_list = list(self.result_list)
        self.model_admin.prepare(request, self.result_list)  # type: ignore[attr-defined]


class ConsolePage(ModelAdmin):
    """A list and its detail pages.

    Closed to everybody but administrators unless `open_to_staff`; then to those whose role may view the model
    (scrm.site.rights), and every row goes through `visible_to(user)`, except on pages that say `scoped = False` because
    their rows name no customer. Buttons of open pages need the right to change, or the one named in `deed_rights`.
    """

    open_to_staff = False
    scoped = True
    changeable = False  # add and change by Django's permissions; nobody otherwise
    views: Sequence[tuple[str, Text]] = ()
    counted_views = False
    deed_rights: Mapping[str, str] = {}  # address part of a button → permission, as "base.reveal"
    export_head: Sequence[Text] = ()  # titles of the columns of the list as a file; none: it can't be exported
    detail_template = ""
    nothing_yet: Text = ""  # why the list is empty before anything came, and what to do

    paginator = BothEnds
    list_per_page = 30
    list_max_show_all = 0
    show_full_result_count = False
    list_filter_submit = True
    list_fullwidth = True
    list_disable_select_all = False
    actions: Sequence[str] | None = None
    show_facets = ShowFacets.NEVER
    list_before_template = "console/views.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.visible_to(user_of(request)) if self.scoped and self.open_to_staff else rows  # type: ignore[attr-defined]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """With the edition of the row, for those who may change it."""
        fieldsets = super().get_fieldsets(request, obj)
        if not self._has_editions(request, obj):
            return fieldsets
        (title, first), *others = fieldsets
        return [(title, {**first, "fields": (*first["fields"], SEEN)}), *others]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> FormClass:
        if self._has_editions(request, obj):
            own: Any = self.form
            kwargs.setdefault("form", type(own.__name__, (EditionForm, own), {}))
        return super().get_form(request, obj, change=change, **kwargs)

    def _has_editions(self, request: HttpRequest, obj: Any) -> bool:
        return obj is not None and has_editions(self.model) and self.has_change_permission(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        user = request.user
        if not (user.is_active and user.is_staff):
            return False
        return bool(user.is_superuser or (self.open_to_staff and super().has_view_permission(request, obj)))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.changeable and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.changeable and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        own = list(super().get_list_filter(request))
        return [*([ViewFilter] if self.views else []), *own, *filters_of(self.opts.label)]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        added = {action.__name__: action for action in actions_of(self.opts.label, request)}
        words = {name: getattr(action, "short_description", name) for name, action in added.items()}
        return {**super().get_actions(request), **{name: (added[name], name, words[name]) for name in added}}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PreparedChangeList

    def prepare(self, request: HttpRequest, rows: list[Any]) -> None:
        """Sets on each of `rows` what the columns show; a fixed number of queries for the page."""

    def view_queryset(self, request: HttpRequest, rows: QuerySet[Any], view: str) -> QuerySet[Any]:
        """The rows of a tab."""
        raise NotImplementedError

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(
            request,
            {
                "console_views": self._tabs(request),
                "export_address": self._export_address(request),
                "title": self.opts.verbose_name_plural,
                **(extra_context or {}),
            },
        )

    def _export_address(self, request: HttpRequest) -> str:
        """Where the list goes out as a file, filtered as it is; empty where it can't or the user may not."""
        if not self.export_head or not self.may_do(request, "export"):
            return ""
        return f"{self.list_address()}export/?{request.GET.urlencode()}"

    def _tabs(self, request: HttpRequest) -> list[dict[str, Any]]:
        if not self.views:
            return []
        chosen = request.GET.get("view", "")
        rows = self.get_queryset(request) if self.counted_views else None
        tabs = []
        for key, label in [("", _("All")), *self.views]:
            address = request.GET.copy()
            for name in ("view", "p", "e"):
                address.pop(name, None)
            if key:
                address["view"] = key
            found = (self.view_queryset(request, rows, key) if key else rows) if rows is not None else None
            tabs.append({
                "label": label, "address": f"?{address.urlencode()}", "chosen": key == chosen,
                "count": found.count() if found is not None else None,
            })  # fmt: skip
        return tabs

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.detail_template:
            return super().change_view(request, object_id, form_url, extra_context)
        found = self.find(request, object_id)
        if isinstance(found, HttpResponse):
            return found
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": found,
            "title": str(found),
            "has_view_permission": True,
            "panels": panels_of(self.opts.label, request, found),
            **self.detail(request, found),
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, self.detail_template, context)

    def detail(self, request: HttpRequest, instance: Any) -> dict[str, Any]:
        """What the detail template shows."""
        return {}

    def find(self, request: HttpRequest, object_id: str) -> Any:
        """The row, or the answer that says that there is none within the user's sight."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self.get_object(request, unquote(object_id)) or self._get_obj_does_not_exist_redirect(  # type: ignore[attr-defined]
            request, self.opts, object_id
        )

    # --- buttons: small deeds by POST ----------------------------------------------------------------------------------
    def deeds(self) -> dict[str, Any]:
        """Buttons of the detail page: address part → method(request, row) that does the deed and may return an answer."""
        return {}

    def list_deeds(self) -> dict[str, Any]:
        """Buttons of the list: address part → method(request)."""
        return {}

    def export_cells(self, request: HttpRequest, rows: list[Any]) -> Iterable[Sequence[Any]]:
        """A line of the file for each row, under `export_head`."""
        raise NotImplementedError

    def _export(self, request: HttpRequest) -> HttpResponseBase:
        """The list as it is filtered in the address, for those with the right of export; noted before the first line."""
        rows = self.get_changelist_instance(request).get_queryset(request)
        name = str(self.opts.model_name)
        audit.record(
            f"{name}.export", user=user_of(request), subject=str(self.opts.verbose_name_plural), request=request,
            count=rows.count(), filters={key: value for key, value in request.GET.items() if value},
        )  # fmt: skip
        return csv_answer(
            f"{name}-{clock.today()}.csv", self.export_head, rows.iterator(chunk_size=BATCH),
            lambda some: self.export_cells(request, some),
        )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        base = f"{self.opts.app_label}_{self.opts.model_name}"
        own = [
            path(f"<path:object_id>/{name}/", self.admin_site.admin_view(self._deed(name, deed)), name=f"{base}_{name}")
            for name, deed in self.deeds().items()
        ]
        own += [
            path(f"{name}/", self.admin_site.admin_view(self._list_deed(name, deed)), name=f"{base}_{name}")
            for name, deed in [*self.list_deeds().items(), *([("export", self._export)] if self.export_head else [])]
        ]
        return own + super().get_urls()

    def may_do(self, request: HttpRequest, deed: str) -> bool:
        """Whether the user may press the button."""
        return self.has_view_permission(request) and request.user.has_perm(self._right(deed))

    def _right(self, deed: str) -> str:
        rights = {"export": roles.EXPORT, **self.deed_rights}
        return rights.get(deed, f"{self.opts.app_label}.change_{self.opts.model_name}")

    def _deed(self, name: str, deed: Any) -> Any:
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            found = self.find(request, object_id)
            if isinstance(found, HttpResponse):
                return found
            if not self.may_do(request, name):
                raise PermissionDenied(roles.refusal(self._right(name)))
            if request.method != "POST":
                return redirect(self.detail_address(found))
            return deed(request, found) or redirect(self.detail_address(found))

        return view

    def _list_deed(self, name: str, deed: Any) -> Any:
        def view(request: HttpRequest) -> HttpResponse:
            if not self.may_do(request, name):
                raise PermissionDenied(roles.refusal(self._right(name)))
            if request.method != "POST":
                return redirect(self.list_address())
            return deed(request) or redirect(self.list_address())

        return view

    def list_address(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def detail_address(self, instance: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[instance.pk])

    def say(self, request: HttpRequest, text: str, *, good: bool = True) -> None:
        """A message at the top of the next page."""
        messages.add_message(request, messages.SUCCESS if good else messages.ERROR, text)

    # --- the audit trail takes the place of Django's own log of changes ----------------------------------------------
    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        self._record(request, obj, "add", message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        self._record(request, obj, "change", message)

    def _record(self, request: HttpRequest, obj: Any, verb: str, message: Any) -> None:
        audit.record(
            f"{self.opts.model_name}.{verb}", user=user_of(request), subject=str(obj), request=request, changes=message
        )
