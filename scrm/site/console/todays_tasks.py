"""Today's tasks: which staff member has still to confirm what, since when, until when; and reminding them."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Min, Q, Sum
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from campaigns.models import Broadcast, Dispatch
from campaigns.querysets import DispatchQuerySet
from campaigns.sending import remind
from contacts.models import Staff
from scrm.base import clock
from scrm.base.console.who import user_of
from scrm.base.models import User
from scrm.base.numbers import whole
from scrm.site.console.frame import console_page, show
from scrm.site.console.work_words import broadcast_page

PEOPLE_A_PAGE = 20
SOON = dt.timedelta(minutes=30)  # what must be confirmed within it is shown first
RIGHT = "campaigns.approve_broadcast"
_ASKED = ("view", "q", "broadcast")  # the filters in the address


@dataclass(frozen=True)
class Task:
    """One task that waits. `used`: reminders of the last 24 hours, of remind.MOST; `late`, `soon`: against its deadline."""

    dispatch: Dispatch
    page: str
    used: int
    late: bool
    soon: bool

    @property
    def left(self) -> int:
        return max(0, remind.MOST - self.used)


@dataclass(frozen=True)
class Person:
    """A staff member with the tasks that wait for them, the most urgent first."""

    staff: Staff
    tasks: list[Task]

    @property
    def remindable(self) -> list[int]:
        return [task.dispatch.pk for task in self.tasks if task.left]


@console_page
def page(request: HttpRequest) -> HttpResponse:
    """Who still has to confirm, within the user's scope. `?view=soon|late`, `?q=` (staff), `?broadcast=` (its id)."""
    user = user_of(request)
    waiting = chosen(user, request.GET)
    order = waiting.order_by().values_list("staff").annotate(first=Min("broadcast__confirm_by"), number=Count("pk"))
    found = Paginator(order.order_by("first", "staff"), PEOPLE_A_PAGE).get_page(request.GET.get("page"))
    people = people_of(waiting, [key for key, _first, _number in found.object_list])
    kept = _kept(request.GET)
    return show(request, "console/todays_tasks.html", _("Today's tasks"), {
        "people": people,
        "page": found,
        "total": waiting.count(),
        "day": day(user),
        "tabs": _tabs(user, request.GET),
        "query": kept.urlencode(),
        "term": kept.get("q", ""),
        "broadcast": _broadcast(user, kept.get("broadcast", "")),
        "may_remind": user.has_perm(RIGHT),
        "most": remind.MOST,
        "filtered": bool(kept),
        "sees": user.has_full_scope or Staff.objects.visible_to(user).exists(),
    })  # fmt: skip


@console_page
@require_POST
def remind_staff(request: HttpRequest) -> HttpResponse:
    """Reminds of the tasks named by `dispatch`, or of all that match the filters in `query` where `all` is given."""
    user = user_of(request)
    if not user.has_perm(RIGHT):
        raise PermissionDenied
    kept = _kept(QueryDict(request.POST.get("query", "")))
    if "all" in request.POST:
        tasks = chosen(user, kept)
    else:
        named = map(whole, request.POST.getlist("dispatch"))
        tasks = Dispatch.objects.visible_to(user).filter(pk__in=[number for number in named if number is not None])
    asked = remind.remind(tasks, user, request)
    level = messages.SUCCESS if asked.reminded else messages.WARNING
    messages.add_message(request, level, _in_words(asked))
    address = reverse("console:tasks")
    return redirect(f"{address}?{kept.urlencode()}" if kept else address)


def chosen(user: User, asked: QueryDict) -> DispatchQuerySet:
    """Tasks that wait, within the user's scope, as the filters of the address choose them."""
    waiting: DispatchQuerySet = Dispatch.objects.visible_to(user).waiting()
    now = clock.now()
    if asked.get("view") == "soon":
        waiting = waiting.filter(broadcast__confirm_by__gt=now, broadcast__confirm_by__lte=now + SOON)
    elif asked.get("view") == "late":
        waiting = waiting.filter(broadcast__confirm_by__lte=now)
    term = asked.get("q", "").strip()
    if term:
        waiting = waiting.filter(Q(staff__name__icontains=term) | Q(staff__userid=term))
    broadcast = asked.get("broadcast", "")
    if broadcast:
        number = whole(broadcast)
        waiting = waiting.none() if number is None else waiting.filter(broadcast=number)
    return waiting


