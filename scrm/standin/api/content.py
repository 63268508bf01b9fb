"""Text and attachments, as welcomes and broadcasts take them (wecom-api.md §8.1): lengths in bytes."""

from __future__ import annotations

from typing import Any

from scrm.standin.errors import Refusal

from .call import Call

TEXT_BYTES = 4000
ATTACHMENTS = 9
UPLOADED = "https://wework.qpic.cn/"  # pictures made by media/uploadimg

# By message type: field → (required, most bytes; 0 = any).
FIELDS: dict[str, dict[str, tuple[bool, int]]] = {
    "image": {"media_id": (False, 0), "pic_url": (False, 0)},
    "link": {"title": (True, 128), "picurl": (False, 2048), "desc": (False, 512), "url": (True, 2048)},
    "miniprogram": {"title": (True, 64), "pic_media_id": (True, 0), "appid": (True, 0), "page": (True, 0)},
    "video": {"media_id": (True, 0)},
    "file": {"media_id": (True, 0)},
}
MEDIA = ("media_id", "pic_media_id")


def content(call: Call) -> tuple[str, list[dict[str, Any]]]:
    """Text and attachments of a call: 40007, 40058, 41064, 41065, 44004, 45002 for what cannot be sent."""
    given = call.body.get("text") or {}
    if not isinstance(given, dict) or not isinstance(given.get("content", ""), str):
        raise Refusal(40058, "invalid text")
    text = given.get("content", "")
    attachments = call.body.get("attachments") or []
    if not isinstance(attachments, list):
        raise Refusal(40058, "invalid attachments")
    if not text and not attachments:
        raise Refusal(44004)
    if len(text.encode()) > TEXT_BYTES:
        raise Refusal(45002)
    if len(attachments) > ATTACHMENTS:
        raise Refusal(41064)
    for attachment in attachments:
        _check(call, attachment)
    return text, attachments


def _check(call: Call, attachment: object) -> None:
    kind = attachment.get("msgtype") if isinstance(attachment, dict) else None
    if not isinstance(attachment, dict) or kind not in FIELDS:
        raise Refusal(41065)
    value = attachment.get(kind)
    if not isinstance(value, dict):
        raise Refusal(40058, f"missing {kind}")
    for name, (required, most) in FIELDS[kind].items():
        _check_field(call, kind, name, value.get(name, ""), required, most)
    if kind == "image" and not value.get("media_id") and not str(value.get("pic_url", "")).startswith(UPLOADED):
        raise Refusal(40007)


def _check_field(call: Call, kind: str, name: str, text: object, required: bool, most: int) -> None:
    if not isinstance(text, str) or (required and not text):
        raise Refusal(40058, f"missing {kind}.{name}")
    if most and len(text.encode()) > most:
        raise Refusal(40058, f"{kind}.{name} exceeds {most} bytes")
    if name in MEDIA and text and not call.world.media.usable(text, kind if name == "media_id" else "image"):
        raise Refusal(40007)
