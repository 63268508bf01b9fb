"""The manager's pages. Each stands inside the console's frame; every filter stands in the address."""

from typing import Any, Final, cast

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from analytics import fill, sendings, welcomes
from analytics.funnels import TITLES, funnel_rows
from analytics.metrics import METRICS
from analytics.metrics import dictionary as definitions
from analytics.query import Unanswerable, snapshot
from analytics.rows import Row, Rows
from analytics.rows import rows as rows_of
from analytics.scope import Asker
from campaigns.models import Delivery, Dispatch, Welcome
from contacts.connection import connected_at
from contacts.models import Channel, Customer, Department, Follow, Staff
from groups.models import GroupChat
from scrm.base import clock
from scrm.base.console.who import user_of
from scrm.base.models import User
from scrm.site.console.frame import View, console_page, show
from scrm.site.dashboards import broadcasts, cards, greetings, steps, trends, wording
from scrm.site.dashboards.asked import EVERYTHING, PRESETS, TABLES, Asked, asked

PAGE_SIZE: Final = 50
SECTIONS: Final = ("cards", "broadcasts", "funnel", "table", "welcome")

# Unfold's frame needs eval (Alpine) and inline styles; scripts come from our own files only.
_POLICY: Final = {
    "default-src": [SELF],
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "connect-src": [SELF],
    "object-src": [NONE],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}


def page(view: View) -> View:
    """For people who are logged in, read only, with a strict content policy."""
    return cast("View", csp_replace(_POLICY)(require_GET(console_page(view))))


@page
def overview(request: HttpRequest) -> HttpResponse:
    """Numbers, funnel, split, trends, welcomes."""
    question = asked(request.GET).whole_chats
    context = {**_content(question, user_of(request)), **_choices(question, user_of(request))}
    return show(request, "dashboards/overview.html", _("Funnel and overview"), context)


@page
def data(request: HttpRequest) -> HttpResponse:
    """The overview's parts for its polling; only the hour when nothing changed since `stamp`."""
    question = asked(request.GET).whole_chats
    answer: dict[str, Any] = {"stamp": _stamp(), "updated": _updated()}
    if request.GET.get("stamp") == answer["stamp"]:
        return JsonResponse(answer)
    content = _content(question, user_of(request))
    parts = {name: render_to_string(f"dashboards/parts/{name}.html", content, request) for name in SECTIONS}
    tables = {
        f"trend-{chart['name']}": render_to_string("dashboards/parts/chart_table.html", {"chart": chart}, request)
        for chart in content["trends"]
    }
    return JsonResponse({**answer, "stamp": content["stamp"], "parts": parts | tables, "charts": content["charts"]})


@page
def rows(request: HttpRequest, metric: str) -> HttpResponse:
    """The rows behind a number: as many as it says."""
    question, user = asked(request.GET), user_of(request)
    part = request.GET.get("part", "value")
    if metric not in METRICS or part not in ("value", "numerator", "denominator"):
        raise Http404
    span = {"start": question.start, "end": question.end, "filters": question.filters, "user": user}
    outcome = request.GET.get("outcome", "")
    try:
        if metric == welcomes.METRIC and outcome in Welcome.Outcome.values:
            found = welcomes.outcome_rows(outcome, **span)  # type: ignore[arg-type]
        elif metric == sendings.METRIC and outcome in Delivery.State.values:
            found = sendings.progress_rows(outcome, **span)  # type: ignore[arg-type]
        else:
            found = rows_of(metric, part=part, **span)  # type: ignore[arg-type]
    except Unanswerable as error:
        raise Http404 from error
    declared = METRICS[metric]
    said = {"numerator": _("numerator"), "denominator": _("denominator")}.get(part if declared.is_rate else "", "")
    if metric == welcomes.METRIC and outcome in Welcome.Outcome.values:
        said = str(Welcome.Outcome(outcome).label)
    elif metric == sendings.METRIC and outcome in Delivery.State.values:
        said = str(Delivery.State(outcome).label)
    return _list(request, question, found, str(declared.title), said, str(declared.definition))


@page
def people(request: HttpRequest) -> HttpResponse:
    """The people behind a step of the funnel."""
    question, user = asked(request.GET).whole_chats, user_of(request)
    step, outcome = request.GET.get("step", ""), request.GET.get("outcome", "reached")
    said = {
        "reached": _("reached this step"),
        "dropped": steps.dropped_words().get(step, ""),
        "waiting": _("window not over yet"),
    }
    if step not in TITLES or outcome not in said:
        raise Http404
    found = funnel_rows(
        steps.NAMES, question.start, question.end, steps.WINDOW_DAYS,
        step=step, outcome=outcome, user=user, filters=question.filters,  # type: ignore[arg-type]
    )  # fmt: skip
    explanation = _("New customers of the interval, who took the steps one after the other.")
    return _list(request, question, found, str(TITLES[step]), said[outcome], explanation)


@page
def dictionary(request: HttpRequest) -> HttpResponse:
    """Every number's one definition."""
    return show(request, "dashboards/dictionary.html", _("Definitions"), {"metrics": definitions()})


def _content(question: Asked, user: User) -> dict[str, Any]:
    """Everything that moves, counted at one moment, so that the parts of a page agree."""
    with snapshot():
        return _counted(question, Asker(user))


