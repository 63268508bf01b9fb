"""Files that nobody should upload: odd names, wrong kinds, bombs. Nothing is kept, unpacked or handed on under their name."""

import zlib
from typing import Any

import pytest
from django.test import Client

from campaigns.models import Broadcast
from scrm.base.models import AuditRecord, User
from scrm.site.models import DomainProof
from tests.memory import forget_most, most
from tests.site.test_fuzz import console_of

PROOFS, DRAFT = "/connection/proofs/", "/admin/campaigns/broadcast/add/"
HEAD = b"\x89PNG\r\n\x1a\n"
NAMES = [
    "../../WW_verify_a.txt", "/etc/passwd", "WW_verify_a.txt/..", "WW_verify_a.txt\x00.png", "C:\\WW_verify_a.exe",
    "WW_verify_a.txt\r\nX-Evil: 1", "WW_verify_" + "a" * 5_000 + ".txt", "", ".", "𠮷.txt",
]  # fmt: skip


def sent(client: Client, address: str, part: str, name: str, content: bytes, fields: dict[str, str]) -> Any:
    """A form with a file as a browser of ill will sends it: its name byte for byte."""
    lines = [f'--b\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields.items()]
    head = f'--b\r\nContent-Disposition: form-data; name="{part}"; filename="{name}"\r\nContent-Type: image/png\r\n\r\n'
    body = "".join(lines).encode() + head.encode() + content + b"\r\n--b--\r\n"
    return client.post(address, body, content_type="multipart/form-data; boundary=b")


@pytest.mark.parametrize("name", NAMES)
def test_no_file_is_kept_under_a_name_that_is_no_proofs(db: None, alice: User, name: str) -> None:
    answer = sent(console_of(alice), PROOFS, "file", name, b"abc", {})

    assert answer.status_code in {302, 400}
    assert set(DomainProof.objects.values_list("name", "content")) <= {("WW_verify_a.txt", "abc")}  # without its folder


@pytest.mark.parametrize("content", [b"", b"\x00", b"a\x00b", b"\xff" * 100, b"PK\x03\x04", b"a" * 10_000_000, HEAD])
def test_no_file_is_kept_whose_content_is_no_proofs(db: None, alice: User, content: bytes) -> None:
    assert sent(console_of(alice), PROOFS, "file", "WW_verify_a.txt", content, {}).status_code == 302

    assert not DomainProof.objects.exists()
    assert not AuditRecord.objects.exists()


def picture_bomb() -> bytes:
    """8,000 × 8,000 white points in less than a megabyte: 190 MB for whoever unpacks it."""
    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(b"\x00" + b"\xff" * 24_000) for _ in range(8_000)) + packer.flush()
    size = (8_000).to_bytes(4, "big") * 2
    return HEAD + _chunk(b"IHDR", size + b"\x08\x02\x00\x00\x00") + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def draft_with(client: Client, name: str, content: bytes) -> Any:
    fields = {"name": "上新", "aim": "filter", "staff_choice": "owner", "text": "新品上架"}
    return sent(client, DRAFT, "picture", name, content, fields)


def pictures(standin: Any) -> list[str]:
    """The names under which pictures came to WeCom."""
    return [row["filename"] for row in standin.ledger.of("picture")]


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_goes_to_wecom_under_our_name(standin: Any, name: str) -> None:
    client = console_of(User.objects.create_superuser("alice", password="alice"))

    answer = draft_with(client, name, HEAD + b"0" * 40)

    assert answer.status_code in {302, 400} or not name.strip(".")  # without a name it is no file
    assert set(pictures(standin)) <= {"picture.png"}
    urls = [part["image"]["pic_url"] for row in Broadcast.objects.all() for part in row.attachments]
    assert all(url.startswith("https://wework.qpic.cn/wwpic/") for url in urls)


def test_a_picture_is_not_unpacked(standin: Any) -> None:
    client = console_of(User.objects.create_superuser("alice", password="alice"))
    bomb = picture_bomb()
    forget_most()
    before = most()

    assert draft_with(client, "a.png", bomb).status_code == 302

    assert most() - before < 40 * 1024 * 1024
    assert pictures(standin) == ["picture.png"]


@pytest.mark.parametrize(
    "content", [b"", b"<svg onload=alert(1)>", b"GIF89a" + b"0" * 40, b"%PDF-1.7", HEAD[:5], HEAD + b"0" * 10_000_000]
)
def test_what_is_no_picture_never_leaves(standin: Any, content: bytes) -> None:
    client = console_of(User.objects.create_superuser("alice", password="alice"))

    answer = draft_with(client, "a.png", content)

    assert "media/uploadimg" not in standin.calls.as_dict()
    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == ["picture"]
    assert not Broadcast.objects.exists()
