"""Lasting pictures: what the stand-in takes, and that our client hands over what it should."""

from typing import Any

import pytest

from scrm.wecom import errors
from scrm.wecom.api import media
from scrm.wecom.client import client

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40
JPG = b"\xff\xd8\xff" + b"0" * 40


def test_a_picture_gets_a_lasting_address(standin: Any) -> None:
    first, again, other = (media.upload_picture(data) for data in (PNG, PNG, JPG))
    assert first == again != other
    assert first.startswith("https://wework.qpic.cn/wwpic/")


@pytest.mark.parametrize("data", [b"", b"GIF89a" + b"0" * 40, PNG + b"0" * media.MOST_BYTES])
def test_other_files_never_leave(standin: Any, data: bytes) -> None:
    with pytest.raises(ValueError, match="JPG or PNG"):
        media.upload_picture(data)


@pytest.mark.parametrize(
    ("data", "code"), [(b"12345", 40006), (b"GIF89a" + b"0" * 40, 40123), (PNG + b"0" * media.MOST_BYTES, 45001)]
)
def test_the_platform_refuses_them_too(standin: Any, data: bytes, code: int) -> None:
    with pytest.raises(errors.WecomError) as caught:
        client().upload("media/uploadimg", "a.png", data, "image/png")
    assert caught.value.code == code
