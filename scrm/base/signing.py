"""Signed texts: links that can't be altered and expire, and keyed hashes by which a secret is found again."""

import datetime as dt
import hashlib
import hmac
from typing import Any

from django.conf import settings
from django.core import signing as django_signing


class BadSignature(Exception):
    """The text was altered, belongs to another purpose, or has expired."""


def sign(value: Any, *, purpose: str) -> str:
    """`value` (JSON-able) as a URL-safe text that only `read` with the same purpose accepts."""
    return django_signing.dumps(value, salt=f"scrm.{purpose}", compress=True)


def read(text: str, *, purpose: str, max_age: dt.timedelta | None = None) -> Any:
    """What was signed. Raises BadSignature."""
    try:
        return django_signing.loads(text, salt=f"scrm.{purpose}", max_age=max_age)
    except django_signing.BadSignature as error:
        raise BadSignature(str(error)) from error


def keyed_hash(text: str, *, purpose: str) -> bytes:
    """A hash (32 bytes) that nobody without SECRET_KEY can compute."""
    return hmac.new(f"{purpose}:{settings.SECRET_KEY}".encode(), text.encode(), hashlib.sha256).digest()
