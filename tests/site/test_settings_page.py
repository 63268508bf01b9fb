"""The page of settings: complete, explained, and without secrets."""

from typing import Any

import pytest
from django.test import Client

from scrm import env
from scrm.base.models import User
from scrm.site.console import choices
from scrm.site.console import settings as page

ADDRESS = "/console/settings/"


def client_of(user: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return client


def text_of(user: User, query: str = "") -> str:
    answer = client_of(user).get(f"{ADDRESS}{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_shows_every_setting_once(alice: User) -> None:
    names = [line.name for _title, lines in page.grouped() for line in lines]

    assert sorted(names) == sorted(env.SETTINGS)
    text = text_of(alice)
    assert [name for name in names if f"<code>{name}</code>" not in text] == []


def test_never_shows_a_secret(alice: User, settings: Any) -> None:
    hidden = {
        "SECRET_KEY": "the-signing-key", "WECOM_SECRET": "the-app-secret", "WECOM_CALLBACK_TOKEN": "TheCallbackToken",
        "WECOM_CALLBACK_AES_KEY": "the-aes-key", "METRICS_TOKEN": "the-metrics-token",
        "DATABASE_PASSWORD": "the-database-password", "REDIS_URL": "redis://:the-redis-password@127.0.0.1:1/0",
    }  # fmt: skip
    client = client_of(alice)
    for name, value in hidden.items():
        if name != "SECRET_KEY":  # the session is signed by it
            setattr(settings, name, value)
    hidden["SECRET_KEY"] = settings.SECRET_KEY

    text = client.get(ADDRESS).content.decode()

    assert [name for name, value in hidden.items() if value in text] == []
    assert {page.line_of(name).value for name in [*hidden, "DATABASE_URL"]} == {None}
    assert all(page.line_of(name).is_set for name in hidden)


def test_whatever_is_named_like_a_secret_is_one() -> None:
    for name in ("WECOM_CONTACTS_SECRET", "SMTP_PASSWORD", "BOT_TOKEN", "SECRET_KEY", "DATABASE_URL", "REDIS_URL"):
        assert page.is_secret(name), name
    assert not page.is_secret("SENDING")


def test_counts_the_people_of_the_allow_list_instead_of_naming_them(alice: User, settings: Any) -> None:
    settings.SENDING_ALLOWLIST = frozenset({"wmone", "wmtwo"})

    assert page.line_of("SENDING_ALLOWLIST").value in {"2 ids", "2 个 ID"}
    assert "wmone" not in text_of(alice)


@pytest.mark.parametrize(
    ("environment", "origin"),
    [({"QUIET_HOURS": "none"}, "environment"), ({"QUIET_HOURS_FILE": "/run/secrets/q"}, "file"), ({}, "default")],
)
def test_tells_where_a_value_comes_from(
    environment: dict[str, str], origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("QUIET_HOURS", "QUIET_HOURS_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert page.line_of("QUIET_HOURS").origin == origin


@pytest.mark.parametrize("rule", ["month_total", "week_7", "day_1"])
def test_explains_the_receive_rule_that_holds(rule: str, settings: Any) -> None:
    settings.RECEIVE_RULE = rule

    (choice,) = [choice for choice in choices.choices() if choice.name == "RECEIVE_RULE"]

    assert [value for value, _text, chosen in choice.options if chosen] == [rule]
    assert choice.now == {value: text for value, text, _chosen in choice.options}[rule]


def test_explains_what_decides_what_customers_receive() -> None:
    explained = {name for choice in choices.choices() for name in choice.name.split(", ")}

    assert {"RECEIVE_RULE", "QUIET_HOURS"} <= explained
    assert {name for name in env.SETTINGS if name.startswith("SEND_")} <= explained


def test_is_searched_in_the_address(alice: User) -> None:
    text = text_of(alice, "?q=quiet")

    assert "<code>QUIET_HOURS</code>" in text
    assert "<code>WECOM_CORP_ID</code>" not in text
    assert "c-empty" in text_of(alice, "?q=nosuchsetting")


def test_is_for_administrators(bob: User) -> None:
    assert client_of(bob).get(ADDRESS).status_code == 403
    assert Client(headers={"host": "localhost"}).get(ADDRESS).status_code == 302
