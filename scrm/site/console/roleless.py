"""People without a role: instead of an empty console they see one page that says whom to ask."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from scrm.base import roles
from scrm.base.console.who import user_of

# Rooms that need a role, and what everybody who is logged in may do there.
ROOMS = {"admin", "console", "connection", "dashboards"}
OPEN = {"admin:login", "admin:logout", "admin:password_change", "admin:password_change_done", "admin:jsi18n"}

Answer = Callable[[HttpRequest], HttpResponse]


class RoleFirst:
    """Middleware, after Django's authentication, however one logged in. Strangers are left to Django."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or not ROOMS.intersection(match.namespaces) or match.view_name in OPEN:
            return None
        user = request.user
        if not user.is_authenticated or user_of(request).role is not None:
            return None
        asked = [str(person) for person in roles.administrators().order_by("username")[:5]]
        return render(request, "console/roleless.html", {"administrators": asked, "username": user.get_username()})
