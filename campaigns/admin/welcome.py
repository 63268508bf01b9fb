"""Welcome rules and what became of each welcome."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import display
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import Welcome, WelcomeAttachment, WelcomeRule
from campaigns.models.welcome import MOST_ATTACHMENTS, TEXT_BYTES
from contacts.models import Channel, Customer, Staff
from scrm.base.console import formats
from scrm.base.console.filters import DayRangeFilter
from scrm.base.console.pages import ConsolePage
from scrm.base.console.panels import add_panel
from scrm.base.console.unfold import DropdownFilter, TabularInline
from scrm.base.console.who import user_of
from scrm.base.numbers import whole

_OUTCOME_KIND = {
    Welcome.Outcome.SENT: "ok",
    Welcome.Outcome.SENDING: "pri",
    Welcome.Outcome.EXPIRED: "bad",
    Welcome.Outcome.FAILED: "bad",
    Welcome.Outcome.STOPPED: "warn",
    Welcome.Outcome.NO_RULE: "warn",
}
_REFUSED = gettext_lazy("The staff member had already written: WeCom then takes no welcome. Not counted as a failure.")
_EXPIRED = gettext_lazy("WeCom takes a welcome only within 20 seconds after the add.")
_STOPPED = gettext_lazy("The brake was on (SENDING). Write to the customer by hand where it matters.")
_NO_RULE = gettext_lazy("No active rule covered this add. Keep one default rule active.")
REASONS = {
    Welcome.Outcome.REFUSED: _REFUSED,
    Welcome.Outcome.EXPIRED: _EXPIRED,
    Welcome.Outcome.STOPPED: _STOPPED,
    Welcome.Outcome.NO_RULE: _NO_RULE,
}


class AttachmentInline(TabularInline):
    """Links and pictures of a rule."""

    model = WelcomeAttachment
    extra = 0
    max_num = MOST_ATTACHMENTS
    fields = ("position", "kind", "title", "url", "picture_url", "description")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> forms.Field | None:
        if db_field.name == "position":
            kwargs["label"] = _("order")
        if db_field.name in {"url", "picture_url"}:
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("campaigns.change_welcomerule")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("campaigns.change_welcomerule")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("campaigns.change_welcomerule")


@admin.register(WelcomeRule)
class WelcomeRulePage(ConsolePage):
    """What newly added customers are told. Rules are switched off, not deleted: past welcomes name them."""

    open_to_staff = True
    changeable = True
    views = (("active", gettext_lazy("Active")), ("off", gettext_lazy("Switched off")))
    list_display = ("rule", "covers", "text_short", "count_attachments", "status_now", "changed")
    search_fields = ("name", "text")
    search_help_text = gettext_lazy("Name or text")
    ordering = ("-active", "name", "pk")
    list_select_related = ("channel", "staff")
    autocomplete_fields = ("channel", "staff")
    inlines = (AttachmentInline,)
    warn_unsaved_form = True
    change_form_outer_after_template = "console/campaigns/rule_preview.html"
    fieldsets = (
        (
            gettext_lazy("For whom"),
            {
                "fields": ("name", "channel", "staff", "active"),
                "description": gettext_lazy(
                    "The most exact active rule wins: channel and staff member, then channel, then staff member, then the default (neither)."
                ),
            },
        ),
        (gettext_lazy("What is said"), {"fields": ("text", "nameless_text", "returning_text")}),
    )
    nothing_yet = gettext_lazy("Without an active rule nobody is greeted.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("attachments")

    def view_queryset(self, request: HttpRequest, rows: QuerySet[Any], view: str) -> QuerySet[Any]:
        return rows.filter(active={"active": True, "off": False}[view]) if view in {"active", "off"} else rows.none()

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> forms.Field | None:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and db_field.name in {"text", "nameless_text", "returning_text"}:
            field.widget.attrs.update({"rows": 5, "data-most-bytes": str(TEXT_BYTES)})
        return field

    @display(description=gettext_lazy("welcome rule"), ordering="name")
    def rule(self, row: Any) -> str:
        return str(row)

    @display(description=gettext_lazy("for"))
    def covers(self, row: Any) -> str:
        parts = [str(part) for part in (row.channel, row.staff) if part]
        return " · ".join(parts) or _("everybody else (default)")

    @display(description=gettext_lazy("text"))
    def text_short(self, row: Any) -> str:
        text = " ".join(row.text.split())
        return f"{text[:40]}…" if len(text) > 40 else text

    @display(description=gettext_lazy("attachments"))
    def count_attachments(self, row: Any) -> SafeString:
        return formats.figure(len(row.attachments.all()))

    @display(description=gettext_lazy("status"), ordering="active")
    def status_now(self, row: Any) -> SafeString:
        return formats.tag(_("active"), "ok") if row.active else formats.tag(_("switched off"))

    @display(description=gettext_lazy("changed"), ordering="changed_at")
    def changed(self, row: Any) -> SafeString:
        return formats.ago(row.changed_at, real=True)


class RuleFilter(DropdownFilter):
    """Welcomes of one rule (`?rule=id`)."""

    title = gettext_lazy("welcome rule")
    parameter_name = "rule"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(row.pk), str(row)) for row in WelcomeRule.objects.visible_to(user_of(request)).order_by("name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        number = whole(self.value())
        return queryset if number is None else queryset.filter(rule_id=number)


class WelcomeStaffFilter(DropdownFilter):
    """Welcomes of one staff member (`?staff=userid`)."""

    title = gettext_lazy("staff member")
    parameter_name = "staff"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = Staff.objects.visible_to(user_of(request)).filter(serves_customers=True)
        return [(row.userid, str(row)) for row in rows.order_by("name", "userid")[:1000]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(userid=self.value()) if self.value() else queryset


@admin.register(Welcome)
class WelcomePage(ConsolePage):
    """One row for every welcome code that WeCom gave us."""

    open_to_staff = True
    views = (
        ("missed", gettext_lazy("Did not get it")),
        *((choice.value, choice.label) for choice in Welcome.Outcome),
    )
    list_display = (
        "customer_name",
        "staff_name",
        "channel",
        "outcome_now",
        "why",
        "rule_name",
        "happened",
        "count_latency",
    )
    list_filter = (WelcomeStaffFilter, RuleFilter, ("happened_at", DayRangeFilter))
    search_fields = ("external_userid", "userid")
    search_help_text = gettext_lazy("Name, pinyin or id of the customer")
    ordering = ("-id",)
    detail_template = "console/campaigns/welcome.html"
    nothing_yet = gettext_lazy("Each new customer's welcome appears here, with the reason where there was none.")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        people = Customer.objects.visible_to(user_of(request)).named_like(term)
        return queryset.filter(external_userid__in=people.values("external_userid")), False

    def view_queryset(self, request: HttpRequest, rows: QuerySet[Any], view: str) -> QuerySet[Any]:
        if view == "missed":
            return rows.exclude(outcome__in=[Welcome.Outcome.SENT, Welcome.Outcome.SENDING])
        return rows.filter(outcome=view)

    def prepare(self, request: HttpRequest, rows: list[Any]) -> None:
        people = Customer.objects.visible_to(user_of(request)).filter(
            external_userid__in={row.external_userid for row in rows}
        )
        customers = {row.external_userid: row for row in people}
        staff = {row.userid: row for row in Staff.objects.filter(userid__in={row.userid for row in rows})}
        channels = dict(
            Channel.objects.filter(state__in={row.state for row in rows if row.state}).values_list("state", "name")
        )
        for row in rows:
            row.customer = customers.get(row.external_userid)
            row.staff = staff.get(row.userid)
            row.channel_name = channels.get(row.state, row.state)

    def detail(self, request: HttpRequest, instance: Any) -> dict[str, Any]:
        self.prepare(request, [instance])
        return {
            "welcome": instance,
            "outcome": outcome_tag(instance),
            "why": why(instance),
            "title": str(instance.customer or instance.external_userid),
        }

    @display(description=gettext_lazy("customer"))
    def customer_name(self, row: Any) -> str:
        return str(row.customer or row.external_userid)

    @display(description=gettext_lazy("staff member"))
    def staff_name(self, row: Any) -> str:
        return str(row.staff or row.userid)

    @display(description=gettext_lazy("channel"))
    def channel(self, row: Any) -> str:
        return row.channel_name or formats.NONE

    @display(description=gettext_lazy("outcome"), ordering="outcome")
    def outcome_now(self, row: Any) -> SafeString:
        return outcome_tag(row)

    @display(description=gettext_lazy("reason"))
    def why(self, row: Any) -> str:
        return row.reason or formats.NONE

    @display(description=gettext_lazy("added"), ordering="happened_at")
    def happened(self, row: Any) -> SafeString:
        return formats.ago(row.happened_at)

    @display(description=gettext_lazy("took"), ordering="latency_ms")
    def count_latency(self, row: Any) -> SafeString | str:
        return (
            formats.figure(None)
            if row.latency_ms is None
            else SafeString(f'<span class="c-num">{row.latency_ms / 1000:.1f} {_("s")}</span>')
        )


def outcome_tag(welcome: Welcome) -> SafeString:
    return formats.tag(welcome.get_outcome_display(), _OUTCOME_KIND.get(Welcome.Outcome(welcome.outcome), ""))


def why(welcome: Welcome) -> str:
    """The outcome explained in a sentence."""
    return str(REASONS.get(Welcome.Outcome(welcome.outcome), "")) or welcome.reason


def _welcomes_of_customer(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    rows = list(Welcome.objects.visible_to(user_of(request)).filter(external_userid=customer.external_userid)[:50])
    staff = {row.userid: row for row in Staff.objects.filter(userid__in={row.userid for row in rows})}
    return {
        "welcomes": [
            {"row": row, "staff": staff.get(row.userid, row.userid), "outcome": outcome_tag(row), "why": why(row)}
            for row in rows
        ],
        "address": reverse("admin:campaigns_welcome_changelist"),
    }


add_panel("contacts.Customer", "console/campaigns/welcomes_of_customer.html", _welcomes_of_customer, order=30)
