"""Calling our own addresses from outside, as WeCom and browsers do."""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from django.conf import settings
from django.utils.translation import gettext as _

LIMITS = (2.0, 5.0)  # seconds: connect, read
MOST = 64 * 1024
_HERE = {"localhost", "127.0.0.1", "::1"}


class NoAnswer(Exception):
    """The address did not answer; the text says why, for people."""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer: its first 64 KiB, and how long it took in seconds."""

    status: int
    body: bytes
    seconds: float
    location: str


def host(address: str) -> str:
    """`scrm.example.com`, with the port where one is written."""
    return urlsplit(address).netloc.lower()


def is_local(address: str) -> bool:
    """Whether an address means this machine: the stand-in, the trial."""
    return urlsplit(address).hostname in _HERE


def on_trial() -> bool:
    """Whether the platform is a stand-in on this machine and not WeCom."""
    return is_local(settings.WECOM_API_URL)


def public(path: str) -> str:
    """A path of ours at PUBLIC_URL."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/{path.lstrip('/')}"


def fetch(address: str, query: dict[str, str] | None = None) -> Page:
    """GETs an address of ours, without following redirects. Raises NoAnswer."""
    session = requests.Session()
    session.trust_env = not is_local(address)
    url = f"{address}?{urlencode(query)}" if query else address
    begun = time.monotonic()
    try:
        with session.get(url, timeout=LIMITS, allow_redirects=False, stream=True) as answer:
            body = answer.raw.read(MOST, decode_content=True)
            return Page(answer.status_code, body, time.monotonic() - begun, answer.headers.get("Location", ""))
    except requests.exceptions.SSLError as error:
        raise NoAnswer(_("its certificate is not accepted")) from error
    except requests.Timeout as error:
        raise NoAnswer(_("no answer in time")) from error
    except (requests.RequestException, OSError, ValueError) as error:
        raise NoAnswer(_why(error)) from error
    finally:
        session.close()


def _why(error: Any) -> str:
    text = repr(error)
    if "NameResolution" in text or "getaddrinfo" in text or "Name or service" in text:
        return _("the name is not in the DNS")
    return _("nobody listens there") if "refused" in text else _("the connection broke")
