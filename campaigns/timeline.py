"""What we said: welcomes and broadcasts on a customer's timeline."""

import datetime as dt
from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from campaigns.models import Delivery, Welcome
from contacts import timeline
from contacts.models import Customer
from contacts.timeline import Cause, Entry
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


# What a customer may have noticed, or may notice any minute. Other deliveries never came to be a message.
_TOLD = ("waiting", "sent", "not_friend", "over_quota")


def broadcasts(customer: Customer, user: User) -> Iterable[Entry]:
    """Each broadcast that a staff member was asked to send, with its result; at the time of sending, of the attempt, or
    while it waits of the task."""
    deliveries = Delivery.objects.visible_to(user).filter(customer=customer, dispatch__isnull=False)
    told = deliveries.with_progress().filter(progress__in=_TOLD)  # type: ignore[misc]  # annotated
    for row in told.select_related("broadcast", "dispatch", "staff").defer("broadcast__audience"):
        dispatch, broadcast = row.dispatch, row.broadcast
        if dispatch is None or row.staff is None:
            continue
        state: str = row.progress  # type: ignore[attr-defined]  # annotated
        tried_at = row.sent_at or dispatch.confirmed_at or dispatch.sent_at
        yield Entry(
            tried_at or broadcast.create_at, "broadcast", f"delivery:{row.pk}", userid=row.staff.userid,
            cause=Cause("broadcast", str(broadcast.pk)),
            detail={
                "name": broadcast.name, "state": state, "text": broadcast.text,
                "attachments": [attachment["msgtype"] for attachment in broadcast.attachments],
            },
        )  # fmt: skip


def connect() -> None:
    timeline.register(welcomes, {"welcome": _("Welcome message")})
    timeline.register(broadcasts, {"broadcast": _("Broadcast")})
