"""What every console page knows: the brake and the version."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from scrm.site.signin import trip


def console(request: HttpRequest) -> dict[str, Any]:
    """`sending`: off | allowlist | on, in words and with a sentence on what it means; `version`; `wecom_login`: whether
    WeCom can say who logs in."""
    return {
        "sending": settings.SENDING,
        "sending_word": _word(settings.SENDING),
        "sending_meaning": _meaning(settings.SENDING),
        "version": settings.VERSION,
        "wecom_login": trip.is_set_up(),
    }


def _word(sending: str) -> str:
    return {"on": _("Sending: on"), "allowlist": _("Sending: allow-list only"), "off": _("Sending: stopped")}[sending]


def _meaning(sending: str) -> str:
    how = _("It is set by SENDING in the environment of the processes; a change needs a restart.")
    what = {
        "on": _("Everything that customers notice goes out, welcomes included."),
        "allowlist": _(
            "Only customers and chats on SENDING_ALLOWLIST receive anything, welcomes included; all others nothing."
        ),
        "off": _("Nothing goes out to any customer: no welcome either. Reading, syncing and counting go on."),
    }[sending]
    return f"{what} {how}"
