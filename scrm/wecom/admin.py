"""The inbox of callbacks and the log of calls: what came in, what went out, what failed, and doing it again."""

import datetime as dt
from typing import Any
from xml.dom import minidom
from xml.parsers.expat import ExpatError

from django.contrib import admin
from django.contrib.admin import action, display
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from scrm.base import audit
from scrm.base.console import formats
from scrm.base.console.filters import DayRangeFilter
from scrm.base.console.pages import ConsolePage
from scrm.base.console.unfold import DropdownFilter
from scrm.base.console.who import user_of
from scrm.base.models import Work
from scrm.base.numbers import LARGEST, whole
from scrm.base.redis import Away
from scrm.base.work import replay
from scrm.wecom import quotas
from scrm.wecom.models import ApiCall, Callback

STATE_KIND = {"failed": "bad", "waiting": "pri", "done": "ok", "ignored": ""}
_LATEST = 5000  # kinds of callbacks are looked up among these


def state_word(state: str) -> str:
    """A callback's state: that of its worst lane."""
    words = {"failed": _("failed"), "waiting": _("waiting"), "done": _("done"), "ignored": _("ignored")}
    return words.get(state, state)


# wecom-api.md §3: (event, change type); an event that counts whatever changed has an empty change type
KINDS: dict[tuple[str, str], str | Promise] = {
    ("change_external_contact", "add_external_contact"): gettext_lazy("customer added"),
    ("change_external_contact", "add_half_external_contact"): gettext_lazy("customer half added"),
    ("change_external_contact", "edit_external_contact"): gettext_lazy("customer edited"),
    ("change_external_contact", "del_external_contact"): gettext_lazy("staff deleted a customer"),
    ("change_external_contact", "del_follow_user"): gettext_lazy("customer deleted staff"),
    ("change_external_contact", "transfer_fail"): gettext_lazy("hand-over failed"),
    ("change_external_contact", "msg_audit_approved"): gettext_lazy("customer agreed to archiving"),
    ("change_external_chat", "create"): gettext_lazy("chat created"),
    ("change_external_chat", "update"): gettext_lazy("chat changed"),
    ("change_external_chat", "dismiss"): gettext_lazy("chat dismissed"),
    ("change_external_tag", "create"): gettext_lazy("tag created"),
    ("change_external_tag", "update"): gettext_lazy("tag changed"),
    ("change_external_tag", "delete"): gettext_lazy("tag deleted"),
    ("change_external_tag", "shuffle"): gettext_lazy("tags sorted"),
    ("change_contact", "create_user"): gettext_lazy("staff member created"),
    ("change_contact", "update_user"): gettext_lazy("staff member changed"),
    ("change_contact", "delete_user"): gettext_lazy("staff member deleted"),
    ("change_contact", "create_party"): gettext_lazy("department created"),
    ("change_contact", "update_party"): gettext_lazy("department changed"),
    ("change_contact", "delete_party"): gettext_lazy("department deleted"),
}


def kind_word(event: str, change_type: str) -> str:
    """The kind of a callback in words, the platform's own name for one that nobody knows."""
    return str(KINDS.get((event, change_type)) or change_type or event or _("unreadable"))


