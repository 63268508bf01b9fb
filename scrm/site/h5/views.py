"""Signing in to the pages of staff."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from contacts.models import Staff
from scrm.site.h5 import links, session
from scrm.site.signin import trip
from scrm.site.signin.trip import SignInFailed

PURPOSE = "h5"


@never_cache
@require_GET
def signin(request: HttpRequest) -> HttpResponse:
    """Leads to the platform's page: silent inside WeCom, a QR code elsewhere."""
    target = trip.safe_target(request.GET.get("next", ""), default=links.TASKS)
    try:
        return trip.leave(request, purpose=PURPOSE, back="h5:signin-back", target=target)
    except SignInFailed as error:
        return _refusal(request, error)


@never_cache
@require_GET
def back(request: HttpRequest) -> HttpResponse:
    """Ties the session to the member who came back."""
    try:
        identity, target = trip.come_back(request, purpose=PURPOSE)
        staff = member(identity.userid)
    except SignInFailed as error:
        return _refusal(request, error)
    session.remember(request, staff, via=session.OAUTH)
    return redirect(target)


def member(userid: str) -> Staff:
    """The member of staff with this userid who is at work. Raises SignInFailed, with the reason in words."""
    if not userid:
        raise SignInFailed(_("You are not a member of this company's WeCom."))
    staff = Staff.objects.filter(userid=userid).first()
    if staff is None:
        raise SignInFailed(_("You are not in the address book yet. Please ask an administrator to sync it."))
    if not staff.is_at_work:
        raise SignInFailed(_("Your WeCom account is disabled, or you have left the company."))
    return staff


def _refusal(request: HttpRequest, error: SignInFailed) -> HttpResponse:
    return trip.failed(request, error, actions=[(_("Try again"), reverse("h5:signin"))])
