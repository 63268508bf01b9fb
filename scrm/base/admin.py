"""Work, tokens and the audit trail: for administrators."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import action, display
from django.db.models import Count, Min, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from scrm.base import audit, clock
from scrm.base.console import formats
from scrm.base.console.filters import DayRangeFilter
from scrm.base.console.pages import ConsolePage
from scrm.base.console.unfold import DropdownFilter
from scrm.base.console.who import user_of
from scrm.base.models import ApiToken, AuditRecord, Heartbeat, Work
from scrm.base.work import lanes, replay


class LaneFilter(DropdownFilter):
    """Work of one lane (`?lane=welcome`)."""

    title = gettext_lazy("lane")
    parameter_name = "lane"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in sorted({*lanes, "inbox"})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(lane=self.value()) if self.value() else queryset


@admin.register(Work)
class WorkPage(ConsolePage):
    """What has to be done, is being done, or failed and was put aside."""

    views = (
        ("failed", gettext_lazy("Failed")),
        ("open", gettext_lazy("Waiting")),
        ("done", gettext_lazy("Done")),
        ("ignored", gettext_lazy("Ignored")),
    )
    list_display = ("lane", "entity", "state_now", "count_attempts", "made", "due", "error_short")
    list_filter = (LaneFilter, ("created_at", DayRangeFilter))
    search_fields = ("entity",)
    search_help_text = gettext_lazy("Id of a customer, chat or staff member")
    ordering = ("-id",)
    actions = ("replay_chosen",)
    list_before_template = "console/base/work_head.html"
    fields = (
        "lane",
        "entity",
        "source_kind",
        "source_id",
        "state_now",
        "attempts",
        "made",
        "due",
        "settled",
        "holder",
        "error",
    )
    readonly_fields = fields
    change_form_outer_after_template = "console/base/work_replay.html"
    nothing_yet = gettext_lazy("There is nothing to do.")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        names = [term, *(f"{prefix}:{term}" for prefix in ("contact", "chat", "staff", "code"))]
        return (queryset.filter(entity__in=names) if term else queryset), False

    def view_queryset(self, request: HttpRequest, rows: QuerySet[Any], view: str) -> QuerySet[Any]:
        states = {
            "failed": [Work.State.QUARANTINED],
            "open": [Work.State.WAITING, Work.State.LEASED],
            "done": [Work.State.DONE],
            "ignored": [Work.State.IGNORED],
        }
        return rows.filter(state__in=states.get(view, []))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"depths": depths(), "workers": workers(), **(extra_context or {})})

    @action(description=gettext_lazy("Do the chosen ones again"))
    def replay_chosen(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._replay(request, list(queryset.values_list("source_kind", "source_id")))

    def deeds(self) -> dict[str, Any]:
        return {"replay": lambda request, row: self._replay(request, [(row.source_kind, row.source_id)])}

    def _replay(self, request: HttpRequest, sources: list[tuple[str, int]]) -> None:
        kinds: dict[str, list[int]] = {}
        for kind, number in sources:
            kinds.setdefault(kind, []).append(number)
        count = sum(replay(kind, numbers) for kind, numbers in kinds.items())
        subject = ", ".join(f"{kind} #{number}" for kind, number in sources[:10])
        audit.record("work.replay", user=user_of(request), request=request, subject=subject, count=count)
        text = ngettext("%(n)d piece of work is done again.", "%(n)d pieces of work are done again.", count)
        self.say(
            request,
            text % {"n": count} if count else _("Nothing to do again: the work is still waiting."),
            good=bool(count),
        )

    @display(description=gettext_lazy("result"), ordering="state")
    def state_now(self, row: Any) -> SafeString:
        kind = {"quarantined": "bad", "waiting": "pri", "leased": "pri", "done": "ok"}.get(row.state, "")
        return formats.tag(row.get_state_display(), kind)

    @display(description=gettext_lazy("attempts"), ordering="attempts")
    def count_attempts(self, row: Any) -> SafeString:
        return formats.figure(row.attempts)

    @display(description=gettext_lazy("created"), ordering="id")
    def made(self, row: Any) -> SafeString:
        return formats.ago(row.created_at, real=True)

    @display(description=gettext_lazy("due"))
    def due(self, row: Any) -> SafeString:
        return formats.when(row.not_before if row.state in {"waiting", "leased"} else None)

    @display(description=gettext_lazy("settled"))
    def settled(self, row: Any) -> SafeString:
        return formats.when(row.settled_at)

    @display(description=gettext_lazy("error"))
    def error_short(self, row: Any) -> str:
        if row.state != Work.State.QUARANTINED:
            return formats.NONE
        return str(f"{row.error[:60]}…" if len(row.error) > 60 else row.error)


def depths() -> list[dict[str, Any]]:
    """Open and failed work by lane: `{"lane", "open", "failed", "oldest"}` with the age of the oldest due work in seconds."""
    found = {name: {"lane": name, "open": 0, "failed": 0, "oldest": None} for name in sorted(lanes)}
    open_states = [Work.State.WAITING, Work.State.LEASED]
    rows = (
        Work.objects.filter(state__in=open_states)
        .order_by()
        .values("lane")
        .annotate(number=Count("pk"), first=Min("not_before"))
    )
    now = _database_now()
    for row in rows:
        lane = found.setdefault(row["lane"], {"lane": row["lane"], "open": 0, "failed": 0, "oldest": None})
        lane["open"] = row["number"]
        lane["oldest"] = max(0.0, (now - row["first"]).total_seconds())
    failed = Work.objects.filter(state=Work.State.QUARANTINED).order_by().values_list("lane").annotate(Count("pk"))
    for lane, number in failed:
        found.setdefault(lane, {"lane": lane, "open": 0, "oldest": None})["failed"] = number
    return list(found.values())


def workers() -> list[dict[str, Any]]:
    """Worker processes by queue that were seen lately."""
    rows = Heartbeat.objects.order_by("queue", "worker")
    now = clock.real_now()
    return [
        {
            "queue": row.queue,
            "worker": row.worker,
            "seen": row.seen_at,
            "alive": (now - row.seen_at).total_seconds() < 30,
        }
        for row in rows
    ]


def _database_now() -> Any:
    return Work.objects.values_list(Now(), flat=True).first() or clock.real_now()


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's has no __class_getitem__
    """For whom and how far a new token speaks."""

    class Meta:
        model = ApiToken
        fields = ("user", "scope")


@admin.register(ApiToken)
class ApiTokenPage(ConsolePage):
    """API tokens: issued once in the open, kept as a hash, revoked and never deleted."""

    list_display = ("token", "user", "scope_now", "created", "used", "standing")
    search_fields = ("hint", "user__username")
    ordering = ("-pk",)
    list_select_related = ("user",)
    form = TokenForm
    fields = ("token", "user", "scope", "created", "used", "standing")
    add_fieldsets = ((None, {"fields": ("user", "scope")}),)
    readonly_fields = ("token", "created", "used", "standing")
    autocomplete_fields = ("user",)
    change_form_outer_after_template = "console/base/token_revoke.html"
    nothing_yet = gettext_lazy("A token lets a program use the REST API in the name of a user.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.readonly_fields if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        text = ApiToken.issue(obj.user, obj.scope)
        issued = ApiToken.objects.get(digest=_digest(text))
        obj.pk, obj.hint = issued.pk, issued.hint
        self.say(request, format_html("{} <code>{}</code>", _("The token, shown only this once:"), text))

    def deeds(self) -> dict[str, Any]:
        return {"revoke": self.revoke}

    def revoke(self, request: HttpRequest, token: ApiToken) -> None:
        if token.revoked_at is None:
            ApiToken.objects.filter(pk=token.pk).update(revoked_at=Now())
            audit.record("apitoken.revoke", user=user_of(request), subject=str(token), request=request)
        self.say(request, _("Revoked: nobody gets in with this token any more."))

    def message_user(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Django's own "was added" would stand over the token."""

    @display(description=gettext_lazy("begins with"))
    def token(self, row: Any) -> str:
        return str(row)

    @display(description=gettext_lazy("scope"))
    def scope_now(self, row: Any) -> str:
        return str(row.get_scope_display())

    @display(description=gettext_lazy("created"), ordering="created_at")
    def created(self, row: Any) -> SafeString:
        return formats.when(row.created_at)

    @display(description=gettext_lazy("last used"), ordering="last_used_at")
    def used(self, row: Any) -> SafeString:
        return formats.ago(row.last_used_at, real=True)

    @display(description=gettext_lazy("status"))
    def standing(self, row: Any) -> SafeString:
        return formats.tag(_("revoked")) if row.revoked_at else formats.tag(_("valid"), "ok")


