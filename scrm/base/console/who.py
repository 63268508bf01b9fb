"""Who asks."""

from typing import cast

from django.http import HttpRequest

from scrm.base.models import User


def user_of(request: HttpRequest) -> User:
    """The user who is logged in; console pages are reached by nobody else."""
    return cast("User", request.user)
