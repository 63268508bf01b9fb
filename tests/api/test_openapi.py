"""The description of the API: complete, valid, and served with its page."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from scrm.site.api.urls import urlpatterns
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db

UNDESCRIBED = {"schema", "docs", "nowhere"}


@pytest.fixture
def schema() -> dict[str, Any]:
    return dict(Client().get("/api/v1/schema/").json())


def test_is_valid_and_made_without_a_warning() -> None:
    out = io.StringIO()

    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=out)

    assert json.loads(out.getvalue())["openapi"].startswith("3.")


def test_describes_every_address(schema: dict[str, Any]) -> None:
    expected = {
        "/api/v1/" + str(pattern.pattern).replace("<str:", "{").replace("<int:", "{").replace(">", "}")
        for pattern in urlpatterns
        if pattern.name not in UNDESCRIBED
    }

    assert {path.replace("{id}", "{pk}") for path in schema["paths"]} == expected


def test_every_parameter_has_a_description_and_every_operation_a_summary(schema: dict[str, Any]) -> None:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), (method, path)
            assert {"400", "401", "403"} <= set(operation["responses"]), (method, path)
            assert operation["security"] == [{"token": []}], (method, path)
            bare = [item["name"] for item in operation.get("parameters", []) if item["in"] == "query"
                    and not item.get("description")]  # fmt: skip
            assert bare == [], (method, path)


@pytest.mark.parametrize(
    ("path", "asked", "listed"),
    [
        ("/api/v1/customers/{external_userid}/", "customers/wmXiaolin/", False),
        ("/api/v1/customers/{external_userid}/timeline/", "customers/wmXiaolin/timeline/", True),
        ("/api/v1/staff/", "staff/", True),
        ("/api/v1/tags/", "tags/", True),
        ("/api/v1/group-chats/", "group-chats/", True),
        ("/api/v1/group-chats/{chat_id}/members/", "group-chats/wrFuli/members/", True),
        ("/api/v1/channels/", "channels/", True),
        ("/api/v1/welcomes/", "welcomes/", True),
        ("/api/v1/broadcasts/", "broadcasts/", True),
        ("/api/v1/broadcasts/{id}/", "broadcasts/1/", False),
        ("/api/v1/broadcasts/{id}/deliveries/", "broadcasts/1/deliveries/", True),
        ("/api/v1/callbacks/", "callbacks/", True),
    ],
)
def test_examples_have_the_fields_of_real_answers(
    api: Api, broadcasts: list[Any], schema: dict[str, Any], path: str, asked: str, listed: bool
) -> None:
    content = schema["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    (example,) = [item["value"] for item in content["examples"].values()]
    answer = api.get(asked)

    shown, real = (example["results"][0], answer["results"][0]) if listed else (example, answer)
    assert set(shown) == set(real)


def test_the_page_loads_only_from_here() -> None:
    answer = Client().get("/api/v1/docs/")
    page = answer.content.decode()

    assert answer.status_code == 200
    assert "script-src 'self';" in answer["Content-Security-Policy"] + ";"
    assert "http://" not in page.replace("http://testserver", "")
    assert "https://" not in page
    assert "<script>" not in page
    script = Client().get("/api/v1/docs/?script=")
    assert script.status_code == 200
    assert "/api/v1/schema/" in script.content.decode()
