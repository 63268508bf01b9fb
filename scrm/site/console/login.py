"""Logging in by password: guessing is slow, and what is said tells nobody which users there are."""

import math
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import ngettext

from scrm.base import audit, signing
from scrm.base.addresses import address_of, neighbourhood
from scrm.base.limits import Bucket
from scrm.base.models import User

if TYPE_CHECKING:
    from django.contrib.admin.forms import AdminAuthenticationForm as AuthenticationForm
else:
    from unfold.forms import AuthenticationForm


def by_name() -> Bucket:
    """Attempts for one user name, whether or not there is such a user; forgotten when the right password comes."""
    return Bucket("login-name", f"{settings.LOGIN_TRIES_PER_NAME}/{settings.LOGIN_WINDOW_MINUTES} minute")


def by_address() -> Bucket:
    """Failed attempts from one address. Good ones don't count: a whole office may share an address."""
    return Bucket("login-address", f"{settings.LOGIN_TRIES_PER_ADDRESS}/{settings.LOGIN_WINDOW_MINUTES} minute")


class LoginForm(AuthenticationForm):
    """Refuses without looking at the password while too much was tried.

    While Redis is away each process counts by itself (scrm.base.limits): people still get in, and a guesser has at most
    so many times the tries as there are web processes. Refusing everybody would turn a restart of Redis into an outage of
    the console; counting nothing would invite to bring Redis down first.
    """

    wait = 0.0  # seconds until the next attempt is looked at

    def clean(self) -> dict[str, Any]:
        username, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not username or not password:
            return super().clean()
        address = neighbourhood(address_of(self.request)) if self.request else ""
        self._let_through(by_address().wait(address))
        name = _key(username)
        if not by_name().allow(name):
            self._let_through(max(1.0, by_name().wait(name)))
        try:
            cleaned = super().clean()
        except ValidationError:
            by_address().allow(address)
            if by_name().wait(name):
                self._note(username)
            raise
        by_name().forget(name)
        return cleaned

    def _let_through(self, wait: float) -> None:
        if not wait:
            return
        self.wait = wait
        minutes = math.ceil(wait / 60)
        text = ngettext(
            "Too many failed attempts to log in. Try again in %(n)d minute.",
            "Too many failed attempts to log in. Try again in %(n)d minutes.",
            minutes,
        )
        raise ValidationError(text % {"n": minutes}, code="throttled")

    def _note(self, username: str) -> None:
        """Once for each time that a name runs out of tries. What was typed is kept only if it is a name: it may be a password."""
        known = User.objects.filter(username=username).exists()
        audit.record("login.blocked", user=None, subject=username if known else "", request=self.request)


def _key(username: str) -> str:
    """The name as a key that tells nothing; spellings that look alike are one."""
    return signing.keyed_hash(unicodedata.normalize("NFKC", username).casefold().strip(), purpose="login").hex()


class TooManyTries:
    """Middleware: the login page answers 429 while it refuses to look."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_template_response(self, request: HttpRequest, response: TemplateResponse) -> TemplateResponse:
        form = (response.context_data or {}).get("form")
        if isinstance(form, LoginForm) and form.wait:
            response.status_code = 429
            response["Retry-After"] = str(math.ceil(form.wait))
        return response