def _digest(text: str) -> str:
    from scrm.base.models.token import digest

    return digest(text)


@admin.register(AuditRecord)
class AuditPage(ConsolePage):
    """Who did what, when and from where. Nobody changes it."""

    list_display = ("when", "username", "deed_word", "subject", "address")
    list_filter = (("at", DayRangeFilter),)
    search_fields = ("username", "deed", "subject")
    search_help_text = gettext_lazy("User, deed or subject")
    ordering = ("-id",)
    fields = ("when", "username", "deed_word", "subject", "address", "detail")
    readonly_fields = fields
    nothing_yet = gettext_lazy("Deeds that somebody may have to answer for appear here.")

    @display(description=gettext_lazy("at"), ordering="at")
    def when(self, row: Any) -> SafeString:
        return formats.when(row.at)

    @display(description=gettext_lazy("deed"), ordering="deed")
    def deed_word(self, row: Any) -> str:
        return deed_word(row.deed)


def deed_word(deed: str) -> str:
    """The deed in words; an unknown one as it is."""
    words = {
        "sync.start": _("started a full sync"),
        "sync.accept_removals": _("accepted removals of a sync"),
        "callback.replay": _("had callbacks done again"),
        "backup.take": _("took a backup"),
        "backup.restore": _("restored a backup"),
        "audit.prune": _("deleted what was older than the trail is kept"),
        "work.replay": _("had work done again"),
        "apitoken.add": _("issued an API token"),
        "apitoken.issue": _("issued an API token"),
        "apitoken.revoke": _("revoked an API token"),
        "channel.add": _("entered a channel"),
        "channel.change": _("changed a channel"),
        "welcomerule.add": _("wrote a welcome rule"),
        "welcomerule.change": _("changed a welcome rule"),
        "user.add": _("created a user"),
        "user.change": _("changed a user"),
    }
    return words.get(deed, deed)
