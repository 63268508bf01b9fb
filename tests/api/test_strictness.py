"""What bad input gets: a refusal in one shape, never silence, never a 5xx."""

from typing import Any

import pytest
from django.test import Client

from tests.api.conftest import Api, World

pytestmark = pytest.mark.django_db

GETS = [
    "customers/", "customers/wmXiaolin/", "customers/wmXiaolin/timeline/", "staff/", "staff/wanglei/", "departments/",
    "tags/", "group-chats/", "group-chats/wrFuli/", "group-chats/wrFuli/members/", "channels/", "welcomes/",
    "broadcasts/", "broadcasts/1/", "broadcasts/1/deliveries/", "metrics/dictionary/", "callbacks/",
]  # fmt: skip


def _send(api: Api, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> Any:
    return api.client.generic(method, f"/api/v1/{path}", body, kind, headers=api.headers)


@pytest.mark.parametrize("path", GETS)
def test_refuses_an_unknown_query_parameter(api: Api, broadcasts: list[Any], path: str) -> None:
    answer = api.get(path, {"colour": "red"}, status=400)

    assert answer["type"] == "validation_error"
    assert [(error["code"], error["attr"]) for error in answer["errors"]] == [("unknown_parameter", "colour")]


@pytest.mark.parametrize("path", ["customers/wmXiaolin/", "metrics/dictionary/"])
def test_pages_belong_to_lists(api: Api, world: World, path: str) -> None:
    api.get(path, {"page_size": "5"}, status=400)


def test_refuses_an_unknown_query_parameter_of_a_change(api: Api, world: World) -> None:
    api.post("channels/?colour=red", {"name": "门店"}, status=400)
    api.post(f"callbacks/{world.callback.pk}/replay/?format=json", status=400)
    api.get("tags/?format=xml", status=400)


def test_replaying_takes_no_body(api: Api, world: World) -> None:
    answer = api.post(f"callbacks/{world.callback.pk}/replay/", {"lane": "welcome"}, status=400)

    assert [(error["code"], error["attr"]) for error in answer["errors"]] == [("unknown_field", "lane")]


def test_answers_rest_in_no_cache(api: Api, world: World) -> None:
    for path in ("customers/wmXiaolin/", "customers/nobody/", "customers/?colour=red"):
        assert api.client.get(f"/api/v1/{path}", headers=api.headers)["Cache-Control"] == "no-store"


def test_segments_can_not_be_filtered_by_yet(api: Api) -> None:
    assert api.get("customers/", {"segment": "1"}, status=400)["errors"][0]["attr"] == "segment"


@pytest.mark.parametrize(
    ("path", "query", "attr"),
    [
        ("customers/", {"lost": "perhaps"}, "lost"),
        ("customers/", {"lost": ""}, "lost"),
        ("customers/", {"userid": ""}, "userid"),
        ("customers/", {"userid": "a\x00"}, "userid"),
        ("customers/", {"added_after": "yesterday"}, "added_after"),
        ("customers/", {"added_after": "0001-01-01T00:00:00+14:00"}, "added_after"),
        ("welcomes/", {"added_after": "0001-01-01"}, "added_after"),
        ("customers/", {"added_before": "9999-12-31T23:59:59-12:00"}, "added_before"),
        ("customers/", {"tag": ["a", "b"]}, "tag"),
        ("staff/", {"department": "99999999999999999999"}, "department"),
        ("group-chats/wrFuli/members/", {"present": "2"}, "present"),
        ("group-chats/", {"type": "party"}, "type"),
        ("welcomes/", {"outcome": "great"}, "outcome"),
        ("broadcasts/", {"state": "lost"}, "state"),
        ("callbacks/", {"state": "lost"}, "state"),
    ],
)
def test_refuses_a_bad_value(api: Api, world: World, path: str, query: dict[str, Any], attr: str) -> None:
    assert [error["attr"] for error in api.get(path, query, status=400)["errors"]] == [attr]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused_in_the_same_shape(api: Api, method: str) -> None:
    answer = _send(api, method, "customers/")

    assert answer.status_code == 405
    assert answer.json()["errors"][0]["code"] == "method_not_allowed"


def test_head_answers_like_get_without_a_body(api: Api) -> None:
    answer = _send(api, "HEAD", "customers/")

    assert (answer.status_code, answer.content) == (200, b"")


def test_an_address_that_does_not_exist_answers_in_the_same_shape(api: Api) -> None:
    for path in ("nonsense/", "customers/a/b/", "callbacks/x/", "customers/%00/", ""):
        assert api.get(path, status=404)["errors"][0]["code"] == "not_found", path


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"name": NaN}', "application/json", 400),
        (b"[" * 200_000, "application/json", 400),
        (b"1" * 10_000, "application/json", 400),
        (b'{"name": "\\ud800"}', "application/json", 400),
        (b"null", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'"x"', "application/json", 400),
        (b"", "application/json", 400),
        (b"name=x", "application/x-www-form-urlencoded", 415),
        (b"<xml/>", "text/xml", 415),
        (b'{"name": "' + b"x" * (5 * 1024 * 1024) + b'"}', "application/json", 413),
    ],
    ids=range(13),
)
def test_refuses_a_body_that_is_no_channel(api: Api, body: bytes, kind: str, status: int) -> None:
    answer = _send(api, "POST", "channels/", body, kind)

    assert answer.status_code == status, answer.content
    assert set(answer.json()) == {"type", "errors"}


def test_speaks_json_only(api: Api) -> None:
    answer = api.client.get("/api/v1/tags/", headers={**api.headers, "Accept": "application/xml"})
    assert answer.status_code == 406

    page = api.client.get("/api/v1/tags/", headers={**api.headers, "Accept": "text/html,*/*;q=0.8"})
    assert page["Content-Type"] == "application/json"


def test_a_fault_of_ours_says_nothing_of_the_inside(api: Api, settings: Any) -> None:
    """The table of tags is away: the answer has the shape, no SQL, no stack trace."""
    from django.db import connection

    api.client = Client(raise_request_exception=False)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE contacts_taggroup RENAME TO contacts_taggroup_away")
    answer = api.client.get("/api/v1/tags/", headers=api.headers)

    assert answer.status_code == 500
    assert answer.json() == {
        "type": "server_error",
        "errors": [{"code": "error", "detail": "Server Error (500)", "attr": None}],
    }
