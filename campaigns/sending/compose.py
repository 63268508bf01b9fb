"""Making a draft: the one place where what a user gives becomes a broadcast."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from campaigns.models import Broadcast
from campaigns.sending import audience, content, rules
from campaigns.sending.plan import MOST_DAYS_AHEAD
from scrm.base import clock
from scrm.base.models import User

GRACE = dt.timedelta(minutes=5)  # a form filled in slowly is no past time


def draft(
    user: User,
    *,
    name: str,
    audience_: Mapping[str, Any],
    text: str = "",
    attachments: Sequence[Mapping[str, Any]] = (),
    create_at: dt.datetime | None = None,
    confirm_by: dt.datetime | None = None,
    staff_choice: str = Broadcast.StaffChoice.OWNER,
) -> Broadcast:
    """A checked broadcast that is not saved yet. `create_at` default now, `confirm_by` default the end of that company
    day. Raises ValidationError with the fields name, audience, text, attachments, create_at, confirm_by, staff_choice."""
    faults: dict[str, Any] = {}
    to = _collect(faults, lambda: audience.check(audience_))
    _collect(faults, lambda: content.check(text, attachments))
    start = create_at or clock.now()
    end = confirm_by or rules.end_of_day(start)
    _collect(faults, lambda: check_times(start, end))
    if not name.strip():
        faults["name"] = [_("Give the broadcast a name.")]
    elif len(name.strip()) > 60:
        faults["name"] = [_("At most 60 characters.")]
    elif not content.storable(name):
        faults["name"] = [_("There are characters in it that can't be stored.")]
    if staff_choice not in Broadcast.StaffChoice.values:
        faults["staff_choice"] = [
            _("Choose one of %(choices)s.") % {"choices": ", ".join(Broadcast.StaffChoice.values)}
        ]
    if faults:
        raise ValidationError(faults)
    return Broadcast(
        name=name.strip(),
        to=to,
        audience=dict(audience_),
        staff_choice=staff_choice,
        text=text,
        attachments=[dict(attachment) for attachment in attachments],
        digest=content.digest(text, attachments),
        create_at=start,
        confirm_by=end,
        created_by=user,
        created_at=clock.now(),
    )


def check_times(create_at: dt.datetime, confirm_by: dt.datetime) -> None:
    """Raises ValidationError (keys `create_at`, `confirm_by`)."""
    now = clock.now()
    if create_at < now - GRACE:
        raise ValidationError({"create_at": _("This time has passed.")})
    if create_at > now + dt.timedelta(days=MOST_DAYS_AHEAD):
        raise ValidationError({"create_at": _("At most %(days)d days ahead.") % {"days": MOST_DAYS_AHEAD}})
    if confirm_by <= max(create_at, now):
        raise ValidationError({"confirm_by": _("Staff need time to confirm: choose a time after the creation.")})


def _collect(faults: dict[str, Any], check: Any) -> Any:
    try:
        return check()
    except ValidationError as error:
        faults.update(error.message_dict)
    return None
