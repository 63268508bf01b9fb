"""Every page of the console while Redis is gone or hangs: it hardly waits for it, and says what it can't know."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from contacts.models import Staff
from scrm.base import limits, redis
from scrm.base.models import User
from tests.processes import free_port
from tests.site import test_console_queries, world
from tests.site.test_fuzz import console_of, text_of

MOST_WAITS = 2  # of a page for a Redis that hangs, SOCKET_TIMEOUT each
PAGES: dict[str, Callable[[], str]] = {
    **test_console_queries.ADDRESSES,
    "settings": lambda: "/console/settings/",
    "connection": lambda: "/connection/",
    "numbers for Prometheus": lambda: "/metrics",
    "readiness": lambda: "/readyz",
}
WORDS = {
    "wecom.ApiCall": "Redis does not answer: what is left of the budgets is unknown.",
    "readiness": '"redis": "away"',
    "numbers for Prometheus": "scrm_redis_up 0.0",
}


Asked = Callable[[], int]  # how often since the last call


@contextmanager
def gone() -> Iterator[tuple[int, Asked]]:
    yield free_port(), lambda: 0


@contextmanager
def hanging() -> Iterator[tuple[int, Asked]]:
    """Takes connections, and answers nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as server:
        server.setblocking(False)

        def asked() -> int:
            count = 0
            with suppress(BlockingIOError):
                while True:
                    server.accept()[0].close()
                    count += 1
            return count

        yield server.getsockname()[1], asked


@pytest.fixture
def console(wanglei: Staff, zhaomin: Staff, alice: User, moment: Any, settings: Any) -> Iterator[Client]:
    world.build(wanglei, zhaomin, alice, moment)
    client = console_of(alice)
    client.cookies["django_language"] = "en"
    before = settings.REDIS_URL
    with translation.override("en"):
        yield client
    settings.REDIS_URL = before
    redis.forget_failures()
    limits.forget()


@pytest.mark.parametrize("fault", [gone, hanging])
def test_every_page_answers_without_long_waits_and_says_what_it_does_not_know(
    console: Client, settings: Any, fault: Any
) -> None:
    addresses = {label: address() for label, address in PAGES.items()}
    waits, said = {}, {}
    with fault() as (port, asked):
        settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"
        for label, address in addresses.items():
            redis.forget_failures()  # each page is the first that notices
            answer = console.get(address)
            waits[label], said[label] = asked(), text_of(answer)
            assert answer.status_code == 200, label

    assert {label: count for label, count in waits.items() if count > MOST_WAITS} == {}
    for label, words in WORDS.items():
        assert words in said[label], label


def test_people_log_in_and_are_braked_while_redis_is_gone(console: Client, settings: Any) -> None:
    settings.LOGIN_TRIES_PER_NAME = 3
    with gone() as (port, _):
        settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"
        stranger = Client(headers={"host": "localhost"})
        entered = stranger.post("/admin/login/", {"username": "alice", "password": "alice"})
        guesses = [stranger.post("/admin/login/", {"username": "alice", "password": "guess"}) for _ in range(4)]

    assert (entered.status_code, entered.headers["Location"]) == (302, "/admin/")
    assert [guess.status_code for guess in guesses] == [200, 200, 200, 429]
