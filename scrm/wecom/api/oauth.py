"""Who stands before our pages: the platform's pages for signing in, and the person behind a code (wecom-api.md §4.2, §4.3)."""

import re
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext as _

from scrm.wecom.api.app_messages import agent_id
from scrm.wecom.client import client
from scrm.wecom.errors import ConfigurationError
from scrm.wecom.schemas import Identity

API = "auth/getuserinfo"
_STATE = re.compile(r"[a-zA-Z0-9]{1,128}")
_LONGEST_CODE = 512


def authorize_url(redirect_uri: str, state: str) -> str:
    """The page that tells us silently who opened ours inside WeCom. `redirect_uri`'s host (with port) must be the app's
    trusted domain; `state` is letters and digits, at most 128. Raises ConfigurationError for missing settings."""
    query = {
        "appid": _corp_id(), "redirect_uri": redirect_uri, "response_type": "code", "scope": "snsapi_base",
        "state": _checked(state), "agentid": agent_id(API),
    }  # fmt: skip
    return f"{settings.WECOM_OAUTH_URL}connect/oauth2/authorize?{urlencode(query)}#wechat_redirect"


def login_url(redirect_uri: str, state: str) -> str:
    """The page whose QR code a member scans from a browser outside WeCom; the same conditions."""
    query = {
        "login_type": "CorpApp", "appid": _corp_id(), "agentid": agent_id(API), "redirect_uri": redirect_uri,
        "state": _checked(state), "lang": "zh",
    }  # fmt: skip
    return f"{settings.WECOM_LOGIN_URL}wwlogin/sso/login?{urlencode(query)}"


def identity(code: str, *, timeout: float | None = None) -> Identity:
    """The person behind a code, which this uses up. Errors: ValueError for no code at all, WecomError (40029, 42003,
    42022: unknown, too old, used), ConfigurationError."""
    if not 0 < len(code) <= _LONGEST_CODE:
        raise ValueError("no sign-in code")
    return Identity.from_wecom(client().read(API, {"code": code}, timeout=timeout))


def _corp_id() -> str:
    if not settings.WECOM_CORP_ID:
        words = _("%(setting)s is empty") % {"setting": "WECOM_CORP_ID"}
        raise ConfigurationError(words, api=API, setting="WECOM_CORP_ID")
    return str(settings.WECOM_CORP_ID)


def _checked(state: str) -> str:
    if not _STATE.fullmatch(state):
        raise ValueError("a state is 1 to 128 letters and digits")
    return state