def people_of(waiting: DispatchQuerySet, staff_ids: list[int]) -> list[Person]:
    """These staff members in this order, each with the tasks of `waiting`."""
    tasks = waiting.filter(staff__in=staff_ids).with_broadcast().order_by("broadcast__confirm_by", "pk")
    rows = list(tasks)
    used = remind.used(rows)
    now = clock.now()
    of: dict[int, list[Task]] = {key: [] for key in staff_ids}
    for row in rows:
        deadline = row.broadcast.confirm_by
        of[row.staff_id].append(
            Task(
                row,
                broadcast_page(row.broadcast_id),
                used.get(row.pk, 0),
                late=deadline <= now,
                soon=now < deadline <= now + SOON,
            )
        )
    return [Person(tasks[0].dispatch.staff, tasks) for tasks in of.values() if tasks]


def day(user: User) -> dict[str, Any]:
    """The company day in figures: tasks made, confirmed and to come, recipients who wait, and who is missing."""
    start = clock.day_start(clock.today())
    end = clock.day_start(clock.today() + dt.timedelta(days=1))
    seen: DispatchQuerySet = Dispatch.objects.visible_to(user)
    made = seen.filter(sent_at__gte=start, sent_at__lt=end)
    to_come = seen.filter(state=Dispatch.State.PLANNED, broadcast__create_at__gte=start, broadcast__create_at__lt=end)
    waiting = seen.filter(state=Dispatch.State.SENT)
    figures = waiting.aggregate(tasks=Count("pk"), people=Count("staff", distinct=True), recipients=Sum("recipients"))
    first = waiting.order_by().values_list("staff__name", "staff__userid").annotate(first=Min("broadcast__confirm_by"))
    return {
        "made": made.count(),
        "confirmed": made.filter(state=Dispatch.State.CONFIRMED).count(),
        "to_come": to_come.filter(broadcast__state__in=[Broadcast.State.PLANNED, Broadcast.State.RUNNING]).count(),
        "waiting": figures["tasks"],
        "people": figures["people"],
        "recipients": figures["recipients"] or 0,
        "names": [name or userid for name, userid, _first in first.order_by("first")[:3]],
    }


def _in_words(asked: remind.Asked) -> str:
    parts = [
        ngettext("%(n)d task is reminded of.", "%(n)d tasks are reminded of.", asked.reminded) % {"n": asked.reminded}
    ]
    if asked.too_often:
        parts.append(_("%(n)d had all %(most)d reminders of 24 hours.") % {"n": asked.too_often, "most": remind.MOST})
    if asked.not_waiting:
        parts.append(_("%(n)d no longer waited.") % {"n": asked.not_waiting})
    return " ".join(parts)


def _tabs(user: User, asked: QueryDict) -> list[dict[str, Any]]:
    tabs = []
    for view, label in (("", _("All")), ("soon", _("Due within 30 minutes")), ("late", _("Overdue"))):
        kept = _kept(asked)
        kept.pop("view", None)
        if view:
            kept["view"] = view
        tabs.append({
            "label": label, "address": f"?{kept.urlencode()}", "chosen": view == asked.get("view", ""),
            "count": chosen(user, kept).count(),
        })  # fmt: skip
    return tabs


def _kept(asked: QueryDict) -> QueryDict:
    """The filters of an address without the page."""
    kept = QueryDict(mutable=True)
    for name in _ASKED:
        if asked.get(name):
            kept[name] = str(asked[name])
    return kept


def _broadcast(user: User, text: str) -> Broadcast | None:
    number = whole(text)
    return None if number is None else Broadcast.objects.visible_to(user).defer("audience").filter(pk=number).first()
