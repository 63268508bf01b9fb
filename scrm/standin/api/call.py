"""One call of an endpoint, with readers that refuse what the platform refuses."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scrm.standin.errors import Refusal

if TYPE_CHECKING:
    from scrm.standin.ledger import Ledger
    from scrm.standin.tokens import Tokens
    from scrm.standin.world import World


@dataclass(frozen=True, slots=True)
class Call:
    """Query and JSON body of a call by the app `agent_id` (0 before a token)."""

    world: World
    ledger: Ledger
    tokens: Tokens
    query: dict[str, str]
    body: dict[str, Any]
    ip: str
    agent_id: int = 0
    raw: bytes = b""  # the body as it came, where it is no JSON
    content_type: str = ""

    def text(self, name: str, *, required: bool = True, code: int = 40063) -> str:
        """A string of the body; `code` when it is required and absent."""
        value = self.body.get(name)
        if value is None or value == "":
            if required:
                raise Refusal(code, f"missing {name}")
            return ""
        if not isinstance(value, str):
            raise Refusal(40058, f"{name} should be a string")
        return value

    def number(self, name: str, default: int | None = None) -> int:
        """An integer of the body; 40058 when it is absent without a default, or no integer."""
        value = self.body.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise Refusal(40058, f"{name} should be an integer")
        return value

    def strings(self, name: str) -> list[str] | None:
        """A list of strings; None when absent."""
        value = self.body.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or any(not isinstance(item, str) for item in value):
            raise Refusal(40058, f"{name} should be a list of strings")
        return value

    def limit(self, default: int | None, most: int, *, clamp: bool) -> int:
        """`limit` of a page: above the most it is cut (`clamp`) or refused; zero and below are refused."""
        limit = self.number("limit", default)
        if limit > most and clamp:
            return most
        if not 1 <= limit <= most:
            raise Refusal(40058, "invalid limit")
        return limit


def to_cursor(kind: str, *position: int) -> str:
    """An opaque page mark."""
    return base64.urlsafe_b64encode(f"{kind}:{':'.join(map(str, position))}".encode()).decode()


def from_cursor(cursor: str, kind: str, parts: int) -> tuple[int, ...]:
    """The position inside a mark; zeros for the empty mark, 50100 for one that we did not give."""
    if not cursor:
        return (0,) * parts
    try:
        given, *position = base64.urlsafe_b64decode(cursor.encode()).decode().split(":")
        numbers = tuple(int(part) for part in position)
    except (ValueError, binascii.Error):
        raise Refusal(50100) from None
    if given != kind or len(numbers) != parts:
        raise Refusal(50100)
    return numbers
