"""The XML of the platform's events (wecom-api.md §3), from plain dictionaries in element order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Value = str | int | Sequence[str]
Fields = dict[str, Value]


def external_contact(change_type: str, **fields: Value | None) -> Fields:
    """A `change_external_contact` event without its envelope fields; None leaves an element out."""
    return _event("change_external_contact", change_type, fields)


def external_chat(change_type: str, **fields: Value | None) -> Fields:
    """A `change_external_chat` event."""
    return _event("change_external_chat", change_type, fields)


def external_tag(change_type: str, **fields: Value | None) -> Fields:
    """A `change_external_tag` event."""
    return _event("change_external_tag", change_type, fields)


def contact(change_type: str, **fields: Value | None) -> Fields:
    """A `change_contact` (address book) event."""
    return _event("change_contact", change_type, fields)


def _event(event: str, change_type: str, fields: Mapping[str, Value | None]) -> Fields:
    known = {name: value for name, value in fields.items() if value is not None}
    return {"Event": event, "ChangeType": change_type, **known}


def to_xml(corp_id: str, create_time: int, fields: Fields) -> bytes:
    """The decrypted text of a callback; repeats of one event are equal to the byte."""
    head: Fields = {
        "ToUserName": corp_id,
        "FromUserName": "sys",
        "CreateTime": create_time,
        "MsgType": "event",
    }
    return f"<xml>{''.join(_element(*pair) for pair in {**head, **fields}.items())}</xml>".encode()


def _element(name: str, value: Value) -> str:
    if isinstance(value, int):
        return f"<{name}>{value}</{name}>"
    if isinstance(value, str):
        return f"<{name}>{_cdata(value)}</{name}>"
    return f"<{name}>{''.join(f'<Item>{_cdata(item)}</Item>' for item in value)}</{name}>"


def _cdata(text: str) -> str:
    return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"
