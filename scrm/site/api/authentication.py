"""Bearer tokens: who calls, and how far their token reaches."""

import datetime as dt

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from scrm.base import clock, roles
from scrm.base.models import ApiToken, User
from scrm.base.models.token import digest

USE_NOTED_EVERY = dt.timedelta(minutes=1)


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`. Other schemes are nobody; a token that is unknown or revoked is refused (401)."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _blank, text = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = _find(text.strip())
        if token is None:
            raise AuthenticationFailed(_("This token is unknown or revoked."))
        _note_use(token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


def _find(text: str) -> ApiToken | None:
    tokens = ApiToken.objects.select_related("user").filter(revoked_at__isnull=True, user__is_active=True)
    with_role = Exists(roles.holders().filter(pk=OuterRef("user")))  # asked here: a query less for every call
    return tokens.annotate(of_somebody_with_a_role=with_role).filter(digest=digest(text)).first()


def _note_use(token: ApiToken) -> None:
    """At most one write a minute and token, by the database's clock."""
    if token.last_used_at and token.last_used_at > clock.real_now() - USE_NOTED_EVERY:
        return
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=Now() - USE_NOTED_EVERY)
    ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=Now())
