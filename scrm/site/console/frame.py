"""Own pages within the console's frame: who may open them, and what the frame needs."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from scrm.base.console.who import user_of

View = Callable[..., HttpResponse]


def console_page(view: View) -> View:
    """For whoever may log in to the console; others are led to the login. Never cached."""
    return admin.site.admin_view(view)


def administrators_page(view: View) -> View:
    """For administrators; others who are logged in get 403."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not user_of(request).is_superuser:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return console_page(checked)


def show(request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> HttpResponse:
    """`template` in the frame, under `title`."""
    return render(request, template, {**admin.site.each_context(request), "title": title, **context})
