"""The console's login through WeCom, beside the password: who a member is decides which user that is."""

from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from contacts.models import Staff
from scrm.base import audit
from scrm.base.models import User
from scrm.site.signin import trip
from scrm.site.signin.trip import SignInFailed

PURPOSE = "console"
_BACKEND = "django.contrib.auth.backends.ModelBackend"


@never_cache
def login_page(request: HttpRequest) -> HttpResponse:
    """The page with the password. WeCom's own browser knows who asks, so there it is passed by, unless `?password`.

    By a page that goes on by itself: whoever is sent here by a form is not let through to another site by redirects alone
    (CSP form-action).
    """
    asked = request.method == "GET" and "HX-Request" not in request.headers  # a page, not a part that refreshes itself
    silent = asked and not request.user.is_authenticated and "password" not in request.GET
    if silent and trip.inside_wecom(request) and trip.is_set_up():
        address = f"{reverse('signin')}?{urlencode({'next': request.GET.get('next', '')})}"
        return render(request, "signin/onward.html", {"address": address})
    return admin.site.login(request)


@never_cache
@require_GET
def start(request: HttpRequest) -> HttpResponse:
    """Leads to the platform's page."""
    target = trip.safe_target(request.GET.get("next", ""), default=reverse("admin:index"))
    try:
        return trip.leave(request, purpose=PURPOSE, back="signin-back", target=target)
    except SignInFailed as error:
        return _refusal(request, error)


@never_cache
@require_GET
def back(request: HttpRequest) -> HttpResponse:
    """Logs in the user whom the member of the corp is linked to."""
    try:
        identity, target = trip.come_back(request, purpose=PURPOSE)
    except SignInFailed as error:
        return _refusal(request, error)
    try:
        user = user_of_member(identity.userid)
    except SignInFailed as error:
        named = identity.userid or "–"
        audit.record("login.refused", user=None, subject=named, request=request, reason=str(error))
        return _refusal(request, error)
    login(request, user, backend=_BACKEND)  # gives the session a new key
    audit.record("login.wecom", user=user, subject=user.username, request=request, staff=identity.userid)
    return redirect(target)


def user_of_member(userid: str) -> User:
    """The console's user linked to this member of the corp. Raises SignInFailed, with the reason in words."""
    if not userid:
        raise SignInFailed(_("You are not a member of this company's WeCom."))
    member = Staff.objects.filter(userid=userid).first()
    if member is not None and not member.is_at_work:
        raise SignInFailed(_("Your WeCom account is disabled, or you have left the company."))
    users = list(User.objects.filter(wecom_userid=userid, is_active=True, is_staff=True)[:2])
    if not users:
        raise SignInFailed(_("No console account has been opened for you. Please ask an administrator."))
    if len(users) > 1:
        raise SignInFailed(_("Several console accounts are linked to you. Please ask an administrator."))
    return users[0]


def _refusal(request: HttpRequest, error: SignInFailed) -> HttpResponse:
    actions = [
        (_("Try again"), reverse("signin")),
        (_("Log in with a password"), f"{reverse('admin:login')}?password"),
    ]
    return trip.failed(request, error, actions=actions)
