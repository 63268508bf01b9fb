"""Whatever comes in an address, a query or a body: an answer as it is described, never a fault, never another's rows.

Addresses, methods, parameters and bodies are those of the API's own description (tests.api.described).
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings

from campaigns.models import Broadcast
from contacts.models import Channel
from scrm.base import roles
from scrm.base.models import AuditRecord, User, Work
from scrm.base.roles import Role
from scrm.site.api.urls import urlpatterns
from tests.api import described
from tests.api.conftest import Api
from tests.api.described import Operation

pytestmark = pytest.mark.django_db

UNDESCRIBED = {"schema", "docs", "nowhere"}
VIEWS = {
    str(pattern.pattern).replace("<str:", "{").replace("<int:", "{").replace(">", "}").replace("{pk}", "{id}"): pattern
    for pattern in urlpatterns
    if pattern.name not in UNDESCRIBED
}
OPERATIONS = [
    f"{verb} {path}"
    for path, pattern in VIEWS.items()
    for verb in ("GET", "POST")
    if hasattr(pattern.callback.cls, verb.lower())  # type: ignore[attr-defined]
]
FOREIGN = ("zhaomin", "赵敏", "wmXiaochen", "小陈", "wrOther", "客服")  # what only department 3 knows
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
FUZZ = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@contextmanager
def undone() -> Iterator[None]:
    """What an example writes is gone before the next one."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def ask(client: Client, operation: Operation, asked: tuple[str, dict[str, str], Any], headers: dict[str, str]) -> Any:
    address, query, body = asked
    if operation.method == "GET":
        return client.get(address, query, headers=headers)
    content = b"" if body is None else json.dumps(body)
    return client.post(address, content, content_type="application/json", headers=headers, query_params=query)


def fuzz(operation: Operation, check: Callable[[Any], None]) -> None:
    """`check` with one made-up request after the other."""
    FUZZ(given(described.requests_of(operation))(check))()


def test_every_operation_is_described() -> None:
    assert sorted(described.operations()) == sorted(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_answers_are_as_described(api: Api, broadcasts: list[Any], name: str) -> None:
    operation = described.operations()[name]

    def check(asked: Any) -> None:
        with undone():
            answer = ask(api.client, operation, asked, api.headers)
        assert answer.status_code < 500
        assert operation.objections(answer.status_code, answer.content) == []

    fuzz(operation, check)


@pytest.mark.parametrize("name", OPERATIONS)
def test_ids_of_another_department_open_nothing(
    bob: User, api_of: Callable[..., Api], broadcasts: list[Any], name: str
) -> None:
    roles.give(bob, Role.MANAGER)
    operation, bobs = described.operations()[name], api_of(bob, "write")

    def check(asked: Any) -> None:
        with undone():
            answer = ask(bobs.client, operation, asked, bobs.headers)
            assert Broadcast.objects.get(pk=2).state == "planned"
        said, echoed = (json.dumps(text, ensure_ascii=False) for text in (answer.json(), asked))
        assert [word for word in FOREIGN if word in said and word not in echoed] == []

    fuzz(operation, check)


def test_a_token_to_read_changes_nothing(api_of: Callable[..., Api], alice: User, broadcasts: list[Any]) -> None:
    caller = api_of(alice, "read")
    before = _counts()
    for operation in described.operations().values():
        if operation.writes:
            address = operation.path.format(id=1)
            answer = caller.client.generic("POST", address, b"{}", "application/json", headers=caller.headers)
            assert answer.status_code == 403, operation
    assert _counts() == before


def test_without_a_token_every_method_is_refused(alice: User, broadcasts: list[Any]) -> None:
    client = Client()
    client.force_login(alice)  # the console's login is none of the API's
    before = _counts()
    for path in VIEWS:
        for method in METHODS:
            _is_refused(client.generic(method, _of_the_cast(path), b"{}", "application/json"), (method, path))
    assert _counts() == before


@pytest.mark.parametrize("token", ["Bearer ", "Bearer \x00", "Bearer x.y", "Basic YWxpY2U6YWxpY2U=", "Bearer 王磊"])
def test_a_token_that_is_none_opens_nothing(alice: User, broadcasts: list[Any], token: str) -> None:
    for name in OPERATIONS:
        method, path = name.split()
        answer = Client().generic(
            method, _of_the_cast(path), b"{}", "application/json", headers={"authorization": token}
        )
        _is_refused(answer, name)


def _is_refused(answer: Any, asked: Any) -> None:
    assert answer.status_code == 401, asked
    assert answer.request["REQUEST_METHOD"] == "HEAD" or set(answer.json()) == {"type", "errors"}, asked


def _of_the_cast(path: str) -> str:
    return "/api/v1/" + path.format(id=1, external_userid="wmXiaolin", chat_id="wrFuli", userid="wanglei")


def _counts() -> list[int]:
    return [model.objects.count() for model in (Channel, Broadcast, Work, AuditRecord)]
