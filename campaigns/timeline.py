"""What we said: welcomes on a customer's timeline."""

import datetime as dt
from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from campaigns.models import Welcome
from contacts import timeline
from contacts.models import Customer
from contacts.timeline import Entry
from scrm.base.models import User


def welcomes(customer: Customer, user: User) -> Iterable[Entry]:
    """Each welcome code and what became of it, at the domain time of its acceptance."""
    for welcome in Welcome.objects.visible_to(user).filter(external_userid=customer.external_userid):
        yield Entry(
            welcome.happened_at + dt.timedelta(milliseconds=welcome.latency_ms or 0),
            "welcome", f"welcome:{welcome.pk}", userid=welcome.userid, state=welcome.state,
            detail={
                "outcome": welcome.outcome, "reason": welcome.reason or None, "rule": welcome.rule_name or None,
                "text": welcome.text, "latency_ms": welcome.latency_ms,
            },
        )  # fmt: skip


def connect() -> None:
    timeline.register(welcomes, {"welcome": _("Welcome message")})
