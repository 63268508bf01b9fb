"""Messages of our app to members of staff (wecom-api.md §15)."""

from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import gettext as _

from scrm.wecom import brake
from scrm.wecom.cards import TemplateCard, TextCard
from scrm.wecom.client import client
from scrm.wecom.errors import ConfigurationError
from scrm.wecom.schemas import AppMessage

API = "message/send"
MAX_RECIPIENTS = 1000
EVERYBODY = "@all"


def send_text_card(userids: Sequence[str], card: TextCard, *, timeout: float | None = None) -> AppMessage:
    """Sends once to at most 1,000 members; see `_send` for errors."""
    return _send(userids, card, timeout)


def send_template_card(userids: Sequence[str], card: TemplateCard, *, timeout: float | None = None) -> AppMessage:
    """Sends once to at most 1,000 members; see `_send` for errors."""
    return _send(userids, card, timeout)


def _send(userids: Sequence[str], card: TextCard | TemplateCard, timeout: float | None) -> AppMessage:
    """Whether it may be sent again is the caller's decision.

    Errors, before the call: `brake.NoRecipients`, ValueError (too many; an id that would mean others), `SendingStopped`,
    ConfigurationError without WECOM_AGENT_ID. After it: WecomError 81013 when nobody could be reached, `Unreachable` with
    `maybe_done` when it may have left.
    """
    chosen = brake.recipients(userids, at_most=MAX_RECIPIENTS)
    if any("|" in userid or userid == EVERYBODY for userid in chosen):
        raise ValueError("a userid that names others")
    body = {"touser": "|".join(chosen), "agentid": agent_id(API), "msgtype": card.msgtype}
    return AppMessage.from_wecom(client().act(API, {**body, card.msgtype: card.to_wecom()}, timeout=timeout))


def agent_id(api: str) -> int:
    """Our app's number. Raises ConfigurationError when the setting is empty."""
    if not settings.WECOM_AGENT_ID:
        words = _("%(setting)s is empty") % {"setting": "WECOM_AGENT_ID"}
        raise ConfigurationError(words, api=api, setting="WECOM_AGENT_ID")
    return int(settings.WECOM_AGENT_ID)
