"""App messages and sign-in codes through the real client, against the stand-in."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from scrm.wecom import errors
from scrm.wecom.api import app_messages, oauth
from scrm.wecom.brake import NoRecipients, SendingStopped
from scrm.wecom.cards import BadCard, TemplateCard, TextCard
from scrm.wecom.schemas import AppMessage, Identity
from tests.corp import Corp

URL = "https://scrm.example.com/h5/"
CARD = TextCard("今日任务", "3 个群待确认", URL, button="去确认")
BACK = "https://scrm.example.com/back"


def accepted(corp: Corp) -> list[dict[str, Any]]:
    return corp.standin.ledger.of("app_message")


def test_a_text_card_reaches_whom_it_can_and_names_the_others(corp: Corp) -> None:
    sent = app_messages.send_text_card(["wanglei", "nobody", "zhaomin"], CARD)

    (effect,) = accepted(corp)
    assert sent == AppMessage(effect["msgid"], ("nobody",), ())
    assert effect["received"] == ["wanglei", "zhaomin"]
    assert effect["content"] == {"title": "今日任务", "description": "3 个群待确认", "url": URL, "btntxt": "去确认"}


def test_a_template_card_shows_its_rows(corp: Corp) -> None:
    app_messages.send_template_card(["wanglei"], TemplateCard("今日任务", "", URL, rows=(("待确认", "3 个群"),)))

    (effect,) = accepted(corp)
    assert (effect["msgtype"], effect["received"]) == ("template_card", ["wanglei"])
    assert effect["content"]["horizontal_content_list"] == [{"keyname": "待确认", "value": "3 个群"}]


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({"title": "a" * 129}, "title: 129 bytes, 128"),
        ({"title": "好" * 43}, "title: 129 bytes, 128"),
        ({"title": " "}, "title is empty"),
        ({"description": "d" * 513}, "description: 513 bytes, 512"),
        ({"url": "https://a.cn/" + "u" * 2036}, "url: 2049 bytes, 2048"),
        ({"url": "javascript:alert(1)"}, "url: no address"),
        ({"button": "去确认一下"}, "button: 5 characters, 4"),
    ],
)
def test_a_card_too_long_by_one_is_never_made(parts: dict[str, str], named: str) -> None:
    with pytest.raises(BadCard, match=named):
        TextCard(**{"title": "t", "description": "d", "url": URL, **parts})


def test_a_card_of_exactly_the_greatest_length_is_accepted(corp: Corp) -> None:
    longest = TextCard("a" * 128, "d" * 512, "https://a.cn/" + "u" * 2035, button="查看详情")

    app_messages.send_text_card(["wanglei"], longest)

    assert accepted(corp)[0]["received"] == ["wanglei"]


def test_rows_have_limits_too() -> None:
    with pytest.raises(BadCard, match="rows: 7, 6"):
        TemplateCard("t", "d", URL, rows=(("a", "b"),) * 7)
    with pytest.raises(BadCard, match="row: 129 bytes"):
        TemplateCard("t", "d", URL, rows=(("a", "b" * 129),))


def test_nobody_and_too_many_are_refused_before_the_call(corp: Corp) -> None:
    with pytest.raises(NoRecipients):
        app_messages.send_text_card([], CARD)
    for wrong in (["@all"], ["wanglei|zhaomin"], [f"u{number}" for number in range(1001)]):
        with pytest.raises(ValueError):
            app_messages.send_text_card(wrong, CARD)

    assert corp.standin.calls.of("message/send") == 0


def test_the_brake_holds_messages_to_staff_too(corp: Corp, settings: Any) -> None:
    settings.SENDING, settings.SENDING_ALLOWLIST = "allowlist", frozenset({"zhaomin"})

    with pytest.raises(SendingStopped):
        app_messages.send_text_card(["wanglei", "zhaomin"], CARD)
    app_messages.send_text_card(["zhaomin"], CARD)

    assert [row["received"] for row in accepted(corp)] == [["zhaomin"]]


def test_nobody_reachable_is_a_lasting_refusal(corp: Corp) -> None:
    with pytest.raises(errors.WecomError) as refused:
        app_messages.send_text_card(["nobody"], CARD)

    assert (refused.value.code, refused.value.permanent) == (81013, True)


def test_without_an_agent_id_nothing_is_called(corp: Corp, settings: Any) -> None:
    settings.WECOM_AGENT_ID = ""

    for call in (lambda: app_messages.send_text_card(["wanglei"], CARD), lambda: oauth.login_url(BACK, "s1")):
        with pytest.raises(errors.ConfigurationError, match="WECOM_AGENT_ID"):
            call()

    assert corp.standin.calls.of("message/send") == 0


def code_of(address: str, person: str) -> str:
    """What the platform's page leads back with."""
    answer = requests.get(address.replace("#", f"&as={person}#") if "#" in address else f"{address}&as={person}",
                          timeout=5, allow_redirects=False)  # fmt: skip
    back = urlsplit(answer.headers["Location"])
    assert back.netloc == "scrm.example.com"
    assert parse_qs(back.query)["state"] == ["s1"]
    return parse_qs(back.query)["code"][0]


@pytest.mark.parametrize("page", [oauth.authorize_url, oauth.login_url])
def test_a_member_signs_in_through_both_pages(corp: Corp, page: Any) -> None:
    code = code_of(page(BACK, "s1"), "wanglei")

    assert oauth.identity(code) == Identity("wanglei", "", "")
    with pytest.raises(errors.WecomError) as used:
        oauth.identity(code)
    assert (used.value.code, used.value.permanent) == (42022, True)


def test_a_customer_is_told_from_a_member(corp: Corp) -> None:
    person = corp.act("add", userid="wanglei")["external_userid"]

    found = oauth.identity(code_of(oauth.authorize_url(BACK, "s1"), person))

    assert (found.userid, found.external_userid) == ("", person)
    assert found.openid


@pytest.mark.parametrize("state", ["", "a-b", "a" * 129])
def test_a_state_that_the_platform_would_refuse_is_never_sent(state: str) -> None:
    with pytest.raises(ValueError, match="state"):
        oauth.authorize_url(BACK, state)


@pytest.mark.parametrize("code", ["", "c" * 513])
def test_no_code_is_no_call(corp: Corp, code: str) -> None:
    with pytest.raises(ValueError):
        oauth.identity(code)

    assert corp.standin.calls.of("auth/getuserinfo") == 0
