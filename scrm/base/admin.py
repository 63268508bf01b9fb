"""Work, tokens and the audit trail: for administrators."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import action, display
from django.db.models import Count, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from scrm.base import audit
from scrm.base.console import formats, naming
from scrm.base.console.audit_words import deed_word, deed_words, detail_lines
from scrm.base.console.filters import DayRangeFilter
from scrm.base.console.pages import ConsolePage
from scrm.base.console.unfold import DropdownFilter
from scrm.base.console.who import user_of
from scrm.base.models import ApiToken, AuditRecord, User, Work
from scrm.base.work import lanes, replay, replay_failed, watch


class LaneFilter(DropdownFilter):
    """Work of one lane (`?lane=welcome`)."""

    title = gettext_lazy("lane")
    parameter_name = "lane"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, naming.title(name)) for name in sorted({*lanes, "inbox"})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(lane=self.value()) if self.value() else queryset


class CauseFilter(DropdownFilter):
    """Failed work with one error (`?cause=…`: how the error begins)."""

    title = gettext_lazy("error")
    parameter_name = "cause"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(item["start"], item["start"][:60]) for item in watch.errors() if item["start"]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        return queryset.filter(state=Work.State.QUARANTINED, error__startswith=self.value())


@admin.register(Work)
class WorkPage(ConsolePage):
    """What has to be done, is being done, or failed and was put aside."""

    views = (
        ("failed", gettext_lazy("Failed")),
        ("open", gettext_lazy("Waiting")),
        ("done", gettext_lazy("Done")),
        ("ignored", gettext_lazy("Ignored")),
    )
    list_display = ("lane_word", "entity", "source", "state_now", "count_attempts", "made", "due", "error_short")
    list_filter = (LaneFilter, CauseFilter, ("created_at", DayRangeFilter))
    search_fields = ("entity",)
    search_help_text = gettext_lazy("Id of a customer, chat or staff member")
    ordering = ("-id",)
    actions = ("replay_chosen",)
    list_before_template = "console/base/work_head.html"
    fields = ("lane_word", "entity", "source", "state_now", "attempts", "made", "due", "settled", "holder", "error")
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

    def prepare(self, request: HttpRequest, rows: list[Any]) -> None:
        pages = naming.source_addresses(rows)
        for row in rows:
            row.source_page = pages.get((row.source_kind, row.source_id), "")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is not None:
            self.prepare(request, [found])
        return found

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {**_state_of_work(), **(extra_context or {})})

    # --- doing it again -------------------------------------------------------------------------------------------------
    @action(description=gettext_lazy("Do the chosen ones again"))
    def replay_chosen(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Asks first: chosen may be all that match."""
        if "confirmed" not in request.POST:
            return self._ask(request, queryset)
        self._replay(request, list(queryset.values_list("source_kind", "source_id")))
        return None

    def _ask(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        rows = queryset.order_by().values_list("lane", "state").annotate(Count("pk"))
        kept = ("action", "select_across", "index", "_selected_action")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext_lazy("Do it again?"),
            "groups": [(naming.title(lane), Work.State(state).label, number) for lane, state, number in sorted(rows)],
            "count": sum(number for _lane, _state, number in rows),
            "kept": [(name, value) for name in kept for value in request.POST.getlist(name)],
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "console/base/work_confirm.html", context)

    def list_deeds(self) -> dict[str, Any]:
        return {"replay-lane": self.replay_lane}

    def replay_lane(self, request: HttpRequest) -> None:
        """All that failed in one lane (`lane` in the form)."""
        lane = request.POST.get("lane", "")
        count = replay_failed(lane)
        audit.record("work.replay", user=user_of(request), request=request, subject=lane, count=count, lane=lane)
        self._say_replayed(request, count)

    def deeds(self) -> dict[str, Any]:
        return {"replay": lambda request, row: self._replay(request, [(row.source_kind, row.source_id)])}

    def _replay(self, request: HttpRequest, sources: list[tuple[str, int]]) -> None:
        kinds: dict[str, list[int]] = {}
        for kind, number in sources:
            kinds.setdefault(kind, []).append(number)
        count = sum(replay(kind, numbers) for kind, numbers in kinds.items())
        subject = ", ".join(f"{kind} #{number}" for kind, number in sources[:10])
        audit.record("work.replay", user=user_of(request), request=request, subject=subject, count=count)
        self._say_replayed(request, count)

    def _say_replayed(self, request: HttpRequest, count: int) -> None:
        text = ngettext("%(n)d piece of work is done again.", "%(n)d pieces of work are done again.", count)
        self.say(
            request,
            text % {"n": count} if count else _("Nothing to do again: the work is still waiting."),
            good=bool(count),
        )

    @display(description=gettext_lazy("lane"))
    def lane_word(self, row: Any) -> str:
        return naming.title(row.lane)

    @display(description=gettext_lazy("source"))
    def source(self, row: Any) -> SafeString | str:
        text = f"{naming.source_title(row.source_kind)} #{row.source_id}"
        return format_html('<a class="c-link" href="{}">{}</a>', row.source_page, text) if row.source_page else text

    @display(description=gettext_lazy("result"))
    def state_now(self, row: Any) -> SafeString:
        kind = {"quarantined": "bad", "waiting": "pri", "leased": "pri", "done": "ok"}.get(row.state, "")
        return formats.tag(row.get_state_display(), kind)

    @display(description=gettext_lazy("attempts"))
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


