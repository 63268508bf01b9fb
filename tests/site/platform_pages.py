"""A browser that goes to the platform's pages and back: the test client on our side, real HTTP on the stand-in's."""

from typing import Any
from urllib.parse import urlsplit

import requests
from django.http import HttpResponse
from django.test import Client

WECOM = "Mozilla/5.0 (iPhone) AppleWebKit/605 MicroMessenger/7.0.1 wxwork/4.1.36 NetType/WIFI"
HOST = "127.0.0.1:8000"


def browser(*, inside_wecom: bool = False) -> Client:
    """A browser on PUBLIC_URL."""
    agent = {"user-agent": WECOM} if inside_wecom else {}
    return Client(headers={"host": HOST, **agent})


def at_platform(answer: Any) -> str:
    """The address on the platform that an answer of ours leads to."""
    assert answer.status_code == 302, answer.content.decode()
    address: str = answer.headers["Location"]
    assert urlsplit(address).netloc != HOST, address
    return address


def chosen(address: str, person: str) -> str:
    """Where the platform's page leads back to when `person` signs in, on our side."""
    asked = requests.get(address.partition("#")[0], params={"as": person}, timeout=5, allow_redirects=False)
    assert asked.status_code == 302, asked.text
    back = urlsplit(asked.headers["Location"])
    assert back.netloc == HOST
    return f"{back.path}?{back.query}"


def sign_in(client: Client, start: str, person: str) -> HttpResponse:
    """All of it: from `start` to the answer of our address to which the platform leads back."""
    return client.get(chosen(at_platform(client.get(start)), person))  # type: ignore[return-value]
