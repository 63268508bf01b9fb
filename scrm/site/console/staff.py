"""Staff with what they do: customers and room left, group chats, tasks to confirm, the console user who they are."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin import display
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from campaigns.models import Dispatch
from contacts.admin.staff import StaffPage
from contacts.models import Staff
from groups.models import GroupChat
from scrm.base import clock
from scrm.base.console import formats
from scrm.base.console.who import user_of
from scrm.base.models import User
from scrm.site.console.work_words import broadcast_page

_NO_NUMBER = format_html('<span class="c-num">{}</span>', formats.NONE)
DAYS = 30  # over which the confirm rate is taken
NEARLY_FULL = 0.9  # of STAFF_CAPACITY (platform.md 23)
_SHOWN_TASKS = 100
_STATE_KIND = {
    Dispatch.State.SENT: "pri", Dispatch.State.SENDING: "pri", Dispatch.State.CONFIRMED: "ok",
    Dispatch.State.UNCONFIRMED: "warn", Dispatch.State.UNKNOWN: "warn", Dispatch.State.REFUSED: "bad",
    Dispatch.State.UNREAD: "bad",
}  # fmt: skip

admin.site.unregister(Staff)


@admin.register(Staff)
class StaffAtWorkPage(StaffPage):
    """The list of contacts.admin.staff with what higher rooms know of each."""

    views = (*StaffPage.views, ("full", gettext_lazy("Nearly full")))
    list_display = (
        "person", "department_names", "status_now", "count_customers", "count_room", "count_chats", "count_waiting",
        "count_confirmed", "console_user",
    )  # fmt: skip
    detail_template = "console/staff.html"

    def view_queryset(self, request: HttpRequest, rows: QuerySet[Any], view: str) -> QuerySet[Any]:
        if view != "full":
            return super().view_queryset(request, rows, view)
        kept = Count("follows", filter=Q(follows__ended_at__isnull=True))
        full = Staff.objects.present().annotate(kept=kept).filter(kept__gte=settings.STAFF_CAPACITY * NEARLY_FULL)  # type: ignore[misc]
        return rows.filter(pk__in=full.values("pk"))

    def prepare(self, request: HttpRequest, rows: list[Any]) -> None:
        super().prepare(request, rows)
        chats = GroupChat.objects.living().filter(owner__in=rows).order_by().values_list("owner")
        owned = dict(chats.annotate(Count("pk")))
        tasks = {row["staff"]: row for row in _tasks_of(rows)}
        users = {user.wecom_userid: user for user in User.objects.filter(wecom_userid__in=[row.userid for row in rows])}
        for row in rows:
            counted = tasks.get(row.pk, {})
            row.chats = owned.get(row.pk, 0)
            row.waiting, row.made, row.confirmed = (counted.get(name, 0) for name in ("waiting", "made", "confirmed"))
            row.user = users.get(row.userid)
            row.links_to_user = user_of(request).is_superuser

    def detail(self, request: HttpRequest, instance: Any) -> dict[str, Any]:
        start = clock.now() - dt.timedelta(days=DAYS)
        tomorrow = clock.day_start(clock.today() + dt.timedelta(days=1))
        rows = Dispatch.objects.filter(staff=instance).filter(
            Q(sent_at__gte=start) | Q(broadcast__create_at__range=(start, tomorrow)) | Q(state=Dispatch.State.SENT)
        )
        tasks = list(rows.with_broadcast().order_by("-broadcast__create_at", "-pk")[:_SHOWN_TASKS])
        today = clock.today()
        shown = [_task(task, today) for task in tasks]
        return {
            "staff": instance,
            "status": self.status_now(instance),
            "departments": "、".join(instance.departments),
            "customers": self.count_customers(instance),
            "capacity": settings.STAFF_CAPACITY,
            "room": _room(instance.customers),
            "kind": _fullness(instance.customers),
            "rate": instance.confirmed / instance.made if instance.made else None,
            "user_link": self.console_user(instance),
            "tasks_today": [task for task in shown if task["today"]],
            "tasks_before": [task for task in shown if not task["today"]],
            "more": len(tasks) == _SHOWN_TASKS,
            "days": DAYS,
            "waiting_link": _waiting_address(instance),
        }

    @display(description=gettext_lazy("room left"))
    def count_room(self, row: Any) -> SafeString:
        if row.left_at or not row.serves_customers:
            return _NO_NUMBER
        share = min(100.0, 100 * row.customers / settings.STAFF_CAPACITY)
        return format_html(
            '<span class="c-fill"><span class="c-num">{}</span>'
            '<span class="c-bar t"><i class="{}" style="width:{}%"></i></span></span>',
            formats.number(_room(row.customers)), _fullness(row.customers), f"{share:.1f}",
        )  # fmt: skip

    @display(description=gettext_lazy("group chats owned"))
    def count_chats(self, row: Any) -> SafeString:
        link = f"{reverse('admin:groups_groupchat_changelist')}?owner={row.userid}&view=living"
        return formats.figure(row.chats, link if row.chats else "")

    @display(description=gettext_lazy("tasks to confirm"))
    def count_waiting(self, row: Any) -> SafeString:
        return formats.figure(row.waiting, _waiting_address(row) if row.waiting else "")

    @display(description=gettext_lazy("confirmed, 30 days"))
    def count_confirmed(self, row: Any) -> SafeString:
        if not row.made:
            return _NO_NUMBER
        share = formats.percent(row.confirmed / row.made, 0)
        return format_html('<span class="c-num" title="{} / {}">{}</span>', row.confirmed, row.made, share)

    @display(description=gettext_lazy("console user"))
    def console_user(self, row: Any) -> SafeString | str:
        if row.user is None:
            return formats.NONE
        return formats.page_of(row.user) if row.links_to_user else str(row.user)


def _tasks_of(rows: list[Any]) -> QuerySet[Any, Any]:
    """`{"staff", "waiting", "made", "confirmed"}`: waiting now; made within DAYS and confirmed of those (metrics.md
    `confirm_rate`)."""
    recent = Q(sent_at__gte=clock.now() - dt.timedelta(days=DAYS))
    tasks: QuerySet[Any] = Dispatch.objects.filter(Q(state=Dispatch.State.SENT) | recent, staff__in=rows)
    counted: QuerySet[Any, Any] = (
        tasks.order_by()
        .values("staff")
        .annotate(
            waiting=Count("pk", filter=Q(state=Dispatch.State.SENT)),
            made=Count("pk", filter=recent),
            confirmed=Count("pk", filter=recent & Q(state=Dispatch.State.CONFIRMED)),
        )
    )
    return counted


def _task(task: Dispatch, today: dt.date) -> dict[str, Any]:
    took = task.confirmed_at - task.sent_at if task.confirmed_at and task.sent_at else None
    return {
        "row": task,
        "page": broadcast_page(task.broadcast_id),
        "state": formats.tag(task.get_state_display(), _STATE_KIND.get(Dispatch.State(task.state), "")),
        "today": clock.day_of(task.sent_at or task.broadcast.create_at) == today or task.state == Dispatch.State.SENT,
        "took": took.total_seconds() if took else None,
    }


def _room(customers: int) -> int:
    return max(0, int(settings.STAFF_CAPACITY) - customers)


def _fullness(customers: int) -> str:
    if customers >= settings.STAFF_CAPACITY:
        return "bad"
    return "warn" if customers >= settings.STAFF_CAPACITY * NEARLY_FULL else ""


def _waiting_address(row: Any) -> str:
    return f"{reverse('console:tasks')}?q={row.userid}"
