"""What the API says of itself: its operations, values for their parameters and bodies, and whether answers keep to it."""

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from drf_spectacular.generators import SchemaGenerator
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

# Ids of the cast (tests.api.conftest), of both departments: what a caller may ask for, whether or not it is theirs.
IDS = [
    "wanglei", "zhaomin", "wmXiaolin", "wmXiaochen", "wmPasserby", "wrFuli", "wrOther", "etVip", "etNew", "parcel",
    "contact:wmXiaolin", "change_external_contact",
]  # fmt: skip
LIKELY = [
    "", "0", "-1", "1", "2", "true", "2026-11-01", "0001-01-01", "9999-12-31", "2026-11-01T00:00:00+08:00",
    "9999-12-31T23:59:59Z", "1969-12-31T23:59:59+14:00", "2026-11-01T00:00:00+99:99", "WzAsMV0", "WzEsMV0",
    "WzAsOTk5OTk5OTk5OTk5OTk5OTk5OTld", "bnVsbA", "\x00", "%", "_", "'", "\\", "٣", "𠮷", "1e9", "NaN", "9" * 400,
]  # fmt: skip
ODD = st.one_of(st.sampled_from(LIKELY), st.text(max_size=80), st.integers().map(str), st.datetimes().map(str))
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    method: str
    path: str
    said: dict[str, Any]

    @property
    def writes(self) -> bool:
        return self.method != "GET" and "/funnels/" not in self.path  # a question with a body

    def parameters(self, place: str) -> dict[str, dict[str, Any]]:
        return {item["name"]: item["schema"] for item in self.said.get("parameters", []) if item["in"] == place}

    def objections(self, status: int, body: bytes) -> list[str]:
        """What the description does not say of this answer."""
        if str(status) not in self.said["responses"]:
            return [f"status {status}"]
        content = self.said["responses"][str(status)]["content"]["application/json"]["schema"]
        found = _judge(json.dumps(content)).iter_errors(json.loads(body))
        return [f"{error.json_path}: {error.message}" for error in found]


@functools.cache
def description() -> dict[str, Any]:
    generator: Any = SchemaGenerator
    return dict(generator().get_schema(request=None, public=True))


@functools.cache
def operations() -> dict[str, Operation]:
    """By method and address below /api/v1/."""
    found = [
        Operation(method.upper(), path, said)
        for path, methods in description()["paths"].items()
        for method, said in methods.items()
    ]
    return {f"{item.method} {item.path.removeprefix('/api/v1/')}": item for item in found}


def requests_of(operation: Operation) -> st.SearchStrategy[tuple[str, dict[str, str], Any]]:
    """(address, query, body): mostly such as are described, with odd values, unknown names and junk among them."""
    words = {name: _word(schema) | ODD for name, schema in operation.parameters("query").items()}
    required = {name: _word(operation.parameters("query")[name]) for name in _required(operation)}
    query = st.fixed_dictionaries(required, optional={name: words[name] for name in words if name not in required})
    if words:
        query |= st.dictionaries(st.sampled_from(sorted(words)) | st.text(max_size=5), ODD, max_size=4)
    places = st.fixed_dictionaries({
        name: _word(schema) | ODD for name, schema in operation.parameters("path").items()
    })  # fmt: skip
    asked = operation.said.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    body = (_value(asked) | _value(asked, odd=True) | JUNK) if asked else st.none()
    return st.tuples(places.map(functools.partial(_address, operation.path)), query, body)


def _address(path: str, places: dict[str, str]) -> str:
    return path.format(**{name: quote(text, safe="", errors="replace") for name, text in places.items()})


def _required(operation: Operation) -> list[str]:
    return [
        item["name"] for item in operation.said.get("parameters", []) if item["in"] == "query" and item.get("required")
    ]


def _word(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    """A parameter as it is described."""
    return _value(schema).map(lambda value: json.dumps(value) if isinstance(value, bool) else str(value))


_TEXTS: dict[str, st.SearchStrategy[str]] = {
    "date": st.dates().map(str),
    "date-time": st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
}


def _value(schema: dict[str, Any], *, odd: bool = False) -> st.SearchStrategy[Any]:
    """A value as it is described; with `odd`, junk may stand anywhere inside."""
    if "$ref" in schema:
        return _value(description()["components"]["schemas"][schema["$ref"].rpartition("/")[2]], odd=odd)
    inner: Callable[[dict[str, Any]], st.SearchStrategy[Any]] = functools.partial(_value, odd=odd)
    found: st.SearchStrategy[Any]
    if parts := schema.get("allOf") or schema.get("oneOf"):
        found = st.one_of(*map(inner, parts))
    elif "enum" in schema:
        found = st.sampled_from(schema["enum"])
    elif schema.get("type") == "object":
        fields = {name: inner(field) for name, field in schema.get("properties", {}).items()}
        needed = {} if odd else {name: fields[name] for name in schema.get("required", [])}
        found = st.fixed_dictionaries(needed, optional={name: fields[name] for name in fields if name not in needed})
    elif schema.get("type") == "array":
        found = st.lists(inner(schema.get("items", {})), max_size=3)
    elif schema.get("type") in {"integer", "number"}:
        found = st.integers(schema.get("minimum"), schema.get("maximum")) | st.sampled_from([1, 2, 3])
    elif schema.get("type") == "boolean":
        found = st.booleans()
    elif schema.get("type") == "string":
        found = _TEXTS.get(schema.get("format", ""), st.sampled_from(IDS) | st.text(min_size=1, max_size=20))
    else:
        found = JUNK
    return found | JUNK | st.sampled_from(LIKELY) if odd else found


@functools.cache
def _judge(schema: str) -> Draft202012Validator:
    return Draft202012Validator({**json.loads(schema), "components": _strict(description()["components"])})


def _strict(said: Any) -> Any:
    """OpenAPI 3.0's `nullable` in the words of JSON Schema, and nothing in an answer that is not described."""
    if isinstance(said, list):
        return [_strict(item) for item in said]
    if not isinstance(said, dict):
        return said
    found = {name: _strict(value) for name, value in said.items() if name != "nullable"}
    if "properties" in found and found.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return {"anyOf": [found, {"type": "null"}]} if said.get("nullable") is True else found
