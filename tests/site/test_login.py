"""Guessing passwords is slow: by user name, by address, with Redis and without it."""

from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.utils import translation

from scrm.base import limits
from scrm.base.addresses import address_of, neighbourhood
from scrm.base.models import AuditRecord, User
from scrm.base.redis import client as redis_client
from scrm.base.redis import forget_failures

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_counted(settings: Any) -> Any:
    settings.LOGIN_TRIES_PER_NAME, settings.LOGIN_TRIES_PER_ADDRESS, settings.LOGIN_WINDOW_MINUTES = 3, 5, 15
    redis_client().flushdb()
    limits.forget()
    yield
    limits.forget()
    forget_failures()


def attempt(username: str, password: str = "wrong", address: str = "203.0.113.7", **headers: str) -> Any:
    client = Client(headers={"host": "localhost", **headers})
    client.cookies["django_language"] = "en"
    return client.post("/admin/login/", {"username": username, "password": password}, REMOTE_ADDR=address)


def said(answer: Any) -> list[str]:
    return [str(error) for error in answer.context["form"].non_field_errors()]


def statuses(*answers: Any) -> list[int]:
    return [answer.status_code for answer in answers]


def test_after_so_many_attempts_not_even_the_right_password_is_looked_at(alice: User) -> None:
    assert statuses(*[attempt("alice") for _ in range(3)]) == [200, 200, 200]

    refused = attempt("alice", "alice")

    assert refused.status_code == 429
    assert 840 <= int(refused.headers["Retry-After"]) <= 900
    with translation.override("en"):
        assert said(refused) == ["Too many failed attempts to log in. Try again in 15 minutes."]
    assert "_auth_user_id" not in refused.client.session


def test_another_address_does_not_help_with_the_same_name(alice: User) -> None:
    for number in range(3):
        attempt("alice", address=f"203.0.113.{number}")
    assert attempt("alice", "alice", address="198.51.100.1").status_code == 429
    assert attempt(" ALICE ", address="198.51.100.1").status_code == 429  # no spelling gives more tries


def test_others_still_log_in(alice: User, bob: User) -> None:
    for _ in range(3):
        attempt("alice")
    assert attempt("bob", "bob").status_code == 302


def test_the_right_password_forgets_the_wrong_ones(alice: User) -> None:
    for place in range(4):
        tries = [attempt("alice", password, f"203.0.113.{place}") for password in ("wrong", "wrong", "alice")]
        assert statuses(*tries) == [200, 200, 302]


def test_one_address_does_not_try_many_names(alice: User) -> None:
    assert statuses(*[attempt(f"name{number}") for number in range(5)]) == [200] * 5
    assert attempt("alice", "alice").status_code == 429
    assert attempt("alice", "alice", address="198.51.100.1").status_code == 302


def test_good_logins_do_not_count_for_an_office_behind_one_address(alice: User) -> None:
    assert statuses(*[attempt("alice", "alice") for _ in range(7)]) == [302] * 7


def test_a_name_that_does_not_exist_is_answered_like_one_that_does(alice: User) -> None:
    User.objects.create_user("asleep", password="asleep", is_active=False)
    told = {
        name: [(answer.status_code, said(answer)) for answer in (attempt(name, address=ip) for _ in range(4))]
        for name, ip in (("alice", "203.0.113.1"), ("nobody", "203.0.113.2"), ("asleep", "203.0.113.3"))
    }
    assert told["alice"] == told["nobody"] == told["asleep"]
    assert [status for status, _texts in told["alice"]] == [200, 200, 200, 429]


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_the_password_is_hashed_whether_or_not_there_is_such_a_user(name: str, alice: User, monkeypatch: Any) -> None:
    """As long for one as for the other."""
    from django.contrib.auth.hashers import MD5PasswordHasher

    hashed: list[Any] = []
    encode = MD5PasswordHasher.encode

    def counting(*args: Any) -> str:
        hashed.append(args)
        return encode(*args)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counting)
    attempt(name)
    assert len(hashed) == 1


def test_without_redis_one_still_gets_in_and_guessing_is_still_slow(alice: User, bob: User, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert attempt("bob", "bob").status_code == 302
    assert statuses(*[attempt("alice") for _ in range(4)]) == [200, 200, 200, 429]


def test_running_out_of_tries_is_noted_once_and_no_password_typed_as_a_name(alice: User) -> None:
    for _ in range(5):
        attempt("alice")
    for _ in range(5):
        attempt("my-secret-passphrase", address="198.51.100.1")
    notes = AuditRecord.objects.filter(deed="login.blocked").order_by("pk")
    assert [(row.subject, row.address) for row in notes] == [("alice", "203.0.113.7"), ("", "198.51.100.1")]
    assert not [key for key in redis_client().scan_iter() if "alice" in str(key) or "secret" in str(key)]


def test_an_empty_form_takes_no_try(alice: User) -> None:
    for _ in range(6):
        attempt("alice", "")
    assert attempt("alice", "alice").status_code == 302


# --- addresses ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("proxies", "passed_on", "remote", "expected"),
    [
        (0, "1.2.3.4", "10.0.0.1", "10.0.0.1"),
        (1, "6.6.6.6, 1.2.3.4", "10.0.0.1", "1.2.3.4"),
        (2, "6.6.6.6, 1.2.3.4, 10.0.0.2", "10.0.0.1", "1.2.3.4"),
        (1, "", "10.0.0.1", "10.0.0.1"),
        (1, "nonsense", "10.0.0.1", None),
        (0, "", "::ffff:10.0.0.1", "10.0.0.1"),
        (0, "", "", None),
    ],
)
def test_the_address_is_what_our_own_proxy_says(
    settings: Any, proxies: int, passed_on: str, remote: str, expected: str | None
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR=remote, headers={"x-forwarded-for": passed_on} if passed_on else {})
    assert address_of(request) == expected


def test_a_forged_header_gives_no_more_tries(alice: User) -> None:
    for number in range(5):
        attempt(f"name{number}", **{"x-forwarded-for": f"6.6.6.{number}"})
    assert attempt("alice", "alice", **{"x-forwarded-for": "6.6.6.66"}).status_code == 429


def test_ipv6_neighbours_count_as_one() -> None:
    assert neighbourhood("2001:db8:1:2::1") == neighbourhood("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert neighbourhood("2001:db8:1:3::1") != neighbourhood("2001:db8:1:2::1")
    assert (neighbourhood("1.2.3.4"), neighbourhood(None)) == ("1.2.3.4", "")
