"""To the platform's sign-in page and back. What comes back must have been begun in the same session: a state is random,
belongs to one purpose, works once and for ten minutes."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from scrm.base import clock
from scrm.base.addresses import address_of, neighbourhood
from scrm.base.limits import Bucket
from scrm.wecom.api import oauth
from scrm.wecom.errors import ConfigurationError, WecomError
from scrm.wecom.schemas import Identity

LIFE = 600.0  # seconds; the platform's code lives five minutes once it is given (wecom-api.md §4.2)
PENDING = 5  # trips of one session that may be under way, such as in several tabs
SECONDS = 5.0  # for the platform to say whose code it is
FROM_ONE_ADDRESS = Bucket("signin", "300/minute")  # a whole company may share one; invented codes cost API calls
_KEY = "signins"


class SignInFailed(Exception):
    """Nobody is signed in; `reason` is for the person who waits, `status` for the page."""

    def __init__(self, reason: str | Promise, *, status: int = 403) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.status = status


def inside_wecom(request: HttpRequest) -> bool:
    """Whether WeCom's own browser asks, on a phone or a computer."""
    return "wxwork/" in request.headers.get("User-Agent", "").lower()


def is_set_up() -> bool:
    """Whether the platform's pages can be asked at all."""
    return bool(settings.WECOM_CORP_ID and settings.WECOM_AGENT_ID)


def safe_target(target: str, *, default: str) -> str:
    """`target` when it is a path of our own, else `default`; never the sign-in pages themselves."""
    own = target.startswith("/") and url_has_allowed_host_and_scheme(target, allowed_hosts=None)
    again = target.startswith((settings.LOGIN_URL, reverse("signin"), reverse("h5:signin")))
    return target if own and not again else default


def leave(request: HttpRequest, *, purpose: str, back: str, target: str) -> HttpResponse:
    """Leads to the platform's page, which leads to the view named `back` on PUBLIC_URL. `target`: where to go after that.

    Under another host name than PUBLIC_URL's the session would be lost on the way back: then it begins there anew.
    Raises SignInFailed when a setting is missing.
    """
    home = settings.PUBLIC_URL.rstrip("/")
    if request.get_host() != urlsplit(home).netloc and "moved" not in request.GET:
        return redirect(f"{home}{request.path}?{urlencode({'next': target, 'moved': 1})}")
    state = get_random_string(32)
    page = oauth.authorize_url if inside_wecom(request) else oauth.login_url
    try:
        address = page(f"{home}{reverse(back)}", state)
    except ConfigurationError as error:
        raise SignInFailed(_missing(error), status=503) from None
    trips = _trips(request)
    oldest_first = sorted(trips.items(), key=lambda item: item[1][2])
    request.session[_KEY] = {**dict(oldest_first[1 - PENDING :]), state: [purpose, target, _now()]}
    return redirect(address)


def come_back(request: HttpRequest, *, purpose: str) -> tuple[Identity, str]:
    """Who came back, and where they wanted to go. Raises SignInFailed."""
    trips = _trips(request)
    trip = trips.pop(request.GET.get("state", ""), None)
    if trip is None or trip[0] != purpose:
        raise SignInFailed(_("This sign-in was not begun here, or it took too long."), status=400)
    request.session[_KEY] = trips
    code = request.GET.get("code", "")
    if not code:
        raise SignInFailed(_("The sign-in was cancelled in WeCom."))
    if not FROM_ONE_ADDRESS.allow(neighbourhood(address_of(request))):
        raise SignInFailed(_("Too many people sign in at once. Please try again in a minute."), status=429)
    try:
        return oauth.identity(code, timeout=SECONDS), str(trip[1])
    except ConfigurationError as error:
        raise SignInFailed(_missing(error), status=503) from None
    except (WecomError, ValueError) as error:
        if getattr(error, "permanent", True):
            raise SignInFailed(_("WeCom does not accept this sign-in any more."), status=400) from None
        raise SignInFailed(_("WeCom does not answer at the moment."), status=503) from None


def failed(request: HttpRequest, error: SignInFailed, *, actions: Sequence[tuple[str | Promise, str]]) -> HttpResponse:
    """The page that says why, and what can be done: words and address of each way on."""
    context = {"reason": error.reason, "actions": actions}
    return render(request, "signin/failed.html", context, status=error.status)


def _trips(request: HttpRequest) -> dict[str, list[Any]]:
    """Those of this session that are young enough: state → [purpose, target, begun]."""
    known = request.session.get(_KEY, {})
    return {state: trip for state, trip in known.items() if _now() - trip[2] < LIFE}


def _now() -> float:
    return clock.real_now().timestamp()


def _missing(error: ConfigurationError) -> str:
    return str(_("Signing in through WeCom is not set up: %(reason)s.")) % {"reason": error.message}
