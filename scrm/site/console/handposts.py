"""Manual posts: made here, watched by the ticks of the owners."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import Count, F, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from campaigns import handposts
from campaigns.models import Delivery, HandPost, HandPostTick
from contacts.models import Staff
from scrm.base import clock
from scrm.base.console import formats
from scrm.base.console.filters import DayRangeFilter
from scrm.base.console.pages import ConsolePage
from scrm.base.console.who import user_of
from scrm.base.numbers import whole
from scrm.site.console.handpost_form import FIELDSETS, HandPostForm

_COUNTS = {
    "chats": Count("pk"),
    "done": Count("pk", filter=Q(state="done")),
    "skipped": Count("pk", filter=Q(state="skipped")),
    "left": Count("pk", filter=Q(state="todo")),
    "late": Count("pk", filter=Q(state="done", done_at__gt=F("post__deadline"))),
}


@admin.register(HandPost)
class HandPostPage(ConsolePage):
    """Posts by hand: what, in how many chats, and how far their owners are."""

    open_to_staff = True
    changeable = True
    views = (
        ("open", gettext_lazy("Under way")),
        ("overdue", gettext_lazy("Overdue")),
        ("cancelled", gettext_lazy("Cancelled")),
    )
    list_display = ("post", "state_now", "due", "limit", "count_posted", "count_left", "maker")
    list_filter = (("due_at", DayRangeFilter),)
    search_fields = ("name", "text")
    search_help_text = gettext_lazy("Name or text")
    ordering = ("-pk",)
    list_select_related = ("created_by",)
    detail_template = "console/campaigns/handpost.html"
    form = HandPostForm
    fieldsets = FIELDSETS
    warn_unsaved_form = True
    nothing_yet = gettext_lazy(
        "A manual post gives each owner a list of chats on their task page: they post by themselves and tick."
    )

    def view_queryset(self, request: HttpRequest, rows: QuerySet[Any], view: str) -> QuerySet[Any]:
        if view == "cancelled":
            return rows.filter(cancelled_at__isnull=False)
        unfinished = rows.filter(cancelled_at__isnull=True, pk__in=HandPostTick.objects.todo().values("post"))
        late = Q(deadline__lte=clock.now())
        return unfinished.filter(late if view == "overdue" else ~late)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # owners may have begun: cancel it and make another

    # --- making one ------------------------------------------------------------------------------------------------------
    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        made = super().get_form(request, obj, change=change, **{**kwargs, "fields": None})
        return type(made.__name__, (made,), {"request": request})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        handposts.keep(form.checked)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        """The verb has noted it."""

    # --- the list --------------------------------------------------------------------------------------------------------
    def prepare(self, request: HttpRequest, rows: list[Any]) -> None:
        ticks = HandPostTick.objects.visible_to(user_of(request)).filter(post__in=rows)
        found = ticks.values("post").annotate(**_COUNTS, people=Count("staff", distinct=True, filter=Q(state="todo")))
        counts = {row["post"]: row for row in found.order_by()}
        for row in rows:
            row.counts = counts.get(row.pk, {"chats": 0, "done": 0, "left": 0, "people": 0})

    @display(description=gettext_lazy("manual post"), ordering="name")
    def post(self, row: Any) -> str:
        return str(row)

    @display(description=gettext_lazy("state"))
    def state_now(self, row: Any) -> SafeString:
        return _state(row, row.counts["left"])

    @display(description=gettext_lazy("to be posted from"), ordering="due_at")
    def due(self, row: Any) -> SafeString:
        return formats.when(row.due_at)

    @display(description=gettext_lazy("to be posted by"), ordering="deadline")
    def limit(self, row: Any) -> SafeString:
        return formats.when(row.deadline)

    @display(description=gettext_lazy("chats ticked"))
    def count_posted(self, row: Any) -> SafeString:
        return formats.bar(row.counts["done"], row.counts["chats"])

    @display(description=gettext_lazy("owners not finished"))
    def count_left(self, row: Any) -> SafeString:
        return formats.figure(row.counts["people"])

    @display(description=gettext_lazy("created by"))
    def maker(self, row: Any) -> str:
        return str(row.created_by)

    # --- one post --------------------------------------------------------------------------------------------------------
    def detail(self, request: HttpRequest, instance: Any) -> dict[str, Any]:
        ticks = HandPostTick.objects.visible_to(user_of(request)).filter(post=instance)
        by_owner: Any = ticks.values("staff").annotate(**_COUNTS)  # what it counts is beyond the checker
        owners = list(by_owner.order_by("-left", "staff__name", "staff"))
        names = Staff.objects.in_bulk([row["staff"] for row in owners])
        left = sum(row["left"] for row in owners)
        chosen = names.get(whole(request.GET.get("owner")))
        chats = ticks.select_related("chat", "staff").order_by("staff__name", "chat__name", "pk")
        return {
            "post": instance,
            "state": _state(instance, left),
            "owners": [{**row, "person": names[row["staff"]]} for row in owners],
            "chats": [(tick, _tick(tick, instance)) for tick in chats.filter(staff=chosen)] if chosen else [],
            "chosen": chosen,
            "done": sum(row["done"] for row in owners),
            "whole": sum(row["chats"] for row in owners),
            "left": left,
            "excluded": [(Delivery.Reason(reason).label, count) for reason, count in instance.excluded.items()],
            "may_change": instance.cancelled_at is None and self.may_do(request, "cancel"),
            "may_cancel": HandPost.objects.wholly_visible_to(user_of(request)).filter(pk=instance.pk).exists(),
            "is_due": instance.due_at <= clock.now(),
        }

    def deeds(self) -> dict[str, Any]:
        return {"cancel": self.cancel, "remind": self.remind}

    def cancel(self, request: HttpRequest, row: Any) -> None:
        if handposts.cancel(row, user_of(request)):
            self.say(request, _("Cancelled: it is off the task pages."))
        else:
            self.say(request, _("Somebody cancelled it before."), good=False)

    def remind(self, request: HttpRequest, row: Any) -> None:
        count = handposts.remind(row, user_of(request))
        if count:
            words = ngettext("%(n)d member gets a reminder.", "%(n)d members get a reminder.", count)
            self.say(request, words % {"n": count})
        else:
            self.say(request, _("Nobody is left to remind, or they were reminded within this hour."), good=False)


def _state(post: HandPost, left: int) -> SafeString:
    now = clock.now()
    if post.cancelled_at:
        return formats.tag(_("cancelled"))
    if not left:
        return formats.tag(_("finished"), "ok")
    if post.deadline <= now:
        return formats.tag(_("overdue"), "bad")
    return formats.tag(_("under way"), "pri") if post.due_at <= now else formats.tag(_("planned"))


def _tick(tick: HandPostTick, post: HandPost) -> SafeString:
    if tick.state == HandPostTick.State.DONE:
        late = tick.done_at is not None and tick.done_at > post.deadline
        return formats.tag(_("posted late") if late else _("posted"), "warn" if late else "ok")
    return formats.tag(tick.get_state_display())
