"""Which member of staff a browser belongs to. Apart from the console's login: neither opens the other's pages."""

from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string

from contacts.models import Staff

_KEY = "h5_staff"
_DEVICE = "h5_device"
_YEAR = 365 * 24 * 3600
OAUTH, LINK = "oauth", "link"  # how the member is known; a link may have been passed on


class StaffRequest(HttpRequest):
    """A request of a member of staff, as `staff_required` hands it on."""

    staff: Staff


def remember(request: HttpRequest, staff: Staff, *, via: str) -> None:
    """Ties the session to `staff` under a new key."""
    request.session.cycle_key()
    request.session[_KEY] = {"staff": staff.pk, "via": via}


def device_of(request: HttpRequest) -> str:
    """The name that this browser keeps; "" when it has none yet (`name_device`)."""
    return request.COOKIES.get(_DEVICE, "")[:32]


def name_device(response: HttpResponse) -> None:
    """Gives the browser a name of its own."""
    response.set_cookie(
        _DEVICE, get_random_string(32), max_age=_YEAR, secure=settings.HTTPS, httponly=True, samesite="Lax"
    )


def recall(request: HttpRequest) -> tuple[Staff, str] | None:
    """The member and how they are known; None when nobody is, or when they are no longer at work."""
    known = request.session.get(_KEY)
    if not known:
        return None
    staff = Staff.objects.at_work().filter(pk=known["staff"]).first()
    return (staff, cast("str", known["via"])) if staff else None
