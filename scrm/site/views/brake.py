"""The red button in the header of every page: anybody who works in the console presses it, administrators release it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from scrm.base import audit
from scrm.base.console.who import user_of
from scrm.wecom import brake


@require_POST
@login_required
def press(request: HttpRequest) -> HttpResponse:
    """Stops everything that a customer could notice, at once and for all processes."""
    user = user_of(request)
    if not user.is_staff:
        raise PermissionDenied
    held = brake.press(user=user, reason=request.POST.get("reason", "").strip())
    audit.record("brake.press", user=user, subject=held.reason, request=request, stop=held.pk)
    messages.warning(request, _("Everything is stopped: nothing goes out to any customer."))
    return _back(request)


@require_POST
@login_required
def release(request: HttpRequest) -> HttpResponse:
    """Lets the setting SENDING decide again."""
    user = user_of(request)
    if not user.is_superuser:
        raise PermissionDenied
    if brake.release(user=user):
        audit.record("brake.release", user=user, request=request)
        messages.success(request, _("The brake is released; SENDING decides again."))
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    """To the page on which the button was pressed."""
    address = request.POST.get("next", "")
    here = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(address if here else "admin:index")
