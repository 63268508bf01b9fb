"""What a call that sends a message to staff brought, for each receiver."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from contacts.models import Notice
from scrm.wecom import errors
from scrm.wecom.api import app_messages
from scrm.wecom.brake import SendingStopped
from scrm.wecom.cards import TemplateCard, TextCard

SECONDS = 20.0  # for one call, waiting for room in the budget included
BRAKE_SECONDS = 60.0  # between looks at a brake that holds

State = Notice.State


@dataclass(frozen=True)
class Outcome:
    """The state of all receivers but those `apart` (userid → reason), who were not reached. With `retry_after` (seconds)
    nothing was done and nobody has a new state."""

    state: State
    reason: str = ""
    msgid: str = ""
    apart: dict[str, str] | None = None
    retry_after: float | None = None

    def of(self, userid: str) -> tuple[State, str]:
        if self.apart and userid.lower() in self.apart:
            return State.FAILED, self.apart[userid.lower()]
        return self.state, self.reason


def held() -> str:
    """Why the brake keeps a message waiting, in words."""
    return _("The brake held it.")


def call(userids: Sequence[str], card: TextCard | TemplateCard) -> Outcome:
    """Sends once. Never raises for what the platform answers or does not answer."""
    send = app_messages.send_template_card if isinstance(card, TemplateCard) else app_messages.send_text_card
    try:
        sent = send(userids, card, timeout=SECONDS)  # type: ignore[arg-type]  # the function was chosen by the card
    except SendingStopped:  # the brake was put on just now
        return Outcome(State.WAITING, held(), retry_after=BRAKE_SECONDS)
    except (errors.WecomError, errors.ConfigurationError) as error:
        if getattr(error, "maybe_done", False):
            return Outcome(State.UNKNOWN, str(error))
        if error.permanent:
            return Outcome(State.FAILED, str(error))
        return Outcome(State.WAITING, str(error), retry_after=error.retry_after or 5.0)
    refused = dict.fromkeys(
        map(str.lower, sent.refused), _("WeCom cannot reach this member: is the app visible to them?")
    )
    unlicensed = dict.fromkeys(map(str.lower, sent.unlicensed), _("This member has no licence for the app."))
    return Outcome(State.SENT, msgid=sent.msgid, apart={**refused, **unlicensed})
