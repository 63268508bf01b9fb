"""Reads that are late: old states first, then all changes in their order."""

from __future__ import annotations

import pytest

from scrm.standin.server import StandIn
from tests.passing import Passing

from .conftest import Api


@pytest.fixture
def late(standin: StandIn) -> StandIn:
    standin.settings.lag = 40.0
    return standin


def test_a_new_customer_is_unknown_for_a_while(late: StandIn, api: Api, passes: Passing) -> None:
    person = late.act("add", userid="wanglei")["external_userid"]

    assert api.get("externalcontact/get", external_userid=person)["errcode"] == 84061
    assert api.get("externalcontact/list", userid="wanglei")["errcode"] == 84061
    assert api.post("externalcontact/batch/get_by_user", {"userid_list": ["wanglei"]})["external_contact_list"] == []
    passes(41)
    assert api.get("externalcontact/get", external_userid=person)["errcode"] == 0
    assert api.get("externalcontact/list", userid="wanglei")["external_userid"] == [person]


def test_a_deleted_customer_is_seen_for_a_while(late: StandIn, api: Api, passes: Passing) -> None:
    person = late.act("add", userid="wanglei")["external_userid"]
    late.world.lag.settle()

    late.act("delete_by_staff", userid="wanglei", external_userid=person)

    assert api.get("externalcontact/get", external_userid=person)["errcode"] == 0
    passes(41)
    assert api.get("externalcontact/get", external_userid=person)["errcode"] == 84061


def test_a_chat_shows_its_states_in_order(late: StandIn, api: Api, passes: Passing) -> None:
    chat_id = late.act("create_chat", owner="wanglei")["chat_id"]
    late.world.lag.settle()

    def members() -> int:
        answer = api.post("externalcontact/groupchat/get", {"chat_id": chat_id})
        return len(answer["group_chat"]["member_list"])

    late.act("join", chat_id=chat_id)
    passes(20)
    late.act("join", chat_id=chat_id)
    assert members() == 1
    passes(21)
    assert members() == 2
    passes(21)
    assert members() == 3


def test_a_new_chat_and_a_dismissed_one_are_late_too(late: StandIn, api: Api) -> None:
    chat_id = late.act("create_chat", owner="wanglei")["chat_id"]
    listed = {"limit": 10}

    assert api.post("externalcontact/groupchat/get", {"chat_id": chat_id})["errcode"] == 40050
    assert api.post("externalcontact/groupchat/list", listed)["group_chat_list"] == []
    late.world.lag.settle()
    late.act("dismiss_chat", chat_id=chat_id)
    assert api.post("externalcontact/groupchat/get", {"chat_id": chat_id})["errcode"] == 0


def test_tags_and_staff_are_late(late: StandIn, api: Api, passes: Passing) -> None:
    late.act("create_tag", name="高")
    late.act("update_user", userid="wanglei", name="王磊磊")

    assert api.post("externalcontact/get_corp_tag_list", {})["tag_group"] == []
    assert api.get("user/get", userid="wanglei")["name"] == "王磊"
    passes(41)
    assert len(api.post("externalcontact/get_corp_tag_list", {})["tag_group"]) == 1
    assert api.get("user/get", userid="wanglei")["name"] == "王磊磊"


def test_writes_see_the_truth(late: StandIn, api: Api) -> None:
    added = late.act("add", userid="wanglei")

    body = {"userid": "wanglei", "external_userid": added["external_userid"], "remark": "x"}

    assert api.post("externalcontact/remark", body)["errcode"] == 0


def test_nothing_is_kept_of_what_everybody_sees(standin: StandIn) -> None:
    standin.act("add", userid="wanglei")

    assert standin.world.lag.waiting() == []
