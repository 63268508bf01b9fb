"""Cards that tell staff about something to do and lead to their task page."""

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.models import Dispatch
from contacts.models import Staff
from contacts.notices import notify
from contacts.notices.writing import GOOD_FOR
from scrm.base import clock
from scrm.wecom.cards import TextCard

PATH = "/h5/tasks/"
TOGETHER = 600  # seconds: tasks created within them are told in one card
log = logging.getLogger(__name__)

# The site knows how a member signs in; it adds the function that makes the address of the page. The last one counts.
addresses: list[Callable[[Staff], str]] = []


def tell(staff: Iterable[Staff], *, key: str, title: str, text: str, until: dt.datetime) -> int:
    """Sends each member a card with the address of the task page, once for a `key`; later than `until` it is given up.

    In the caller's transaction. Returns how many are new. Raises BadCard for what doesn't fit on a card.
    """
    by_address = defaultdict(list)
    for member in staff:
        by_address[_address(member)].append(member.userid)
    good_for = min(GOOD_FOR, until - clock.now())
    button = _("Open")
    return sum(
        notify(userids, key=key, card=TextCard(title, text, address, button), good_for=good_for)
        for address, userids in by_address.items()
    )


def task_created(dispatch: Dispatch, at: dt.datetime) -> None:
    """Tells the staff member that there is a task to confirm; tasks created within minutes share one card.

    In the transaction that books the task, but what goes wrong here must not hold up sending: it is logged only.
    """
    broadcast = dispatch.broadcast
    given = {"name": broadcast.name, "time": moment(broadcast.confirm_by)}
    try:
        with transaction.atomic():
            tell(
                [dispatch.staff],
                key=f"tasks:{int(at.timestamp()) // TOGETHER}",
                title=_("Broadcasts wait for you to confirm them"),
                text=_("“%(name)s”, to be confirmed by %(time)s. WeCom sends nothing before you confirm.") % given,
                until=broadcast.confirm_by,
            )
    except Exception:
        log.exception("No card about task %s", dispatch.pk)


def moment(value: dt.datetime) -> str:
    """`11-26 20:00` in company time."""
    return f"{value.astimezone(clock.zone()):%m-%d %H:%M}"


def _address(member: Staff) -> str:
    return addresses[-1](member) if addresses else f"{settings.PUBLIC_URL.rstrip('/')}{PATH}"
