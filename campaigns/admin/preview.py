"""A broadcast as the customer sees it: bubbles for the page's phone."""

from typing import Any

from django.utils.translation import gettext as _

from campaigns.models import Broadcast


def of(broadcast: Broadcast) -> list[dict[str, str]]:
    """Bubbles in order: `{"kind": text|image|link|other, "title", "note", "picture"}`."""
    bubbles = [_bubble("text", broadcast.text)] if broadcast.text else []
    return bubbles + [_attachment(row) for row in broadcast.attachments]


def _attachment(row: dict[str, Any]) -> dict[str, str]:
    kind = str(row.get("msgtype", ""))
    fields: dict[str, str] = row.get(kind) or {}
    if kind == "image":
        return _bubble("image", "", picture=fields.get("pic_url", ""))
    if kind == "link":
        note = fields.get("desc", "") or fields.get("url", "")
        return _bubble("link", fields.get("title", ""), note, fields.get("picurl", ""))
    words = {"miniprogram": _("mini program"), "video": _("video"), "file": _("file")}
    return _bubble("other", fields.get("title", "") or words.get(kind, kind), words.get(kind, kind))


def _bubble(kind: str, title: str, note: str = "", picture: str = "") -> dict[str, str]:
    return {"kind": kind, "title": title, "note": note, "picture": picture if picture.startswith("https://") else ""}
