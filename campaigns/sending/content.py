"""What a broadcast says: checked before it is stored, and recognised when the platform tells it back."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from campaigns.models.welcome import MOST_ATTACHMENTS, fits_in_message

Attachment = Mapping[str, Any]

# kind → required fields, optional fields; byte lengths of the fields (wecom-api.md §8.1).
_FIELDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "image": ((), ("media_id", "pic_url")),
    "link": (("title", "url"), ("picurl", "desc")),
    "miniprogram": (("title", "pic_media_id", "appid", "page"), ()),
    "video": (("media_id",), ()),
    "file": (("media_id",), ()),
}
_BYTES = {"title": 128, "url": 2048, "picurl": 2048, "desc": 512, "pic_url": 2048}
_MINIPROGRAM_TITLE = 64
_VARIABLES = ("{customer}", "%NICKNAME%")  # all recipients of one call get the same text (platform.md 7)


def check(text: str, attachments: Sequence[Attachment]) -> None:
    """Raises ValidationError (keys `text`, `attachments`) for what the platform would refuse (wecom-api.md §10.1), or our
    database."""
    if not storable(text):
        raise ValidationError({"text": _("There are characters in it that can't be stored.")})
    if not text.strip() and not attachments:
        raise ValidationError({"text": _("Write a text or add an attachment.")})
    try:
        fits_in_message(text)
    except ValidationError as error:
        raise ValidationError({"text": error}) from None
    for variable in _VARIABLES:
        if variable in text:
            raise ValidationError(
                {
                    "text": _("A broadcast says the same to everybody: %(variable)s can't be used.")
                    % {"variable": variable}
                }
            )
    if len(attachments) > MOST_ATTACHMENTS:
        raise ValidationError({"attachments": _("At most %(most)d attachments.") % {"most": MOST_ATTACHMENTS}})
    for number, attachment in enumerate(attachments, 1):
        fault = _fault(attachment)
        if fault:
            raise ValidationError(
                {"attachments": _("Attachment %(number)d: %(fault)s") % {"number": number, "fault": fault}}
            )


def storable(text: str) -> bool:
    """Whether PostgreSQL can hold it: no NUL, no half of a character."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _fault(attachment: Any) -> str:
    """What is wrong with an attachment, in words; "" when nothing is."""
    if not isinstance(attachment, Mapping):
        return _("not an object")
    kind = attachment.get("msgtype")
    if not isinstance(kind, str) or kind not in _FIELDS:
        return _("msgtype must be one of %(kinds)s") % {"kinds": ", ".join(_FIELDS)}
    fields = attachment.get(kind)
    if not isinstance(fields, Mapping):
        return _("the field %(field)s is missing") % {"field": kind}
    for name in attachment:
        if name not in ("msgtype", kind):
            return _("the field %(field)s is not known") % {"field": name}
    required, optional = _FIELDS[kind]
    for name in required:
        if not fields.get(name):
            return _("the field %(field)s is missing") % {"field": name}
    if kind == "image" and not (fields.get("media_id") or fields.get("pic_url")):
        return _("an image needs media_id or pic_url")
    for name, value in fields.items():
        if name not in required + optional or not isinstance(value, str):
            return _("the field %(field)s is not known") % {"field": name}
        if not storable(value):
            return _("there are characters in %(field)s that can't be stored") % {"field": name}
        most = _MINIPROGRAM_TITLE if (kind, name) == ("miniprogram", "title") else _BYTES.get(name, 2048)
        if len(value.encode()) > most:
            return _("%(field)s is longer than %(most)d bytes") % {"field": name, "most": most}
        if name in {"url", "picurl", "pic_url"} and value and not value.startswith(("http://", "https://")):
            return _("%(field)s is no address") % {"field": name}
    return ""


def body(text: str, attachments: Sequence[Attachment]) -> dict[str, Any]:
    """The content as a call carries it."""
    content: dict[str, Any] = {"text": {"content": text}} if text else {}
    if attachments:
        content["attachments"] = [dict(attachment) for attachment in attachments]
    return content


def digest(text: str, attachments: Sequence[Attachment]) -> str:
    """SHA-256 of the content: equal content has an equal digest, whatever the order of the fields."""
    canonical = json.dumps(body(text, attachments), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def looks_like(text: str, attachments: Sequence[Attachment], told_text: str, told: Sequence[Attachment]) -> bool:
    """Whether a record of the platform may be this content: equal text, and attachments of equal kinds, titles and
    addresses. Media ids are left out: nobody promises that they are told as they were given."""
    return text.strip() == told_text.strip() and [_trait(row) for row in attachments] == [_trait(row) for row in told]


def _trait(attachment: Attachment) -> tuple[str, ...]:
    kind = str(attachment.get("msgtype", ""))
    fields = attachment.get(kind)
    named = fields if isinstance(fields, Mapping) else {}
    return kind, str(named.get("title", "")), str(named.get("url", "") or named.get("page", ""))
