"""Broadcasts: the list, the form of a draft, its check, and what became of it."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.admin import deeds, pictures, recipients, results, review
from campaigns.admin.drafting import FIELDSETS, DraftForm, chat_label
from campaigns.admin.words import state_tag
from campaigns.models import OPEN_STATES, Broadcast, Dispatch
from groups.models import GroupChat
from scrm.base.console import formats
from scrm.base.console.filters import DayRangeFilter
from scrm.base.console.pages import ConsolePage
from scrm.base.console.unfold import DropdownFilter
from scrm.base.console.who import user_of
from scrm.base.numbers import whole

CHOICES_A_PAGE = 30
MOST_PAGES = 10_000  # of choices; nobody scrolls so far
State = Broadcast.State


class ToFilter(DropdownFilter):
    """Broadcasts to customers or to chats (`?to=single|group`)."""

    title = gettext_lazy("to")
    parameter_name = "to"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Broadcast.To.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(to=self.value()) if self.value() in Broadcast.To.values else queryset


@admin.register(Broadcast)
class BroadcastPage(ConsolePage):
    """What was and will be said to many. Drafts are changed freely; approved ones only paused, resumed and cancelled."""

    open_to_staff = True
    changeable = True
    deed_rights = deeds.RIGHTS
    views = (
        ("draft", gettext_lazy("Drafts")),
        ("open", gettext_lazy("Under way")),
        ("done", gettext_lazy("Finished")),
        ("cancelled", gettext_lazy("Cancelled")),
    )
    list_display = (
        "broadcast", "sent_to", "state_now", "created", "deadline", "count_confirmed", "count_delivered", "count_planned",
    )  # fmt: skip
    list_filter = (ToFilter, ("create_at", DayRangeFilter))
    search_fields = ("name",)
    search_help_text = gettext_lazy("Name")
    ordering = ("-pk",)
    list_before_template = "console/campaigns/broadcasts_head.html"
    detail_template = "console/campaigns/broadcast.html"
    change_form_outer_after_template = "console/campaigns/broadcast_preview.html"
    warn_unsaved_form = True
    form = DraftForm
    fieldsets = FIELDSETS
    nothing_yet = gettext_lazy(
        "A broadcast asks each customer's staff member, or each chat's owner, for one confirmation. WeCom sends nothing without it."
    )

    def view_queryset(self, request: HttpRequest, rows: QuerySet[Any], view: str) -> QuerySet[Any]:
        states = {"draft": [State.DRAFT], "open": [State.APPROVED, *OPEN_STATES], "done": [State.DONE], "cancelled": [State.CANCELLED]}  # fmt: skip
        return rows.filter(state__in=states.get(view, []))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.state == State.DRAFT)

    # --- the list --------------------------------------------------------------------------------------------------------
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("audience")  # which may name half a million

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        answer = super().changelist_view(request, extra_context)
        context = getattr(answer, "context_data", None)
        if context and "cl" in context:
            shown = Dispatch.objects.visible_to(user_of(request)).filter(
                broadcast__in=context["cl"].queryset.order_by()
            )
            context["totals"] = shown.aggregate(recipients=Sum("recipients"), sent=Sum("count_sent"))
        return answer

    def prepare(self, request: HttpRequest, rows: list[Any]) -> None:
        waiting = Count("staff", distinct=True, filter=~Q(state=Dispatch.State.CONFIRMED))
        found = Dispatch.objects.visible_to(user_of(request)).filter(broadcast__in=rows).order_by()
        sums = {
            row["broadcast"]: row
            for row in found.values("broadcast").annotate(
                staff_all=Count("staff", distinct=True), staff_open=waiting,
                recipients_all=Sum("recipients"), sent=Sum("count_sent"),
            )
        }  # fmt: skip
        for row in rows:
            row.sums = sums.get(row.pk)

    @display(description=gettext_lazy("broadcast"), ordering="name")
    def broadcast(self, row: Any) -> str:
        return str(row)

    @display(description=gettext_lazy("to"), ordering="to")
    def sent_to(self, row: Any) -> str:
        return str(row.get_to_display())

    @display(description=gettext_lazy("state"), ordering="state")
    def state_now(self, row: Any) -> SafeString:
        return state_tag(row)

    @display(description=gettext_lazy("tasks are created at"), ordering="create_at")
    def created(self, row: Any) -> SafeString:
        return formats.when(row.create_at)

    @display(description=gettext_lazy("to be confirmed by"), ordering="confirm_by")
    def deadline(self, row: Any) -> SafeString:
        return formats.when(row.confirm_by)

    @display(description=gettext_lazy("staff confirmed"))
    def count_confirmed(self, row: Any) -> SafeString:
        sums = row.sums
        return formats.bar(sums["staff_all"] - sums["staff_open"], sums["staff_all"]) if sums else formats.figure(None)

    @display(description=gettext_lazy("delivered"))
    def count_delivered(self, row: Any) -> SafeString:
        return formats.bar(row.sums["sent"], row.sums["recipients_all"]) if row.sums else formats.figure(None)

    @display(description=gettext_lazy("planned recipients"), ordering="planned")
    def count_planned(self, row: Any) -> SafeString:
        return formats.figure(None if row.state == State.DRAFT else row.planned)

    # --- the pages of one --------------------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
            return path(route, self.admin_site.admin_view(view), name=f"campaigns_broadcast_{name}")

        return [
            page("chats/", self.chats_view, "chats"),
            page("<int:pk>/edit/", self.edit_view, "edit"),
            page("<int:pk>/progress/", self.progress_view, "progress"),
            page("<int:pk>/recipients/", self.recipients_view, "recipients"),
            *super().get_urls(),
        ]

    def deeds(self) -> dict[str, Any]:
        return deeds.buttons(self)

    def detail(self, request: HttpRequest, instance: Any) -> dict[str, Any]:
        if instance.state == State.DRAFT:
            return review.of_draft(request, instance)
        return results.of_broadcast(request, instance)

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The part of the page that is fetched again while results come in."""
        found = self.find(request, str(pk))
        if isinstance(found, HttpResponse):
            return found
        return TemplateResponse(
            request, "console/campaigns/broadcast_results.html", results.of_broadcast(request, found)
        )

    def recipients_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Who gets it or not, one row each."""
        found = self.find(request, str(pk))
        if isinstance(found, HttpResponse):
            return found
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "original": found, "title": str(found),
            **recipients.page_of(request, found),
        }  # fmt: skip
        return TemplateResponse(request, "console/campaigns/recipients.html", context)

    # --- drafts ----------------------------------------------------------------------------------------------------------
    def chats_view(self, request: HttpRequest) -> HttpResponse:
        """Choices of the field for group chats, by name or owner."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        term, page = request.GET.get("term", "").strip(), whole(request.GET.get("page"), least=1, most=MOST_PAGES) or 1
        first = CHOICES_A_PAGE * (page - 1)
        rows = GroupChat.objects.visible_to(user_of(request)).living().select_related("owner")
        if term:
            rows = rows.filter(Q(name__icontains=term) | Q(owner__name__icontains=term))
        found = list(rows.order_by("name", "pk")[first : first + CHOICES_A_PAGE + 1])
        return JsonResponse({
            "results": [{"id": str(row.pk), "text": chat_label(row)} for row in found[:CHOICES_A_PAGE]],
            "pagination": {"more": len(found) > CHOICES_A_PAGE},
        })  # fmt: skip

    def edit_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        found = self.find(request, str(pk))
        if isinstance(found, HttpResponse):
            return found
        if not self.has_change_permission(request):
            raise PermissionDenied
        if found.state != State.DRAFT:
            self.say(request, _("An approved broadcast can't be changed: copy it."), good=False)
            return redirect(self.detail_address(found))
        return self.changeform_view(request, str(pk), "", {"title": _("Change the draft")})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Uploads the picture first: no call to WeCom is made inside the transaction of a form."""
        if request.method == "POST" and "picture" in request.FILES:
            if not (self.has_add_permission(request) or self.has_change_permission(request)):
                raise PermissionDenied
            pictures.take(request)
        without = {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().changeform_view(request, object_id, form_url, {**without, **(extra_context or {})})

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"request": request})

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        chosen = request.session.get("broadcast_to", {}) if "chosen" in request.GET else {}
        return {**super().get_changeform_initial_data(request), **chosen}

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return redirect(self.detail_address(obj))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return redirect(self.detail_address(obj))


def address_of_recipients(broadcast: Broadcast, query: str = "") -> str:
    return reverse("admin:campaigns_broadcast_recipients", args=[broadcast.pk]) + (f"?{query}" if query else "")
