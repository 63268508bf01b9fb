"""Cursor pages: `{"next", "previous", "results"}` with absolute addresses.

A cursor names the row at which a page ends by the values of a unique order, so that rows that come in meanwhile neither
repeat nor hide others.
"""

import base64
import binascii
import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.core.exceptions import ValidationError as FieldError
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from scrm.base.numbers import LARGEST, whole

DEFAULT_SIZE = 100
MOST = 1000

Key = tuple[Any, ...]
Fetch = Callable[[Key | None, bool, int], list[Any]]


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: after the row with this key, or, `back`, before it."""

    key: tuple[str | int, ...]
    back: bool = False

    def write(self) -> str:
        text = json.dumps([int(self.back), *self.key], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """Raises ValueError."""
        raw = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        values = json.loads(raw)
        if not isinstance(values, list) or values[:1] not in ([0], [1]):
            raise ValueError(text)
        if not all(isinstance(value, str | int) and not isinstance(value, bool) for value in values[1:]):
            raise ValueError(text)
        return cls(tuple(values[1:]), bool(values[0]))


class Pages(BasePagination):
    """Pages over a queryset by `ordering`: fields of one direction that together are unique and never null."""

    ordering: ClassVar[tuple[str, ...]] = ("pk",)
    parameters = frozenset({"cursor", "page_size"})

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        self.request = request
        size, cursor = page_size(request), read_cursor(request)
        fetch, key_of, read_key = self.access(queryset)
        try:
            key = read_key(cursor.key) if cursor else None
        except (ValueError, TypeError, FieldError, OverflowError) as error:
            raise _bad_cursor() from error
        back = cursor is not None and cursor.back
        rows = fetch(key, back, size + 1)
        more = len(rows) > size
        rows = rows[:size][::-1] if back else rows[:size]
        ends = [Cursor(key_of(row)).key for row in (rows[:1] + rows[-1:])]
        self.next = self._link(Cursor(ends[-1])) if ends and (more or back) else None
        self.previous = self._link(Cursor(ends[0], back=True)) if ends and (more if back else cursor) else None
        return rows

    def access(self, rows: Any) -> tuple[Fetch, Callable[[Any], Key], Callable[[Key], Key]]:
        """How to fetch rows from a key on, a row's key as it stands in a cursor, and the way back."""
        names = [name.lstrip("-") for name in self.ordering]
        descending = self.ordering[0].startswith("-")

        def fetch(key: Key | None, back: bool, limit: int) -> list[Any]:
            down = descending is not back
            chosen = rows.filter(_beyond(names, key, down)) if key else rows
            return list(chosen.order_by(*[f"-{name}" if down else name for name in names])[:limit])

        return (
            fetch,
            lambda row: tuple(_plain(getattr(row, name)) for name in names),
            lambda key: _typed(rows, names, key),
        )

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.next, "previous": self.previous, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        address = "https://scrm.example.com/api/v1/customers/?cursor="
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": {**link, "example": f"{address}WzAsMTAwXQ"},
                "previous": {**link, "example": f"{address}WzEsMV0"},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        return [
            {
                "name": "cursor", "in": "query", "required": False, "schema": {"type": "string"},
                "description": "From `next` or `previous` of another page; nothing to make yourself.",
            },
            {
                "name": "page_size", "in": "query", "required": False,
                "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT_SIZE},
                "description": f"Rows of a page, at most {MOST:,}.",
            },
        ]  # fmt: skip

    def _link(self, cursor: Cursor) -> str:
        return replace_query_param(self.request.build_absolute_uri(), "cursor", cursor.write())


class NewestFirst(Pages):
    """For rows that are happenings."""

    ordering = ("-pk",)


def page_size(request: Request) -> int:
    """What was asked for, at most MOST. Raises ValidationError."""
    size = whole(request.query_params.get("page_size", str(DEFAULT_SIZE)), least=1, most=10**9 - 1)
    if size is None:
        raise ValidationError({"page_size": [_("A whole number from 1 to %(most)d.") % {"most": MOST}]})
    return min(size, MOST)


def read_cursor(request: Request) -> Cursor | None:
    """None for the first page. Raises ValidationError."""
    text = request.query_params.get("cursor")
    if text is None:
        return None
    try:
        return Cursor.read(text)
    except (ValueError, binascii.Error, RecursionError) as error:
        raise _bad_cursor() from error


def _bad_cursor() -> ValidationError:
    return ValidationError({"cursor": [_("This is no cursor of ours: take it from next or previous.")]})


def _plain(value: Any) -> str | int:
    return value.isoformat() if isinstance(value, dt.datetime) else value


def _typed(rows: "QuerySet[Model]", names: Sequence[str], key: Key) -> Key:
    """Raises ValueError or Django's ValidationError for what can't be values of these fields."""
    if len(key) != len(names):
        raise ValueError(key)
    meta = rows.model._meta
    fields = [meta.pk if name == "pk" else meta.get_field(name) for name in names]
    values = tuple(field.to_python(value) for field, value in zip(fields, key, strict=True))  # type: ignore[union-attr]
    if any(isinstance(value, int) and abs(value) > LARGEST for value in values):
        raise ValueError(key)
    if any(isinstance(value, dt.datetime) and value.tzinfo is None for value in values):
        raise ValueError(key)
    return values


def _beyond(names: Sequence[str], key: Key, down: bool) -> Q:
    """(a, b) < (x, y) as a < x or (a = x and b < y); the bound on `a` alone lets the index start there."""
    word = "lt" if down else "gt"
    if len(names) == 1:
        return Q(**{f"{names[0]}__{word}": key[0]})
    rest = _beyond(names[1:], key[1:], down)
    return Q(**{f"{names[0]}__{word}e": key[0]}) & (Q(**{f"{names[0]}__{word}": key[0]}) | rest)