def _state_of_work() -> dict[str, Any]:
    """What stands above the list: lanes, errors, workers."""
    speeds = watch.settled_lately()
    queue_of = {name: lane.queue for name, lane in lanes.items()}
    return {
        "depths": [
            {
                **item,
                "title": naming.title(item["lane"]),
                "queue": naming.title(queue_of.get(item["lane"], "")),
                "speed": speeds.get(item["lane"], 0),
            }
            for item in watch.depths()
        ],
        "speed_minutes": watch.SPEED_MINUTES,
        "errors": [{**item, "title": naming.title(item["lane"])} for item in watch.errors()],
        "queues": [
            {**item, "title": naming.title(item["queue"]), "serves": [naming.title(name) for name in item["lanes"]]}
            for item in watch.queues()
        ],
    }


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

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        audit.record(
            "apitoken.add", user=user_of(request), subject=str(obj), request=request,
            of=obj.user.get_username(), scope=obj.scope,
        )  # fmt: skip

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


class DeedFilter(DropdownFilter):
    """Records of one deed (`?deed=user.role`)."""

    title = gettext_lazy("deed")
    parameter_name = "deed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return sorted(deed_words().items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(deed=self.value()) if self.value() else queryset


class PersonFilter(DropdownFilter):
    """Records of one user (`?who=alice`)."""

    title = gettext_lazy("user")
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(user.get_username(), str(user)) for user in User.objects.order_by("username")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(username=self.value()) if self.value() else queryset


@admin.register(AuditRecord)
class AuditPage(ConsolePage):
    """Who did what, when and from where. Nobody changes it."""

    list_display = ("when", "who", "deed_word", "subject", "said", "address")
    list_filter = (DeedFilter, PersonFilter, ("at", DayRangeFilter))
    search_fields = ("username", "deed", "subject")
    search_help_text = gettext_lazy("User, deed or subject")
    ordering = ("-id",)
    fields = ("when", "who", "deed_word", "subject", "address", "said_in_full")
    readonly_fields = fields
    nothing_yet = gettext_lazy("Deeds that somebody may have to answer for appear here.")

    @display(description=gettext_lazy("at"), ordering="at")
    def when(self, row: Any) -> SafeString:
        return formats.when(row.at)

    @display(description=gettext_lazy("user"), ordering="username")
    def who(self, row: Any) -> str:
        return row.username or _("nobody, or the command line")

    @display(description=gettext_lazy("deed"), ordering="deed")
    def deed_word(self, row: Any) -> str:
        return deed_word(row.deed)

    @display(description=gettext_lazy("detail"))
    def said(self, row: Any) -> str:
        text = _("; ").join(detail_lines(row.detail))
        return f"{text[:80]}…" if len(text) > 80 else text or formats.NONE

    @display(description=gettext_lazy("detail"))
    def said_in_full(self, row: Any) -> SafeString | str:
        return (
            format_html_join(SafeString("<br>"), "{}", ((line,) for line in detail_lines(row.detail))) or formats.NONE
        )
