"""What every console page knows: the brake and the version."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from scrm.site import navigation
from scrm.site.signin import trip
from scrm.wecom import brake
from scrm.wecom.brake import PRESSED


def console(request: HttpRequest) -> dict[str, Any]:
    """`sending`: stopped | off | allowlist | on, in words and with a sentence on what it means, and `stop`, the press of
    the red button that holds everything; `place`: of the page in the menu; `version`; `wecom_login`: whether WeCom can say who logs in. Looked up only by
    pages that show it, once."""
    stop = cache(brake.stop)

    def position() -> str:
        return PRESSED if stop() else settings.SENDING

    return {
        "stop": stop,
        "sending": position,
        "sending_word": lambda: _word(position()),
        "sending_meaning": lambda: _meaning(position()),
        "place": lambda: navigation.place(request),
        "version": settings.VERSION,
        "wecom_login": trip.is_set_up(),
    }


def _word(sending: str) -> str:
    return {
        "on": _("Sending: on"),
        "allowlist": _("Sending: allow-list only"),
        "off": _("Sending: stopped"),
        PRESSED: _("Sending: stopped by the red button"),
    }[sending]


def _meaning(sending: str) -> str:
    if sending == PRESSED:
        return _("Nothing goes out to any customer, whatever SENDING says. Reading, syncing and counting go on.")
    how = _("It is set by SENDING in the environment of the processes; a change needs a restart.")
    what = {
        "on": _("Everything that customers notice goes out, welcomes included."),
        "allowlist": _(
            "Only customers and chats on SENDING_ALLOWLIST receive anything, welcomes included; all others nothing."
        ),
        "off": _("Nothing goes out to any customer: no welcome either. Reading, syncing and counting go on."),
    }[sending]
    return f"{what} {how}"
