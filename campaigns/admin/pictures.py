"""A picture chosen in a form goes to WeCom before the form is read; the form then carries its address."""

from django.http import HttpRequest
from django.utils.translation import gettext as _

from scrm.wecom import errors
from scrm.wecom.api import media

FIELD = "picture"
ADDRESS = "picture_url"
FAULT = "picture_fault"  # attribute of the request: what went wrong, in words


def take(request: HttpRequest) -> None:
    """Uploads `request.FILES["picture"]`; its address takes the place of `picture_url`. Outside of any transaction.

    What goes wrong becomes the field's error: `fault_of(request)`.
    """
    chosen = request.FILES[FIELD]
    try:
        url = _upload(chosen)
    except ValueError as fault:
        setattr(request, FAULT, str(fault))
        return
    given = request.POST.copy()
    given[ADDRESS] = url
    request.POST = given  # type: ignore[assignment]


def fault_of(request: HttpRequest) -> str:
    return str(getattr(request, FAULT, ""))


def _upload(chosen: object) -> str:
    size, read = getattr(chosen, "size", 0) or 0, getattr(chosen, "read", bytes)
    if size > media.MOST_BYTES:
        raise ValueError(_("The picture has %(size).1f MB, WeCom takes 2.") % {"size": size / 1024 / 1024})
    data = read()
    if media.kind_of(data) is None or len(data) < media.LEAST_BYTES:
        raise ValueError(_("Choose a JPG or PNG file."))
    try:
        return media.upload_picture(data)
    except errors.WecomError as error:
        raise ValueError(_("WeCom did not take the picture: %(error)s") % {"error": error}) from None
    except errors.ConfigurationError as error:
        raise ValueError(str(error)) from None
