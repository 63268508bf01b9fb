"""Addresses that hold a NUL are nobody's: PostgreSQL can't even look for one."""

from collections.abc import Callable

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse


class NoNul:
    """Answers pages with a NUL in their address with 400. The API says so itself, and which parameter it was."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/api/") and _holds_nul(request):
            raise SuspiciousOperation("a NUL in the address")
        return self.get_response(request)


def _holds_nul(request: HttpRequest) -> bool:
    return "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", "")