class KindFilter(DropdownFilter):
    """Callbacks of one kind (`?kind=event/change_type`)."""

    title = gettext_lazy("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        latest = Callback.objects.order_by("-id").values("event", "change_type")[:_LATEST]
        kinds = sorted({(row["event"], row["change_type"]) for row in latest})
        return [(f"{event}/{change}", kind_word(event, change)) for event, change in kinds]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        event, _slash, change = str(self.value()).partition("/")
        return queryset.filter(event=event, change_type=change)


@admin.register(Callback)
class CallbackPage(ConsolePage):
    """Raw callbacks name customers of every department: administrators only."""

    views = (
        ("failed", gettext_lazy("Failed")),
        ("waiting", gettext_lazy("Waiting")),
        ("done", gettext_lazy("Done")),
        ("ignored", gettext_lazy("Ignored")),
    )
    list_display = (
        "number",
        "kind",
        "entity",
        "received",
        "happened",
        "state_now",
        "count_attempts",
        "count_repeats",
        "error_short",
    )
    list_filter = (KindFilter, ("received_at", DayRangeFilter))
    search_fields = ("entity",)
    search_help_text = gettext_lazy("Id of a customer, chat or staff member")
    ordering = ("-id",)
    actions = ("replay_chosen",)
    detail_template = "console/wecom/callback.html"
    nothing_yet = gettext_lazy(
        "WeCom has not called yet. Enter the address, token and key under 企微后台 > 应用管理 > 自建应用 > 接收消息."
    )

    def prepare(self, request: HttpRequest, rows: list[Any]) -> None:
        """The state is looked up for the rows of the page only: a deep page would look it up for all before it."""
        known = {row.pk: row for row in Callback.objects.with_state().filter(pk__in=[row.pk for row in rows])}
        for row in rows:
            found: Any = known[row.pk]
            row.state, row.attempts, row.error = found.state, found.attempts, found.error

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is not None:
            self.prepare(request, [found])
        return found

    def view_queryset(self, request: HttpRequest, rows: QuerySet[Any], view: str) -> QuerySet[Any]:
        known = view in {"failed", "waiting", "done", "ignored"}
        return rows.in_state(view) if known else rows.none()  # type: ignore[attr-defined]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        names = [term, *(f"{prefix}:{term}" for prefix in ("contact", "chat", "staff"))]
        return queryset.filter(entity__in=names), False

    @action(description=gettext_lazy("Do the chosen ones again"))
    def replay_chosen(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._replay(request, list(queryset.values_list("pk", flat=True)))

    def deeds(self) -> dict[str, Any]:
        return {"replay": lambda request, row: self._replay(request, [row.pk])}

    def _replay(self, request: HttpRequest, ids: list[int]) -> None:
        count = replay(Callback.WORK_SOURCE, ids)
        audit.record(
            "callback.replay", user=user_of(request), request=request, subject=", ".join(f"#{pk}" for pk in ids[:10]), count=count
        )  # fmt: skip
        text = ngettext("%(n)d piece of work is done again.", "%(n)d pieces of work are done again.", count)
        self.say(
            request,
            text % {"n": count} if count else _("Nothing to do again: the work is still waiting."),
            good=bool(count),
        )

    def detail(self, request: HttpRequest, instance: Any) -> dict[str, Any]:
        works = list(Work.objects.filter(source_kind=Callback.WORK_SOURCE, source_id=instance.pk).order_by("lane"))
        return {
            "callback": instance,
            "title": f"#{instance.pk}",
            "kind": kind_word(instance.event, instance.change_type),
            "state": formats.tag(state_word(instance.state), STATE_KIND.get(instance.state, "")),
            "works": [(work, work_tag(work)) for work in works],
            "open_again": any(work.state in {"done", "quarantined", "ignored"} for work in works),
            "xml": pretty(instance.raw),
        }

    @display(description=gettext_lazy("callback"), ordering="id")
    def number(self, row: Any) -> str:
        return f"#{row.pk}"

    @display(description=gettext_lazy("kind"))
    def kind(self, row: Any) -> str:
        return kind_word(row.event, row.change_type)

    @display(description=gettext_lazy("received"), ordering="id")
    def received(self, row: Any) -> SafeString:
        return formats.ago(row.received_at, real=True)

    @display(description=gettext_lazy("happened"))
    def happened(self, row: Any) -> SafeString:
        return formats.when(row.happened_at)

    @display(description=gettext_lazy("result"))
    def state_now(self, row: Any) -> SafeString:
        return formats.tag(state_word(row.state), STATE_KIND.get(row.state, ""))

    @display(description=gettext_lazy("attempts"))
    def count_attempts(self, row: Any) -> SafeString:
        return formats.figure(row.attempts)

    @display(description=gettext_lazy("repeats"))
    def count_repeats(self, row: Any) -> SafeString:
        return formats.figure(row.repeats)

    @display(description=gettext_lazy("error"))
    def error_short(self, row: Any) -> str:
        if row.state != "failed":  # what waiting work waits for stands on its page
            return formats.NONE
        return str(f"{row.error[:60]}…" if len(row.error) > 60 else row.error)


def work_tag(work: Work) -> SafeString:
    """The state of one lane's work."""
    kind = {"quarantined": "bad", "waiting": "pri", "leased": "pri", "done": "ok"}.get(work.state, "")
    return formats.tag(work.get_state_display(), kind)


def pretty(raw: str) -> str:
    """The raw XML with one element a line; texts with a document type (entities) and broken ones stay as they came."""
    if "<!DOCTYPE" in raw or "<!ENTITY" in raw:
        return raw
    try:
        root = minidom.parseString(raw).documentElement  # noqa: S318  entities are out, see above
    except (ExpatError, ValueError):
        return raw
    text = root.toprettyxml(indent="  ") if root else raw
    return "\n".join(line for line in text.splitlines() if line.strip())


class ErrorFilter(DropdownFilter):
    """Calls by error code (`?errcode=45009`; `-`: any failure)."""

    title = gettext_lazy("error code")
    parameter_name = "errcode"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        codes = ApiCall.objects.exclude(errcode=0).order_by().values_list("errcode", flat=True).distinct()
        known = sorted(code for code in codes if code is not None)
        return [("-", _("all failures")), ("none", _("no answer")), *((str(code), str(code)) for code in known)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = str(self.value() or "")
        if value == "-":
            return queryset.exclude(errcode=0) | queryset.filter(errcode__isnull=True)
        if value == "none":
            return queryset.filter(errcode__isnull=True)
        code = whole(value, least=-LARGEST)
        return queryset if code is None else queryset.filter(errcode=code)


class ApiFilter(DropdownFilter):
    """Calls of one API (`?api=externalcontact/get`)."""

    title = gettext_lazy("API")
    parameter_name = "api"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in ApiCall.objects.order_by("api").values_list("api", flat=True).distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(api=self.value()) if self.value() else queryset


@admin.register(ApiCall)
class ApiCallPage(ConsolePage):
    """Each failed call and a sample of the good ones, below what is left of the budgets."""

    list_display = ("api", "made", "result", "count_ms", "detail_text")
    list_filter = (ApiFilter, ErrorFilter, ("at", DayRangeFilter))
    ordering = ("-id",)
    list_before_template = "console/wecom/budget.html"
    fields = ("api", "made", "result", "count_ms", "detail_text")
    readonly_fields = fields
    nothing_yet = gettext_lazy("No call failed and none was sampled yet.")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        try:
            usage: list[quotas.Usage] | None = quotas.usage()
        except Away:
            usage = None
        recent = ApiCall.objects.filter(at__gt=Now() - dt.timedelta(hours=1)).exclude(errcode=0)
        return super().changelist_view(
            request, {"usage": usage, "recent_failures": recent.count(), **(extra_context or {})}
        )

    @display(description=gettext_lazy("made"), ordering="id")
    def made(self, row: Any) -> SafeString:
        return formats.ago(row.at, real=True)

    @display(description=gettext_lazy("result"), ordering="errcode")
    def result(self, row: Any) -> SafeString:
        if row.errcode is None:
            return formats.tag(_("no answer"), "bad")
        return formats.tag("0", "ok") if row.errcode == 0 else formats.tag(str(row.errcode), "bad")

    @display(description=gettext_lazy("milliseconds"), ordering="ms")
    def count_ms(self, row: Any) -> SafeString:
        return formats.figure(row.ms)

    @display(description=gettext_lazy("detail"))
    def detail_text(self, row: Any) -> str:
        return row.detail or formats.NONE
