"""Whatever comes in a query or a body: an answer or a refusal, never a fault of ours."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.conftest import Api, World

pytestmark = pytest.mark.django_db

PARAMETERS: dict[str, list[str]] = {
    "customers/": ["userid", "tag", "channel", "group_chat", "added_after", "added_before", "lost", "q", "cursor"],
    "customers/wmXiaolin/timeline/": ["cursor", "page_size"],
    "staff/": ["department", "present", "cursor", "page_size"],
    "group-chats/": ["owner", "type", "dismissed", "q", "cursor"],
    "group-chats/wrFuli/members/": ["present", "cursor", "page_size"],
    "welcomes/": ["userid", "external_userid", "channel", "outcome", "added_after", "added_before", "cursor"],
    "broadcasts/": ["state", "cursor", "page_size"],
    "broadcasts/1/deliveries/": ["state", "reason", "userid", "cursor", "page_size"],
    "metrics/": ["metric", "from", "to", "by", "channel", "group_chat", "staff", "department"],
    "callbacks/": ["state", "event", "change_type", "entity", "received_after", "received_before", "cursor"],
}
LIKELY = [
    "", "0", "-1", "1", "true", "adds", "members", "leave_rate", "day", "channel", "group_chat", "staff", "2026-11-01",
    "0001-01-01", "9999-12-31", "2026-11-01T00:00:00+08:00", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59+14:00",
    "WzAsMV0", "WzEsMV0", "WzAsOTk5OTk5OTk5OTk5OTk5OTk5OTld", "\x00", "%", "_", "'", "\\", "wmXiaolin", "٣", "𠮷", "1e9",
]  # fmt: skip
VALUES = st.one_of(st.sampled_from(LIKELY), st.text(max_size=80), st.integers().map(str), st.datetimes().map(str))
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.mark.parametrize("path", PARAMETERS)
def test_no_query_breaks_anything(api: Api, broadcasts: list[Any], path: str) -> None:
    queries = st.dictionaries(st.sampled_from(PARAMETERS[path]) | st.text(max_size=5), VALUES, max_size=4)

    @FUZZ
    @given(queries)
    def ask(query: dict[str, str]) -> None:
        answer = api.client.get(f"/api/v1/{path}", query, headers=api.headers)
        assert answer.status_code in {200, 400}, answer.content
        assert answer.status_code == 200 or set(answer.json()) == {"type", "errors"}

    ask()


@pytest.mark.parametrize("path", ["channels/", "funnels/", "broadcasts/"])
def test_no_body_breaks_anything(api: Api, world: World, path: str) -> None:
    names = st.sampled_from(
        ["name", "state", "steps", "from", "to", "window_days", "breakdown", "channel", "department",
         "audience", "content", "create_at", "confirm_by", "staff_choice"]
    )  # fmt: skip
    inner = st.dictionaries(
        st.sampled_from(["external_userids", "chat_ids", "filter", "segment", "text", "attachments", "tags"]), BODIES
    )
    likely = BODIES | st.sampled_from(LIKELY) | st.just(["added", "joined"]) | inner

    @FUZZ
    @given(st.one_of(BODIES, st.dictionaries(names, likely, max_size=4)))
    def ask(body: Any) -> None:
        answer = api.client.post(
            f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers=api.headers
        )
        assert answer.status_code in {200, 201, 400}, answer.content

    ask()


@pytest.mark.parametrize("path", ["customers/{}/", "customers/{}/timeline/", "staff/{}/", "group-chats/{}/members/"])
def test_no_id_breaks_anything(api: Api, world: World, path: str) -> None:
    from urllib.parse import quote

    @FUZZ
    @given(VALUES)
    def ask(text: str) -> None:
        answer = api.client.get("/api/v1/" + path.format(quote(text, safe="", errors="replace")), headers=api.headers)
        assert answer.status_code in {200, 404}, answer.content

    ask()
