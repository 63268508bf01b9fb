"""Full syncs: start, watch, and decide about removals that wait for a person."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import sync
from contacts.models import SyncRun
from scrm.base import audit
from scrm.base.console import formats
from scrm.base.console.pages import ConsolePage
from scrm.base.console.who import user_of

KINDS: dict[str, str | Promise] = {
    "departments": gettext_lazy("departments"),
    "staff": gettext_lazy("staff"),
    "tags": gettext_lazy("tags"),
    "contacts": gettext_lazy("customers by staff member"),
    "chat_list": gettext_lazy("list of group chats"),
    "chats": gettext_lazy("group chats"),
    "removals": gettext_lazy("removals"),
}
COUNTS: dict[str, str | Promise] = {
    "departments": gettext_lazy("departments"),
    "staff": gettext_lazy("staff"),
    "tags": gettext_lazy("tags"),
    "customers": gettext_lazy("customers"),
    "follows": gettext_lazy("friendships"),
    "chats": gettext_lazy("group chats"),
    "members": gettext_lazy("members of chats"),
    "removed": gettext_lazy("removed"),
}
_STATE_KIND = {"running": "pri", "held": "warn", "done": "ok", "failed": "bad"}


@admin.register(SyncRun)
class SyncPage(ConsolePage):
    """Readings of everything the platform shows us."""

    views = (
        ("running", gettext_lazy("Running")),
        ("held", gettext_lazy("Waiting for you")),
        ("done", gettext_lazy("Done")),
        ("failed", gettext_lazy("Failed")),
    )
    list_display = ("run", "state_now", "started", "lasted", "starter", "count_calls", "count_drift", "count_held")
    ordering = ("-pk",)
    detail_template = "console/contacts/sync.html"
    list_before_template = "console/contacts/sync_head.html"
    nothing_yet = gettext_lazy(
        "The first full sync brings departments, staff, customers, tags and chats. It sends nothing to anybody."
    )
    list_select_related = ("started_by",)

    def view_queryset(self, request: HttpRequest, rows: QuerySet[Any], view: str) -> QuerySet[Any]:
        return rows.filter(state=view)

    def get_urls(self) -> list[URLPattern]:
        progress = path(
            "<int:run_id>/progress/", self.admin_site.admin_view(self.progress_view), name="contacts_syncrun_progress"
        )
        return [progress, *super().get_urls()]

    def deeds(self) -> dict[str, Any]:
        return {"accept": self.accept}

    def list_deeds(self) -> dict[str, Any]:
        return {"start": self.start}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        running = SyncRun.objects.filter(state=SyncRun.State.RUNNING).first()
        return super().changelist_view(request, {"running": running, **(extra_context or {})})

    def start(self, request: HttpRequest) -> HttpResponse:
        """The button 立即同步; while one runs, it leads there."""
        run = sync.start(user_of(request))
        audit.record("sync.start", user=user_of(request), subject=f"#{run.pk}", request=request)
        return redirect(self.detail_address(run))

    def accept(self, request: HttpRequest, run: SyncRun) -> None:
        """Lets a held run remove what it found missing."""
        try:
            sync.accept_removals(run, user_of(request))
        except sync.NotHeld:
            self.say(request, _("This sync no longer waits."), good=False)
            return
        audit.record(
            "sync.accept_removals", user=user_of(request), subject=f"#{run.pk}", request=request, held=run.held
        )
        self.say(request, _("Accepted: the removals are being carried out."))

    def detail(self, request: HttpRequest, instance: Any) -> dict[str, Any]:
        return progress_of(instance)

    def progress_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """The part of the page that is fetched again while the run goes on."""
        run = self.find(request, str(run_id))
        if isinstance(run, HttpResponse):
            return run
        return TemplateResponse(request, "console/contacts/sync_progress.html", progress_of(run))

    @display(description=gettext_lazy("sync"), ordering="pk")
    def run(self, row: Any) -> str:
        return f"#{row.pk}" + (f" {_('first sync')}" if row.first else "")

    @display(description=gettext_lazy("result"), ordering="state")
    def state_now(self, row: Any) -> SafeString:
        return state_tag(row)

    @display(description=gettext_lazy("started"), ordering="started_at")
    def started(self, row: Any) -> SafeString:
        return formats.ago(row.started_at)

    @display(description=gettext_lazy("duration"))
    def lasted(self, row: Any) -> str:
        return formats.lasting(_seconds(row))

    @display(description=gettext_lazy("started by"))
    def starter(self, row: Any) -> str:
        return str(row.started_by) if row.started_by else _("schedule")

    @display(description=gettext_lazy("API calls"), ordering="api_calls")
    def count_calls(self, row: Any) -> SafeString:
        return formats.figure(row.api_calls)

    @display(description=gettext_lazy("drift"))
    def count_drift(self, row: Any) -> SafeString:
        return formats.figure(_total(row.drift) if row.finished_at else None)

    @display(description=gettext_lazy("removals held"), ordering="held")
    def count_held(self, row: Any) -> SafeString:
        return formats.figure(row.held)


def state_tag(run: SyncRun) -> SafeString:
    return formats.tag(run.get_state_display(), _STATE_KIND.get(run.state, ""))


def progress_of(run: SyncRun) -> dict[str, Any]:
    """How far a run is: steps by kind, the share done in per cent, counts and drift in words."""
    steps: dict[str, dict[str, Any]] = {}
    for kind, finished_at, pages, rows in run.steps.values_list("kind", "finished_at", "pages", "rows").order_by("pk"):
        step = steps.setdefault(kind, {"label": KINDS.get(kind, kind), "all": 0, "done": 0, "pages": 0, "rows": 0})
        step["all"] += 1
        step["done"] += finished_at is not None
        step["pages"] += pages
        step["rows"] += rows
    now = sync.progress(run)
    whole, done = now.steps, now.steps_done
    running = run.state == SyncRun.State.RUNNING
    share = 100 if run.state in {SyncRun.State.DONE, SyncRun.State.HELD} else (100 * done // whole if whole else 0)
    return {
        "run": run,
        "running": running,
        "state": state_tag(run),
        "steps": list(steps.values()),
        "share": min(99, share) if running else share,
        "seconds": formats.lasting(now.seconds),
        "calls": now.api_calls,
        "waiting": now.waiting,
        "counts": [(COUNTS.get(key, key), value) for key, value in run.counts.items()],
        "drift": [(drift_word(key), value) for key, value in run.drift.items()],
        "drift_total": _total(run.drift),
    }


def drift_word(key: str) -> str | Promise:
    """What a counted difference means."""
    words = {
        "departments_missing": gettext_lazy("departments that we did not know"),
        "departments_gone": gettext_lazy("departments that no longer exist"),
        "staff_missing": gettext_lazy("staff that we did not know"),
        "staff_gone": gettext_lazy("staff who had left unnoticed"),
        "tags_missing": gettext_lazy("tags that we did not know"),
        "tags_gone": gettext_lazy("tags that no longer exist"),
        "customers_missing": gettext_lazy("customers that we did not know"),
        "follows_missing": gettext_lazy("friendships that we did not know"),
        "follows_changed": gettext_lazy("friendships with other remarks or tags"),
        "follows_gone": gettext_lazy("friendships that had ended unnoticed"),
        "follows_of_gone_staff": gettext_lazy("friendships of staff who had left"),
        "chats_missing": gettext_lazy("chats that we did not know"),
        "chats_dismissed": gettext_lazy("chats that no longer exist"),
        "chats_returned": gettext_lazy("chats that are in sight again"),
        "members_missing": gettext_lazy("members that we did not know"),
        "members_gone": gettext_lazy("members who had left unnoticed"),
    }
    return words.get(key, key)


def _seconds(run: SyncRun) -> float | None:
    """Real time that an ended run took."""
    return (run.finished_real_at - run.started_real_at).total_seconds() if run.finished_real_at else None


def _total(drift: dict[str, Any]) -> int:
    return sum(value for value in drift.values() if isinstance(value, int))
