"""Who gets in."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from scrm.base import clock, roles
from scrm.base.models import ApiToken, User
from scrm.base.roles import Role
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db


def _call(headers: dict[str, str]) -> Any:
    return Client().get("/api/v1/tags/", headers=headers)


@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer ", "Bearer nonsense", "bearer scrm_\x00", "Basic YWxpY2U6YWxpY2U=", "Bearer ✓"]
)
def test_refuses_who_shows_no_valid_token(header: str | None) -> None:
    answer = _call({"Authorization": header} if header else {})

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
    assert answer.json()["type"] == "client_error"
    assert [error["attr"] for error in answer.json()["errors"]] == [None]


def test_refuses_a_revoked_token(api: Api) -> None:
    ApiToken.objects.update(revoked_at=clock.real_now())

    assert _call(api.headers).status_code == 401


def test_refuses_the_token_of_somebody_who_was_switched_off(alice: User, api: Api) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)

    assert _call(api.headers).status_code == 401


def test_a_session_of_the_console_is_no_token(alice: User) -> None:
    client = Client()
    client.force_login(alice)

    assert client.get("/api/v1/tags/").status_code == 401


def test_keeps_only_a_hash_of_the_token(api: Api) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT base_apitoken::text FROM base_apitoken")
        rows = [row for (row,) in cursor.fetchall()]

    assert len(rows) == 1
    assert api.token not in rows[0]
    assert api.token[10:] not in rows[0]


def test_notes_the_use_of_a_token_at_most_once_a_minute(api: Api) -> None:
    api.get("tags/")
    first = ApiToken.objects.get().last_used_at
    assert first is not None

    with CaptureQueriesContext(
        connection,
    ) as queries:
        api.get("tags/")
    assert not [query for query in queries.captured_queries if query["sql"].startswith("UPDATE")]
    assert ApiToken.objects.get().last_used_at == first

    ApiToken.objects.update(last_used_at=first - dt.timedelta(minutes=2))
    api.get("tags/")
    assert ApiToken.objects.get().last_used_at >= first  # type: ignore[operator]


@pytest.mark.parametrize(("scope", "status"), [("read", 403), ("write", 201), ("admin", 201)])
def test_writing_needs_the_scope(alice: User, api_of: Callable[..., Api], scope: str, status: int) -> None:
    answer = api_of(alice, scope).post("channels/", {"name": "门店"}, status=status)

    if status == 403:
        assert answer["errors"][0]["code"] == "permission_denied"


def test_writing_needs_the_users_own_right_too(bob: User, api_of: Callable[..., Api]) -> None:
    roles.give(bob, Role.STAFF)
    api_of(bob, "admin").post("channels/", {"name": "门店"}, status=403)


@pytest.mark.parametrize("path", ["customers/", "tags/", "metrics/dictionary/"])
def test_a_token_of_somebody_without_a_role_is_refused(path: str, frank: User, api_of: Callable[..., Api]) -> None:
    assert [error["code"] for error in api_of(frank, "admin").get(path, status=403)["errors"]] == ["permission_denied"]
