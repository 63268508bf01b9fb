"""The guard before every page of staff."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from scrm.site.h5 import links, session
from scrm.site.h5.session import StaffRequest
from scrm.site.signin import trip
from scrm.site.signin.trip import SignInFailed

View = Callable[..., HttpResponse]
_NAMED = "named"  # the browser has been given a name


def staff_required(view: View) -> View:
    """Lets members of staff through, as `request.staff`; sends others to sign in, or says how to (403).

    Inside WeCom OAuth decides, also over a link: a link that was passed on shows everybody their own tasks.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        known = session.recall(request)
        certain = known is not None and known[1] == session.OAUTH
        key = request.GET.get(links.PARAMETER, "")
        if request.method == "GET" and not certain and _can_ask(request):
            return redirect(f"{reverse('h5:signin')}?{urlencode({'next': _without_key(request)})}")
        if request.method == "GET" and key:
            return redirect(_without_key(request)) if certain else _open_link(request, key)
        if known is None:
            return refusal(request, SignInFailed(_("Please open this page from the message in WeCom.")))
        cast("StaffRequest", request).staff = known[0]
        return view(request, *args, **kwargs)

    return never_cache(guarded)


def _can_ask(request: HttpRequest) -> bool:
    """Whether OAuth will tell who asks, without a word."""
    return settings.STAFF_SIGN_IN == "oauth" and trip.inside_wecom(request) and trip.is_set_up()


def refusal(request: HttpRequest, error: SignInFailed) -> HttpResponse:
    """The page that says why not, and how to get in."""
    target = _without_key(request) if request.method == "GET" else links.TASKS
    again = f"{reverse('h5:signin')}?{urlencode({'next': target})}"
    possible = settings.STAFF_SIGN_IN == "oauth" and trip.is_set_up()
    return trip.failed(request, error, actions=[(_("Sign in with WeCom"), again)] if possible else [])


def _open_link(request: HttpRequest, key: str) -> HttpResponse:
    """Signs in and goes on without the key, which must not stay in the history or travel as a referrer.

    A browser gets a name first and comes again: programs that look at links in passing bind none.
    """
    device = session.device_of(request)
    if not device and _NAMED not in request.GET:
        response = redirect(f"{request.get_full_path()}&{_NAMED}")
        session.name_device(response)
        return response
    try:
        staff = links.read_task_link(key, device=device)
    except links.BadLink:
        reason = _("This link is not valid any more. Please open the newest message in WeCom, or ask for a new one.")
        return refusal(request, SignInFailed(reason))
    session.remember(request, staff, via=session.LINK)
    return redirect(_without_key(request))


def _without_key(request: HttpRequest) -> str:
    query = request.GET.copy()
    for name in (links.PARAMETER, _NAMED):
        query.pop(name, None)
    return f"{request.path}?{query.urlencode()}" if query else request.path