def _counted(question: Asked, asker: Asker) -> dict[str, Any]:
    drawn = trends.trends(question, asker)
    user = asker.user
    return {
        "asked": question,
        "cards": cards.cards(question, asker),
        "broadcasts": broadcasts.broadcasts(question, asker),
        **steps.funnel_and_table(question, asker),
        "trends": drawn,
        "charts": {chart["name"]: {key: chart[key] for key in ("days", "series", "aria", "empty")} for chart in drawn},
        "welcome": greetings.greetings(question, asker),
        "connected": cards.connection_note(question, asker),
        "never_connected": asker.connected is None and not Customer.objects.exists(),
        "sees": user.has_full_scope or Staff.objects.visible_to(user).exists(),
        "stamp": _stamp(),
        "updated": _updated(),
        "table_links": [(name, _table_titles()[name], question.address(table=name)) for name in TABLES],
    }


def _table_titles() -> dict[str, str]:
    return {"channel": _("Channel"), "staff": _("Staff member"), "group_chat": _("Group chat")}


def _choices(question: Asked, user: User) -> dict[str, Any]:
    """The bar of filters: what may be chosen, and what is."""
    departments = [(str(row.pk), row.name) for row in Department.objects.present().visible_to(user).order_by("path")]
    channels = [(row.state, row.name) for row in Channel.objects.visible_to(user)[:300]]
    staff = Staff.objects.visible_to(user).filter(serves_customers=True).order_by("name")[:500]
    chosen = question.filters
    return {
        "presets": [(days, question.address(days=days), days == question.preset) for days in PRESETS],
        "selects": [
            ("department", _scope_words(user), str(chosen.department or EVERYTHING), departments),
            ("channel", _("All channels"), EVERYTHING if chosen.channel is None else chosen.channel, [*channels, ("", _("Without channel"))]),
            ("staff", _("All staff"), EVERYTHING if chosen.staff is None else chosen.staff, [(row.userid, str(row)) for row in staff]),
        ],
    }  # fmt: skip


def _scope_words(user: User) -> str:
    return _("Whole company") if user.has_full_scope else _("My departments")


def _stamp() -> str:
    """Changes whenever a number of the page may: facts were rewritten, a task of today moved, a day began, the corp was connected."""
    today = clock.today()
    return f"{fill.last_change()}|{sendings.last_change(today)}|{today}|{connected_at()}"


def _updated() -> str:
    at = fill.updated_at()
    return date_format(at.astimezone(clock.zone()), "H:i") if at else ""


def _list(request: HttpRequest, question: Asked, found: Rows, title: str, said: str, definition: str) -> HttpResponse:
    paginator: Paginator[Row] = Paginator(found, PAGE_SIZE)  # type: ignore[arg-type]
    shown: Page[Row] = paginator.get_page(request.GET.get("page"))
    user, on_page = user_of(request), list(shown.object_list)
    ids = [row.customer_id for row in on_page if row.customer_id]
    chats = {row.chat_id for row in on_page if row.chat_id}
    open_chats = dict(GroupChat.objects.visible_to(user).filter(chat_id__in=chats).values_list("chat_id", "pk"))
    listed = [{**vars(row), "chat_pk": open_chats.get(row.chat_id), "remark": _remark(row)} for row in on_page]
    return show(request, "dashboards/rows.html", title, {
        "asked": question,
        "said": said,
        "definition": definition,
        "page": shown,
        "listed": listed,
        "filters": _filter_words(question, user),
        "open_customers": set(Customer.objects.visible_to(user).filter(pk__in=ids).values_list("pk", flat=True)),
        "chats_shown": bool(chats),
        "query": _without_page(request.GET),
        "back": question.address(),
    })  # fmt: skip


def _remark(row: Row) -> str:
    """What else is known of a row: who ended it, what became of the welcome and how fast, or of the delivery or task."""
    if row.source in ("losses", "lost_customers"):
        return _("ended by %(who)s") % {"who": Follow.EndedBy(row.detail).label}
    if row.source == "welcomes":
        took = wording.lasting(row.value / 1000) if row.value >= 0 else ""
        return " · ".join(filter(None, [str(Welcome.Outcome(row.detail).label), took]))
    if row.source == "delivery":
        reached = _("%(n)s people") % {"n": wording.count(row.value)} if row.chat_id and row.value else ""
        return " · ".join(filter(None, [str(Delivery.State(row.detail).label), reached]))
    if row.source == "task":
        words = {"on_time": _("confirmed in time"), "late": _("confirmed late")}
        return str(words.get(row.detail) or Dispatch.State(row.detail).label)
    return ""


def _filter_words(question: Asked, user: User) -> list[str]:
    """What the list is narrowed to. What the user may not see keeps the id that stands in the address anyway."""
    chosen, words = question.filters, []
    if chosen.channel is not None:
        named = Channel.objects.visible_to(user).filter(state=chosen.channel).values_list("name", flat=True).first()
        words.append(f"{_('Channel')}: {named or chosen.channel or _('Without channel')}")
    if chosen.staff is not None:
        member = Staff.objects.visible_to(user).filter(userid=chosen.staff).first()
        words.append(f"{_('Staff member')}: {member or chosen.staff or _('Nobody')}")
    if chosen.group_chat is not None:
        chat = GroupChat.objects.visible_to(user).filter(chat_id=chosen.group_chat).first()
        words.append(f"{_('Group chat')}: {chat or chosen.group_chat}")
    if chosen.department is not None:
        department = Department.objects.visible_to(user).filter(pk=chosen.department).first()
        words.append(f"{_('Department')}: {department or chosen.department}")
    return words


def _without_page(given: QueryDict) -> str:
    kept = given.copy()
    kept.pop("page", None)
    return kept.urlencode()
