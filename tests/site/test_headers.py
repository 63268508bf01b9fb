"""Every address as a browser gets it: what may run in it, who may frame it, which cookies it sets, that nothing rests in caches."""

import os
import re
import subprocess
import sys
from typing import Any

import pytest
from django.test import Client

from contacts.models import Staff
from scrm.base.models import User
from tests.site import test_console_queries, world
from tests.site.test_fuzz import ADDRESSES, console_of, text_of

# Nothing about anybody stands in them.
PUBLIC = {"/healthz", "/readyz", "/metrics"}


@pytest.fixture
def pages(wanglei: Staff, zhaomin: Staff, alice: User, moment: Any) -> list[str]:
    """Each address without a part of its own, and one of every kind that has one."""
    world.build(wanglei, zhaomin, alice, moment)
    plain = {f"/{address}" for address in ADDRESSES if "<" not in address}
    return sorted(plain | {address() for address in test_console_queries.ADDRESSES.values()})


def test_every_page_is_closed_to_other_sites_and_rests_in_no_cache(pages: list[str], alice: User) -> None:
    client = console_of(alice)
    answers = {page: client.get(page) for page in pages}

    policies = {page: answer.headers["Content-Security-Policy"] for page, answer in answers.items()}
    for directive in (
        "default-src 'self'", "object-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
    ):  # fmt: skip
        assert [page for page, policy in policies.items() if directive not in policy.split("; ")] == []
    forms = {page: re.findall(r'<form\b[^>]*\saction="([^"]*)"', text_of(answer)) for page, answer in answers.items()}
    assert sum(map(len, forms.values())) > 100
    assert [actions for actions in forms.values() if any(re.match("//|[^/?]", action) for action in actions)] == []
    for name, value in {
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }.items():
        assert [page for page, answer in answers.items() if answer.headers.get(name) != value] == []
    shown = {page: answer for page, answer in answers.items() if answer.status_code == 200 and page not in PUBLIC}
    assert len(shown) > 50
    kept = [page for page, answer in shown.items() if "no-store" not in answer.headers.get("Cache-Control", "")]
    assert kept == []


@pytest.mark.parametrize("https", [True, False])
def test_cookies_stay_on_this_site_and_where_we_are_called_by_https_on_https(
    alice: User, settings: Any, *, https: bool
) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = settings.LANGUAGE_COOKIE_SECURE = https
    client = Client(headers={"host": "localhost"})

    client.get("/admin/login/")
    client.post("/admin/login/", {"username": "alice", "password": "alice"})
    client.post("/i18n/setlang/", {"language": "en"})

    assert set(client.cookies) == {"sessionid", "csrftoken", "django_language"}
    for name, cookie in client.cookies.items():
        assert (cookie["samesite"], bool(cookie["secure"])) == ("Lax", https), name
    assert client.cookies["sessionid"]["httponly"]


def test_a_public_address_with_https_is_never_spoken_to_without() -> None:
    names = [
        "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "LANGUAGE_COOKIE_SECURE", "SECURE_SSL_REDIRECT",
        "SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS",
    ]  # fmt: skip
    code = f"from scrm import settings; print([getattr(settings, name) for name in {names}])"
    for address, expected in (("https://scrm.example.com", [True] * 4 + [31_536_000, True]), ("http://10.0.0.8:8000", [False] * 4 + [0, False])):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PUBLIC_URL": address}, capture_output=True, text=True, check=True
        )  # fmt: skip
        assert done.stdout.strip() == str(expected)


def test_a_foreign_host_gets_nothing(pages: list[str], alice: User) -> None:
    client = console_of(alice)
    for host in ("evil.example.com", "localhost.evil.example.com", "localhost:80@evil.example.com", ""):
        for page in pages:
            answer = client.get(page, headers={"host": host})
            assert answer.status_code == 400, (host, page)
            assert "evil" not in text_of(answer), (host, page)
    forwarded = {
        "X-Forwarded-Host": "evil.example.com",
        "X-Host": "evil.example.com",
        "Forwarded": "host=evil.example.com",
    }
    for page in ("/", "/admin/login/", "/signin/", "/admin/", "/connection/"):
        answer = client.get(page, headers=forwarded)
        assert "evil" not in text_of(answer) + answer.headers.get("Location", ""), page
