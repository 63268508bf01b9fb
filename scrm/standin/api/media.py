"""Uploading material (wecom-api.md §14.1, §14.2): multipart, one part named `media` with a file name."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from scrm.standin.errors import Refusal
from scrm.standin.media import KINDS

from .call import Call
from .content import UPLOADED

LEAST = 5  # bytes; a file has more
MEGA = 1024 * 1024
MOST = {"image": 10 * MEGA, "voice": 2 * MEGA, "video": 10 * MEGA, "file": 20 * MEGA}
MOST_PICTURE = 2 * MEGA  # of uploadimg
PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
BOUNDARY = re.compile(r'multipart/form-data;.*\bboundary="?([^";]+)"?', re.IGNORECASE)
FIELD = re.compile(r'\bname="media"', re.IGNORECASE)
# Only the plain form: names in the form of RFC 2231 (`filename*=`) are not understood.
FILENAME = re.compile(r'\bfilename="([^"]+)"', re.IGNORECASE)


def upload(call: Call) -> dict[str, Any]:
    """A media_id for three days: 40004 kind, 44001 no file, 40006 too small, 45001 too big, 40123 no JPG or PNG."""
    kind = call.query.get("type", "")
    if kind not in KINDS:
        raise Refusal(40004)
    name, data = _file(call)
    if len(data) <= LEAST:
        raise Refusal(40006)
    if len(data) > MOST[kind]:
        raise Refusal(45001)
    if kind == "image" and not data.startswith(PICTURES):
        raise Refusal(40123)
    media_id, now = call.world.media.upload(kind), call.world.now()
    digest = hashlib.sha256(data).hexdigest()
    call.ledger.write("media", now, media_id=media_id, type=kind, filename=name, size=len(data), digest=digest)
    return {"type": kind, "media_id": media_id, "created_at": str(now)}


def uploadimg(call: Call) -> dict[str, Any]:
    """A lasting address of a picture for `pic_url`: 44001 no file, 40006 too small, 45001 too big, 40123 no JPG or PNG."""
    name, data = _file(call)
    if len(data) <= LEAST:
        raise Refusal(40006)
    if len(data) > MOST_PICTURE:
        raise Refusal(45001)
    if not data.startswith(PICTURES):
        raise Refusal(40123)
    digest = hashlib.sha256(data).hexdigest()
    url = f"{UPLOADED}wwpic/{digest[:32]}/0"
    call.ledger.write("picture", call.world.now(), url=url, filename=name, size=len(data), digest=digest)
    return {"url": url}


def _file(call: Call) -> tuple[str, bytes]:
    """File name and bytes of the part `media`."""
    boundary = BOUNDARY.match(call.content_type)
    if boundary is None:
        raise Refusal(44001)
    for part in (b"\r\n" + call.raw).split(b"\r\n--" + boundary[1].encode("latin-1")):
        head, _, data = part.partition(b"\r\n\r\n")
        text = head.decode(errors="replace")
        if FIELD.search(text) and (name := FILENAME.search(text)):
            return name[1], data
    raise Refusal(44001)
