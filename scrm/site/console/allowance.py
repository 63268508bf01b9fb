"""How many broadcasts groups and customers may still receive in this period (WeCom's receive rule, platform.md 1)."""

import datetime as dt
import threading
import time
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet

from campaigns.admin.words import RULES
from campaigns.models import Delivery
from campaigns.sending import rules
from campaigns.sending.plan import MOST_DAYS_AHEAD
from groups.models import GroupChat
from scrm.base import clock
from scrm.base.models import User

FEW = 3
REMEMBERED_SECONDS = 300.0  # a corp of 320,000 has millions of deliveries a month, and the page asks twice a minute
_MOST_REMEMBERED = 200

_remembered: dict[tuple[Any, ...], tuple[float, dict[str, Any]]] = {}
_lock = threading.Lock()


def remembered(user: User) -> dict[str, Any]:
    """`allowance` as it was at most REMEMBERED_SECONDS ago."""
    rule = rules.receive_rule(clock.now())
    key = (user.pk, user.date_joined, user.has_full_scope, tuple(user.department_ids), user.wecom_userid, rule)
    with _lock:
        kept = _remembered.get(key)
    if kept and time.monotonic() - kept[0] < REMEMBERED_SECONDS:
        return kept[1]
    found = allowance(user)
    with _lock:
        if len(_remembered) >= _MOST_REMEMBERED:
            _remembered.clear()
        _remembered[key] = (time.monotonic(), found)
    return found


def allowance(user: User) -> dict[str, Any]:
    """Groups and customers at the limit and near it, and how often WeCom refused because they had received enough.

    Counts what we sent; what staff sent by themselves counts on the platform too, and no API tells it. Whom WeCom refused
    in this period is at the limit, whatever we count.
    """
    rule = rules.receive_rule(clock.now())
    living = GroupChat.objects.visible_to(user).living()
    sent, over = _sent(user, rule), _refused(user, rule)
    chats = dict(sent.filter(chat__in=living).values_list("chat").annotate(Count("pk")))
    many = sent.filter(customer__isnull=False).values("customer").annotate(n=Count("pk")).filter(n__gte=rule.most - FEW)
    customers = dict(many.values_list("customer", "n"))
    over_chats = dict(over.filter(chat__in=living).values_list("chat").annotate(Count("pk")))
    over_customers = dict(over.filter(customer__isnull=False).values_list("customer").annotate(Count("pk")))
    chats_full, customers_full = _full(chats, over_chats, rule), _full(customers, over_customers, rule)
    total = living.count()
    return {
        "rule": rule,
        "words": RULES[settings.RECEIVE_RULE],
        "until": clock.day_of(rule.end),
        "chats": total,
        "chats_full": len(chats_full),
        "chats_near": sum(n >= rule.most - FEW for chat, n in chats.items() if chat not in chats_full),
        "chats_mean": sum(chats.values()) / total if total else None,
        "customers_near": len(customers.keys() - customers_full),
        "customers_full": len(customers_full),
        "over_chats": sum(over_chats.values()),
        "over_customers": sum(over_customers.values()),
    }


def _full(received: dict[int, int], over: dict[int, int], rule: rules.ReceiveRule) -> set[int]:
    return {key for key, n in received.items() if n >= rule.most} | over.keys()


def _sent(user: User, rule: rules.ReceiveRule) -> QuerySet[Delivery]:
    sent = _of_period(user, rule).filter(state=Delivery.State.SENT)
    return sent.filter(sent_at__gte=rule.start, sent_at__lt=rule.end)


def _refused(user: User, rule: rules.ReceiveRule) -> QuerySet[Delivery]:
    over = _of_period(user, rule).filter(state=Delivery.State.OVER_QUOTA)
    return over.filter(dispatch__confirmed_at__gte=rule.start, dispatch__confirmed_at__lt=rule.end)


def _of_period(user: User, rule: rules.ReceiveRule) -> QuerySet[Delivery]:
    """Those that may have been confirmed in the rule's period: planned in it, or up to a month before."""
    earliest = clock.day_of(rule.start) - dt.timedelta(days=MOST_DAYS_AHEAD)
    return Delivery.objects.visible_to(user).filter(plan_date__gte=earliest).order_by()
