"""The inner XML of an event as a small dataclass. All values are strings; fields that we don't know stay in `fields`."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from scrm.base.clock import from_unix


class UnreadableEvent(Exception):
    """Signature and corp were right, but the inner text is no event that we can read."""


@dataclass(frozen=True)
class Event:
    """One event. `event` is empty for plain app messages."""

    kind: str
    change_type: str
    happened_at: dt.datetime | None
    fields: dict[str, Any]

    def text(self, name: str) -> str:
        """The field's text, empty where it is absent."""
        value = self.fields.get(name)
        return value.strip() if isinstance(value, str) else ""

    def key(self, name: str) -> str:
        """The field as an id, empty where it can be none (wecom-api.md §0: at most 64 characters)."""
        text = self.text(name)
        return text if len(text) <= 64 else ""

    def integer(self, name: str) -> int | None:
        """The field as a whole number, None where it is absent or something else."""
        text = self.text(name)
        return int(text) if re.fullmatch(r"-?\d{1,9}", text) else None

    @property
    def welcome_code(self) -> str:
        return self.text("WelcomeCode")

    @property
    def changed_members(self) -> tuple[str, ...]:
        """MemChangeList: ids of the members who came or went; empty on old platform versions."""
        listed = self.fields.get("MemChangeList")
        items = listed.get("Item") if isinstance(listed, dict) else None
        return tuple(item.strip() for item in items or () if isinstance(item, str) and item.strip())


def parse(message: bytes | str) -> Event:
    """Reads the inner XML. Raises UnreadableEvent for broken XML, entities, or something that is no event."""
    try:
        text = message.decode("utf-8") if isinstance(message, bytes) else message
        if "\N{REPLACEMENT CHARACTER}" in text or "\x00" in text:
            raise ValueError("bytes that are no text")  # kept with replacements: never mirrored, also not by a replay
        root = ElementTree.XML(text, ElementTree.XMLParser(target=_Builder()))  # noqa: S314  see _Builder
        fields = _value(root) if root.tag == "xml" else None
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        raise UnreadableEvent(f"not readable as XML: {error}") from error
    if not isinstance(fields, dict):
        raise UnreadableEvent("no <xml> element with fields")
    kind = fields.get("Event") or fields.get("MsgType")
    if not isinstance(kind, str) or not kind.strip():
        raise UnreadableEvent("neither Event nor MsgType")
    change = fields.get("ChangeType")
    return Event(
        kind.strip(), change.strip() if isinstance(change, str) else "", _moment(fields.get("CreateTime")), fields
    )


class _Builder(ElementTree.TreeBuilder):
    """No document types: without one there are no entities to expand or to fetch."""

    def doctype(self, *_: object) -> None:
        raise ValueError("a document type")


def _value(element: ElementTree.Element) -> Any:
    """The text of a leaf, None where that is empty; of a branch its children by name, `Item` in a list."""
    if not len(element):
        return (element.text or "").strip() or None
    fields: dict[str, Any] = {}
    for child in element:
        if child.tag == "Item":
            fields.setdefault("Item", []).append(_value(child))
        else:
            fields[child.tag] = _value(child)
    return fields


def _moment(value: Any) -> dt.datetime | None:
    """CreateTime; None for what no platform clock can have said."""
    if isinstance(value, str) and re.fullmatch(r"\d{9,10}", value.strip()):
        return from_unix(int(value))
    return None
