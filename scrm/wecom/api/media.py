"""Pictures that WeCom keeps (wecom-api.md §14)."""

from scrm.wecom.client import client
from scrm.wecom.schemas import text

MOST_BYTES = 2 * 1024 * 1024
LEAST_BYTES = 6  # more than 5
KINDS = {b"\xff\xd8\xff": "jpeg", b"\x89PNG\r\n\x1a\n": "png"}  # by first bytes
UPLOAD_SECONDS = 20.0  # two megabytes over a slow line


def kind_of(data: bytes) -> str | None:
    """jpeg or png; None for anything else."""
    return next((kind for head, kind in KINDS.items() if data.startswith(head)), None)


def upload_picture(data: bytes, *, timeout: float | None = UPLOAD_SECONDS) -> str:
    """The picture's lasting address, for `pic_url` of an image. JPG or PNG, at most 2 MB (§14.2).

    Raises ValueError for other data, WecomError; the number of uploads a day is limited (45009).
    """
    kind = kind_of(data)
    if kind is None or not LEAST_BYTES <= len(data) <= MOST_BYTES:
        raise ValueError("a picture is a JPG or PNG of at most 2 MB")
    answer = client().upload("media/uploadimg", f"picture.{kind}", data, f"image/{kind}", timeout=timeout)
    return text(answer, "url")
