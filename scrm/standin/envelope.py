"""The callback envelope: signature, AES-256-CBC and its XML, written from wecom-api.md §2."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import struct
import time
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32  # PKCS#7 block of the platform (not AES's 16), wecom-api.md §2.4
RANDOM_PREFIX = 16  # bytes


class EnvelopeError(ValueError):
    """The text is not an envelope made with this token, key and receiver."""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """One try of one callback: the query string's values and the body."""

    query: dict[str, str]
    body: bytes


class Envelope:
    """Encrypts and signs for one app of one corp."""

    def __init__(self, *, token: str, aes_key: str, corp_id: str, agent_id: int) -> None:
        if len(aes_key) != 43:
            raise ValueError("EncodingAESKey has exactly 43 characters (wecom-api.md §2.1)")
        self.token = token
        self.corp_id = corp_id
        self.agent_id = agent_id
        self._key = base64.b64decode(aes_key + "=")

    def sign(self, timestamp: str, nonce: str, encrypted: str) -> str:
        """Lowercase hex SHA-1 of the four strings, sorted byte-wise and joined."""
        parts = sorted(part.encode() for part in (self.token, timestamp, nonce, encrypted))
        return hashlib.sha1(b"".join(parts), usedforsecurity=False).hexdigest()

    def encrypt(self, message: bytes) -> str:
        """Base64 of AES-CBC(random 16 + length + message + corp id); another text at each call."""
        plain = os.urandom(RANDOM_PREFIX) + struct.pack(">I", len(message)) + message + self.corp_id.encode()
        pad = BLOCK - len(plain) % BLOCK
        encryptor = self._cipher().encryptor()
        return base64.b64encode(encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()).decode()

    def decrypt(self, encrypted: str) -> bytes:
        """The message inside `encrypted`; EnvelopeError when padding, length or receiver are wrong."""
        data = base64.b64decode(encrypted)
        if not data or len(data) % 16:
            raise EnvelopeError("the ciphertext is not a whole number of AES blocks")
        decryptor = self._cipher().decryptor()
        plain = decryptor.update(data) + decryptor.finalize()
        pad = plain[-1]
        if not 1 <= pad <= BLOCK or plain[-pad:] != bytes([pad]) * pad:
            raise EnvelopeError("wrong padding")
        plain = plain[:-pad]
        (length,) = struct.unpack(">I", plain[RANDOM_PREFIX : RANDOM_PREFIX + 4])
        start = RANDOM_PREFIX + 4
        message, receiver = plain[start : start + length], plain[start + length :]
        if len(message) != length or receiver != self.corp_id.encode():
            raise EnvelopeError("wrong length or receiver")
        return message

    def signed(self, message: bytes, *, timestamp: int | None = None) -> SignedRequest:
        """The POST of one event: each call has its own nonce and random prefix (wecom-api.md §2.6)."""
        stamp, nonce = str(timestamp or int(time.time())), str(secrets.randbelow(10**10))
        encrypted = self.encrypt(message)
        body = (
            f"<xml><ToUserName><![CDATA[{self.corp_id}]]></ToUserName>"
            f"<AgentID><![CDATA[{self.agent_id}]]></AgentID>"
            f"<Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
        )
        query = {"msg_signature": self.sign(stamp, nonce, encrypted), "timestamp": stamp, "nonce": nonce}
        return SignedRequest(query, body.encode())

    def url_check(self, echo: str) -> dict[str, str]:
        """Query of the GET by which the platform checks a callback address (wecom-api.md §2.2)."""
        stamp, nonce, encrypted = str(int(time.time())), secrets.token_hex(5), self.encrypt(echo.encode())
        signature = self.sign(stamp, nonce, encrypted)
        return {"msg_signature": signature, "timestamp": stamp, "nonce": nonce, "echostr": encrypted}

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16]))
