"""What broadcasts add to the pages of customers and chats: what each received, and sending to chosen ones."""

import datetime as dt
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.admin.drafting import IDS, chats_given
from campaigns.admin.words import explain, progress_tag
from campaigns.models import Broadcast, Delivery
from campaigns.sending import rules
from campaigns.sending.plan import MOST_DAYS_AHEAD
from contacts.models import Customer
from groups.models import GroupChat
from scrm.base import clock
from scrm.base.console.panels import add_action, add_panel
from scrm.base.console.who import user_of

SHOWN = 20
MOST_CHOSEN = 50_000  # customers taken over from the list; more are better named by a filter


def received(**recipient: Any) -> tuple[int, int]:
    """(broadcasts that count towards WeCom's receive rule in its present period, how many more it allows). Of this
    system only: what staff send by themselves is known to WeCom alone."""
    rule = rules.receive_rule(clock.now())
    history = clock.day_of(rule.start) - dt.timedelta(days=MOST_DAYS_AHEAD)
    rows = Delivery.objects.filter(plan_date__gte=history, **recipient)
    in_period = Q(state=Delivery.State.SENT, sent_at__gte=rule.start, sent_at__lt=rule.end)
    used = rows.filter(Q(state=Delivery.State.PLANNED) | in_period).count()
    return used, max(0, rule.most - used)


def _panel(request: HttpRequest, **recipient: Any) -> dict[str, Any]:
    used, left = received(**recipient)
    rows = Delivery.objects.filter(**recipient).visible_to(user_of(request)).with_progress()
    recent: list[Any] = list(
        rows.select_related("broadcast", "staff").defer("broadcast__audience").order_by("-plan_date", "-pk")[:SHOWN]
    )
    seen = set(
        Broadcast.objects.visible_to(user_of(request))
        .filter(pk__in=[row.broadcast_id for row in recent])
        .values_list("pk", flat=True)
    )
    return {
        "used": used,
        "left": left,
        "rows": [
            {
                "row": row, "open": row.broadcast_id in seen, "tag": progress_tag(row.progress),
                "why": row.get_reason_display() or explain(row.progress, row.reason),
            }
            for row in recent
        ],
    }  # fmt: skip


def _broadcasts_of_customer(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    return _panel(request, customer=customer)


def _broadcasts_of_chat(request: HttpRequest, chat: GroupChat) -> dict[str, Any]:
    return _panel(request, chat=chat)


def broadcast_to_chats(page: Any, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse:
    keys = list(chosen.filter(dismissed_at__isnull=True).order_by("pk").values_list("pk", flat=True))
    if not keys:
        page.say(request, _("None of the chosen chats exists any more."), good=False)
        return redirect(page.list_address())
    return _compose(request, chats_given(keys))


def broadcast_to_customers(page: Any, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse:
    ids = list(chosen.order_by("pk").values_list("external_userid", flat=True)[: MOST_CHOSEN + 1])
    if len(ids) > MOST_CHOSEN:
        page.say(request, _("Too many to name one by one: make a broadcast by filter."), good=False)
        return redirect(page.list_address())
    return _compose(request, {"aim": IDS, "ids": "\n".join(ids)})


def _compose(request: HttpRequest, given: dict[str, Any]) -> HttpResponse:
    """The form, filled with whom it is for."""
    request.session["broadcast_to"] = given
    return redirect(reverse("admin:campaigns_broadcast_add") + "?chosen=1")


broadcast_to_chats.short_description = gettext_lazy("Broadcast to the chosen chats")  # type: ignore[attr-defined]
broadcast_to_customers.short_description = gettext_lazy("Broadcast to the chosen customers")  # type: ignore[attr-defined]

add_panel("contacts.Customer", "console/campaigns/broadcasts_of.html", _broadcasts_of_customer, order=35)
add_panel("groups.GroupChat", "console/campaigns/broadcasts_of.html", _broadcasts_of_chat, order=35)
add_action("contacts.Customer", broadcast_to_customers, right="campaigns.add_broadcast")
add_action("groups.GroupChat", broadcast_to_chats, right="campaigns.add_broadcast")
