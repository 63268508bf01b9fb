"""What an administrator of a real corp meets first: trusted addresses, the app's own page, clocks, quotas."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import pytest
import requests

from scrm.standin.server import StandIn

from .conftest import AGENT_ID, Api


def test_refuses_an_address_that_is_not_trusted_and_names_it(standin: StandIn, api: Api) -> None:
    assert api.get("externalcontact/get_follow_user_list")["errcode"] == 0
    standin.settings.address_trusted = False

    answer = api.get("externalcontact/get_follow_user_list")

    assert answer["errcode"] == 60020
    assert "from ip: 127.0.0.1" in answer["errmsg"]


def test_gives_tokens_to_addresses_that_are_not_trusted(standin: StandIn, api: Api) -> None:
    standin.settings.address_trusted = False

    assert len(api.token) > 20


def test_tells_of_the_app_what_the_console_has(standin: StandIn, api: Api) -> None:
    standin.settings.change({"trusted_domains": ["scrm.example.com:8443"], "app_closed": True})

    app = api.get("agent/get", agentid=AGENT_ID)

    assert (app["redirect_domain"], app["close"]) == ("scrm.example.com:8443", 1)


@pytest.mark.parametrize("ahead", [0.0, 300.0, -300.0])
def test_says_what_time_it_is(standin: StandIn, ahead: float) -> None:
    standin.settings.clock_ahead = ahead

    date = requests.get(standin.url + "gettoken", timeout=5).headers["Date"]

    assert abs(parsedate_to_datetime(date).timestamp() - time.time() - ahead) < 3


def test_knows_media_by_its_id(standin: StandIn, api: Api) -> None:
    standin.act("add_media", media_id="M1")

    assert api.get("media/get", media_id="M1")["errcode"] == 0
    assert api.get("media/get", media_id="M2")["errcode"] == 40007


def test_tells_what_is_left_of_the_acquisition_quota(standin: StandIn, api: Api) -> None:
    standin.settings.change({"acquisition_total": 500, "acquisition_left": 12})

    answer = api.get("externalcontact/customer_acquisition_quota")

    assert (answer["total"], answer["balance"]) == (500, 12)
    assert [batch["balance"] for batch in answer["quota_list"]] == [12]
