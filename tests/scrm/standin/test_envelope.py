"""The envelope against the platform's published vector and against another implementation."""

from __future__ import annotations

import pytest
from wechatpy.work.crypto import WeChatCrypto

from scrm.standin.envelope import Envelope, EnvelopeError

from .conftest import AES_KEY, AGENT_ID, CORP_ID, TOKEN

# Published with the encryption page of the platform (wecom-api.md §2.4).
VECTOR = (
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3"
    "TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gs"
    "ijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUa"
    "x5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIG"
    "HBZZIs2pDBS8R07+qN+E7Q=="
)


@pytest.fixture
def envelope() -> Envelope:
    return Envelope(token=TOKEN, aes_key=AES_KEY, corp_id=CORP_ID, agent_id=AGENT_ID)


def test_signs_and_decrypts_the_published_vector() -> None:
    platform = Envelope(
        token="QDG6eK",
        aes_key="jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",
        corp_id="wx5823bf96d3bd56c7",
        agent_id=218,
    )

    assert platform.sign("1409659813", "1372623149", VECTOR) == "477715d11cdb4164915debcba66cb864d751f3e6"
    assert b"<Content><![CDATA[hello]]></Content>" in platform.decrypt(VECTOR)


@pytest.mark.parametrize("length", [0, 1, 11, 12, 15, 16, 31, 32, 33, 5000])
def test_another_implementation_reads_what_we_seal(envelope: Envelope, length: int) -> None:
    message = b"x" * length if length else "客户".encode()
    signed = envelope.signed(message)

    crypto = WeChatCrypto(TOKEN, AES_KEY, CORP_ID)
    read = crypto.decrypt_message(
        signed.body.decode(), signed.query["msg_signature"], signed.query["timestamp"], signed.query["nonce"]
    )

    assert read == message.decode()


def test_two_tries_of_one_message_have_other_nonces_and_ciphers(envelope: Envelope) -> None:
    first, second = envelope.signed(b"same"), envelope.signed(b"same")

    assert first.query["nonce"] != second.query["nonce"]
    assert first.body != second.body


def test_refuses_another_corp_and_broken_text(envelope: Envelope) -> None:
    other = Envelope(token=TOKEN, aes_key=AES_KEY, corp_id="wwother", agent_id=1)

    with pytest.raises(EnvelopeError):
        envelope.decrypt(other.encrypt(b"hello"))
    with pytest.raises(EnvelopeError):
        envelope.decrypt("AAAA")


def test_wants_a_key_of_43_characters() -> None:
    with pytest.raises(ValueError, match="43"):
        Envelope(token="t", aes_key="short", corp_id="ww", agent_id=1)
