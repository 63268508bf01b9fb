"""The platform's envelope: signature and AES as wecom-api.md §2.4 gives them."""

import base64
import binascii
import hashlib
import hmac
import os
import re
import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

# Whoever can reach us can have these search 64 KiB: possessive, so that no blank is ever tried twice.
_ENCRYPT = re.compile(rb"<Encrypt>\s*+(?:<!\[CDATA\[)?+\s*+([A-Za-z0-9+/=]++)\s*+(?:\]\]>)?+\s*+</Encrypt>")
_TO = re.compile(rb"<ToUserName>\s*+(?:<!\[CDATA\[)?+([^<\]]*+)(?:\]\]>)?+\s*+</ToUserName>")
_BLOCK = 32  # PKCS#7 over 32 bytes, not AES's 16


class BadEnvelope(Exception):
    """The request does not come from our corp's platform, or is damaged. The text is for our log, never for the sender."""


@dataclass(frozen=True)
class Envelope:
    """The keys of one app's callback page."""

    token: str
    aes_key: bytes
    receive_id: bytes

    @classmethod
    def of(cls, token: str, encoding_aes_key: str, corp_id: str) -> "Envelope":
        return cls(token, base64.b64decode(encoding_aes_key + "="), corp_id.encode())

    def signature(self, timestamp: str, nonce: str, encrypted: str) -> str:
        """Lower-case hex SHA-1 over the sorted four strings."""
        return hashlib.sha1("".join(sorted([self.token, timestamp, nonce, encrypted])).encode()).hexdigest()

    def open_body(self, body: bytes, *, signature: str, timestamp: str, nonce: str) -> bytes:
        """The inner message of a POST. The signature is checked before anything is parsed. Raises BadEnvelope."""
        found = _ENCRYPT.search(body)
        if not found:
            raise BadEnvelope("no Encrypt element")
        if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
            raise BadEnvelope("a document type in the envelope")
        self._assert_ours(body)
        message = self.open(found.group(1).decode(), signature=signature, timestamp=timestamp, nonce=nonce)
        self._assert_ours(message)
        return message

    def _assert_ours(self, text: bytes) -> None:
        """ToUserName is our corp, outside and inside, wherever it stands."""
        addressee = _TO.search(text)
        if addressee and addressee.group(1).strip() != self.receive_id:
            raise BadEnvelope("another corp")

    def open(self, encrypted: str, *, signature: str, timestamp: str, nonce: str) -> bytes:
        """Verifies and decrypts one encrypted text. Raises BadEnvelope."""
        wanted = self.signature(timestamp, nonce, encrypted)
        if not hmac.compare_digest(wanted.encode(), signature.encode()):
            raise BadEnvelope("wrong signature")
        return self._decrypt(encrypted)

    def seal(self, message: bytes) -> str:
        """The encrypted text that `open` opens: what the platform sends."""
        content = os.urandom(16) + struct.pack(">I", len(message)) + message + self.receive_id
        pad = _BLOCK - len(content) % _BLOCK
        encryptor = Cipher(algorithms.AES(self.aes_key), modes.CBC(self.aes_key[:16])).encryptor()
        sealed = encryptor.update(content + bytes([pad]) * pad) + encryptor.finalize()
        return base64.b64encode(sealed).decode()

    def _decrypt(self, encrypted: str) -> bytes:
        try:
            cipher = base64.b64decode(encrypted, validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadEnvelope("not base64") from error
        if not cipher or len(cipher) % 16:
            raise BadEnvelope("not whole blocks")
        decryptor = Cipher(algorithms.AES(self.aes_key), modes.CBC(self.aes_key[:16])).decryptor()
        return self._unpack(decryptor.update(cipher) + decryptor.finalize())

    def _unpack(self, plain: bytes) -> bytes:
        """16 random bytes, length, message, receive id, padding of 1 to 32 equal bytes."""
        pad = plain[-1]
        if len(plain) % _BLOCK or not 1 <= pad <= _BLOCK or plain[-pad:] != bytes([pad]) * pad:
            raise BadEnvelope("wrong padding")
        content = plain[16:-pad]
        if len(content) < 4:
            raise BadEnvelope("too short")
        (length,) = struct.unpack(">I", content[:4])
        message, receive_id = content[4 : 4 + length], content[4 + length :]
        if len(message) != length:
            raise BadEnvelope("wrong length")
        if not hmac.compare_digest(receive_id, self.receive_id):
            raise BadEnvelope("another corp")
        return message
