"""What happened lately, in sentences: friendships, chats, confirmed broadcasts, welcomes that did not go out."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns.models import Dispatch, Welcome
from contacts.models import Channel, Customer, Follow
from groups.models import Stay
from scrm.base import clock
from scrm.base.models import User
from scrm.site.console.work_words import broadcast_page

SHOWN = 16
_RECENT = dt.timedelta(days=2)


@dataclass(frozen=True)
class Happening:
    """One sentence. `icon` is a Material symbol; `kind` ok | warn | bad | "" its colour."""

    at: dt.datetime
    icon: str
    kind: str
    text: str
    link: str


def happenings(user: User) -> list[Happening]:
    """The latest within the user's sight, newest first."""
    since = clock.now() - _RECENT
    found = [*_follows(user, since), *_stays(user, since), *_confirmed(user, since), *_welcomes(user, since)]
    return sorted(found, key=lambda item: item.at, reverse=True)[:SHOWN]


def _name(name: str | None, external_userid: str) -> str:
    """Before the first read a customer has no name yet; an id says nothing to a reader."""
    return name or _("new customer …%(end)s") % {"end": external_userid[-5:]}


def _page(customer: Customer) -> str:
    return reverse("admin:contacts_customer_change", args=[customer.pk])


def _follows(user: User, since: dt.datetime) -> Iterator[Happening]:
    follows = Follow.objects.visible_to(user).select_related("customer", "staff")
    began = list(follows.adds().filter(added_at__gte=since).order_by("-added_at")[:SHOWN])
    states = {row.state for row in began if row.state}
    channels = dict(Channel.objects.filter(state__in=states).values_list("state", "name")) if states else {}
    for row in began:
        names = {
            "customer": _name(row.customer.name, row.customer.external_userid),
            "staff": row.staff,
            "channel": channels.get(row.state, row.state),
        }
        text = _("%(customer)s added %(staff)s through %(channel)s") if row.state else _("%(customer)s added %(staff)s")
        yield Happening(row.added_at, "person_add", "ok", text % names, _page(row.customer))
    for row in follows.losses().filter(ended_at__gte=since).order_by("-ended_at")[:SHOWN]:
        names = {"customer": _name(row.customer.name, row.customer.external_userid), "staff": row.staff}
        by_customer = row.ended_by == Follow.EndedBy.CUSTOMER
        text = _("%(customer)s deleted %(staff)s") if by_customer else _("%(staff)s deleted %(customer)s")
        yield Happening(row.ended_at or since, "person_remove", "bad", text % names, _page(row.customer))


def _stays(user: User, since: dt.datetime) -> Iterator[Happening]:
    stays = Stay.objects.visible_to(user).select_related("customer", "chat")
    for row in stays.joins().filter(joined_at__gte=since).order_by("-joined_at")[:SHOWN]:
        yield _stay(row, row.joined_at, "group_add", "", _("%(person)s joined %(chat)s"))
    for row in stays.leaves().filter(left_at__gte=since).order_by("-left_at")[:SHOWN]:
        yield _stay(row, row.left_at or since, "group_remove", "warn", _("%(person)s left %(chat)s"))


def _stay(row: Stay, at: dt.datetime, icon: str, kind: str, text: str) -> Happening:
    person = (row.customer and row.customer.name) or row.nickname or _("somebody")
    link = reverse("admin:groups_groupchat_change", args=[row.chat_id])
    return Happening(at, icon, kind, text % {"person": person, "chat": row.chat}, link)


def _confirmed(user: User, since: dt.datetime) -> Iterator[Happening]:
    rows = Dispatch.objects.visible_to(user).filter(sent_at__gte=since - _RECENT, confirmed_at__gte=since)
    for row in rows.with_broadcast().order_by("-confirmed_at", "-pk")[:SHOWN]:
        words = {"staff": row.staff, "broadcast": row.broadcast, "n": row.reach}
        text = _("%(staff)s confirmed “%(broadcast)s”, %(n)d people reached")
        yield Happening(row.confirmed_at or since, "campaign", "ok", text % words, broadcast_page(row.broadcast_id))


def _welcomes(user: User, since: dt.datetime) -> Iterator[Happening]:
    rows = Welcome.objects.visible_to(user).filter(happened_at__gte=since)
    missed = list(
        rows.filter(outcome__in=[Welcome.Outcome.EXPIRED, Welcome.Outcome.FAILED]).order_by("-happened_at")[:SHOWN]
    )
    names = dict(
        Customer.objects.filter(external_userid__in=[row.external_userid for row in missed]).values_list("external_userid", "name")
    ) if missed else {}  # fmt: skip
    for row in missed:
        text = _("%(customer)s got no welcome: %(reason)s") % {
            "customer": _name(names.get(row.external_userid), row.external_userid),
            "reason": row.reason or row.get_outcome_display(),
        }
        yield Happening(
            row.happened_at, "sms_failed", "bad", text, reverse("admin:campaigns_welcome_change", args=[row.pk])
        )
