"""Messages of our app to staff, as they went out."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from contacts.models import Notice
from scrm.base.console import formats
from scrm.base.console.filters import DayRangeFilter
from scrm.base.console.pages import ConsolePage

_STATE_KIND = {"waiting": "pri", "sending": "pri", "sent": "ok", "failed": "bad", "unknown": "warn"}


@admin.register(Notice)
class NoticePage(ConsolePage):
    """What each member was told, when, and why not."""

    open_to_staff = True
    views = (
        ("waiting", gettext_lazy("Waiting")),
        ("sent", gettext_lazy("Sent")),
        ("failed", gettext_lazy("Not sent")),
        ("unknown", gettext_lazy("No answer")),
    )
    list_display = ("person", "title", "state_now", "why", "made", "sent")
    list_filter = (("created_at", DayRangeFilter),)
    search_fields = ("title", "staff__name", "staff__userid")
    search_help_text = gettext_lazy("Title, or name or userid of the staff member")
    ordering = ("-pk",)
    list_select_related = ("staff",)
    fields = ("person", "title", "description", "url", "state_now", "why", "made", "limit", "sent")
    readonly_fields = fields
    nothing_yet = gettext_lazy("Reminders that the app sends to staff appear here.")

    def view_queryset(self, request: HttpRequest, rows: QuerySet[Any], view: str) -> QuerySet[Any]:
        states = {"waiting": ["waiting", "sending"], "sent": ["sent"], "failed": ["failed"], "unknown": ["unknown"]}
        return rows.filter(Q(state__in=states.get(view, [])))

    @display(description=gettext_lazy("staff member"), ordering="staff__name")
    def person(self, row: Any) -> str:
        return str(row.staff)

    @display(description=gettext_lazy("state"), ordering="state")
    def state_now(self, row: Any) -> SafeString:
        return formats.tag(row.get_state_display(), _STATE_KIND.get(row.state, ""))

    @display(description=gettext_lazy("reason"))
    def why(self, row: Any) -> str:
        return row.error or formats.NONE

    @display(description=gettext_lazy("created"), ordering="created_at")
    def made(self, row: Any) -> SafeString:
        return formats.ago(row.created_at)

    @display(description=gettext_lazy("send before"))
    def limit(self, row: Any) -> str:
        return formats.moment(row.send_before)

    @display(description=gettext_lazy("sent"), ordering="sent_at")
    def sent(self, row: Any) -> SafeString:
        return formats.ago(row.sent_at)
