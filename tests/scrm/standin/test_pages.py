"""The platform's pages for signing in, and the codes they give out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from scrm.standin.server import StandIn
from tests.passing import Passing

from .conftest import AGENT_ID, CORP_ID, Api

BACK = "https://scrm.example.com/back?x=1"
OAUTH = {"appid": CORP_ID, "redirect_uri": BACK, "response_type": "code", "scope": "snsapi_base", "state": "s1"}
LOGIN = {"login_type": "CorpApp", "appid": CORP_ID, "agentid": str(AGENT_ID), "redirect_uri": BACK, "state": "s-1"}
PAGES = [("connect/oauth2/authorize", OAUTH), ("wwlogin/sso/login", LOGIN)]


def ask(standin: StandIn, page: str, query: dict[str, str]) -> requests.Response:
    return requests.get(standin.site_url + page, params=query, timeout=5, allow_redirects=False)


def sign_in(standin: StandIn, person: str, page: str = PAGES[0][0], **more: str) -> dict[str, list[str]]:
    """The query with which the page leads back."""
    answer = ask(standin, page, {**dict(PAGES)[page], "as": person, **more})
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(BACK + "&")
    return parse_qs(urlsplit(answer.headers["Location"]).query)


@pytest.mark.parametrize(("page", "query"), PAGES)
def test_shows_the_members_to_choose_from(standin: StandIn, api: Api, page: str, query: dict[str, str]) -> None:
    shown = ask(standin, page, query)

    assert (shown.status_code, shown.headers["Content-Type"]) == (200, "text/html; charset=UTF-8")
    assert "王磊 (wanglei)" in shown.text and "赵敏 (zhaomin)" in shown.text
    back = sign_in(standin, "wanglei", page)
    assert (back["x"], back["state"]) == (["1"], [query["state"]])
    assert api.get("auth/getuserinfo", code=back["code"][0]) == {"errcode": 0, "errmsg": "ok", "userid": "wanglei"}


def test_a_setting_signs_in_without_asking(standin: StandIn, api: Api) -> None:
    standin.settings.change({"sign_in_as": "zhaomin"})

    answer = ask(standin, *PAGES[0])

    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    assert api.get("auth/getuserinfo", code=code)["userid"] == "zhaomin"


def test_customers_and_others_have_an_openid(standin: StandIn, api: Api) -> None:
    customer = standin.act("add", userid="wanglei")["external_userid"]

    known = api.get("auth/getuserinfo", code=sign_in(standin, customer)["code"][0])
    stranger = api.get("auth/getuserinfo", code=sign_in(standin, "somebody")["code"][0])

    assert (known["external_userid"], sorted(known)) == (customer, ["errcode", "errmsg", "external_userid", "openid"])
    assert sorted(stranger) == ["errcode", "errmsg", "openid"]
    assert known["openid"] != stranger["openid"]


def test_a_ticket_comes_with_the_wider_scope(standin: StandIn, api: Api) -> None:
    back = sign_in(standin, "wanglei", scope="snsapi_privateinfo", agentid=str(AGENT_ID))

    assert api.get("auth/getuserinfo", code=back["code"][0])["user_ticket"]


def test_a_code_works_once_and_five_minutes(standin: StandIn, api: Api, passes: Passing) -> None:
    late = sign_in(standin, "wanglei")["code"][0]
    passes(301)
    code = sign_in(standin, "wanglei")["code"][0]

    assert [api.get("auth/getuserinfo", code=code)["errcode"] for _ in range(2)] == [0, 42022]
    assert api.get("auth/getuserinfo", code=late)["errcode"] == 42003
    assert api.get("auth/getuserinfo", code="nonsense")["errcode"] == 40029


def test_a_code_of_another_app_is_unknown(make_standin: Callable[..., StandIn]) -> None:
    standin = make_standin(secrets={"second-secret": 1000003})
    standin.act("create_user", userid="wanglei", callback=False)

    code = sign_in(standin, "wanglei", agentid="1000003")["code"][0]

    assert Api(standin).get("auth/getuserinfo", code=code)["errcode"] == 40029


def test_whoever_turns_the_login_down_comes_back_without_a_code(standin: StandIn) -> None:
    assert sign_in(standin, "refused", PAGES[1][0]) == {"x": ["1"], "state": ["s-1"]}


@pytest.mark.parametrize(
    ("page", "wrong", "code"),
    [
        (0, {"appid": "wwother"}, 40013),
        (0, {"response_type": "token"}, 40058),
        (0, {"scope": "snsapi_all"}, 40058),
        (0, {"state": "a-b"}, 40058),
        (0, {"state": "a" * 129}, 40058),
        (0, {"scope": "snsapi_privateinfo"}, 40056),
        (0, {"redirect_uri": "https://evil.example.com/"}, 50001),
        (0, {"redirect_uri": "https://scrm.example.com:8443/"}, 50001),
        (0, {"redirect_uri": "javascript:alert(1)"}, 50001),
        (0, {"redirect_uri": "https://scrm.example.com/\r\nX: 1"}, 50001),
        (1, {"agentid": ""}, 40056),
        (1, {"agentid": "1000009"}, 40056),
        (1, {"login_type": "ServiceApp"}, 40058),
    ],
)
def test_a_wrong_address_is_told(standin: StandIn, page: int, wrong: dict[str, Any], code: int) -> None:
    standin.settings.change({"trusted_domains": ["scrm.example.com"]})
    path, query = PAGES[page]

    answer = ask(standin, path, {**query, **wrong, "as": "wanglei"})

    assert (answer.status_code, f"<h1>{code}</h1>" in answer.text) == (400, True)
    assert "Location" not in answer.headers
