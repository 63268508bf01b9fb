"""Departments and staff."""

from __future__ import annotations

from scrm.standin.server import StandIn

from .conftest import Api


def test_lists_departments_and_those_below(standin: StandIn, api: Api) -> None:
    standin.act("create_party", name="销售", party_id=2)
    standin.act("create_party", name="一组", party_id=3, parentid=2)

    assert [item["id"] for item in api.get("department/list")["department"]] == [1, 2, 3]
    assert [item["id"] for item in api.get("department/simplelist", id=2)["department_id"]] == [2, 3]
    assert api.get("department/list", id=9)["errcode"] == 60003


def test_lists_members_of_one_department_or_of_all_below(standin: StandIn, api: Api) -> None:
    standin.act("create_party", name="销售", party_id=2)
    standin.act("create_user", userid="chenhua", name="陈华", departments=[2], position="顾问")

    own = api.get("user/simplelist", department_id=1)["userlist"]
    below = api.get("user/list", department_id=1, fetch_child=1)["userlist"]

    assert [item["userid"] for item in own] == ["wanglei", "zhaomin"]
    assert [item["userid"] for item in below] == ["wanglei", "zhaomin", "chenhua"]
    assert below[2]["position"] == "顾问"
    assert "mobile" not in below[2]


def test_a_renamed_member_keeps_customers_and_chats(standin: StandIn, api: Api) -> None:
    added = standin.act("add", userid="wanglei")
    chat = standin.act("create_chat", owner="wanglei", members=[added["external_userid"]])

    standin.act("rename_user", userid="wanglei", new_userid="wanglei2")

    assert api.get("user/get", userid="wanglei")["errcode"] == 60111
    assert api.get("externalcontact/list", userid="wanglei2")["external_userid"] == [added["external_userid"]]
    seen = api.post("externalcontact/groupchat/get", {"chat_id": chat["chat_id"]})["group_chat"]
    assert seen["owner"] == "wanglei2"
    assert [item["userid"] for item in seen["member_list"]] == ["wanglei2", added["external_userid"]]
    assert b"<NewUserID><![CDATA[wanglei2]]></NewUserID>" in standin.last_callback().xml


def test_customers_of_somebody_who_left_are_gone(standin: StandIn, api: Api) -> None:
    added = standin.act("add", userid="wanglei")

    standin.act("delete_user", userid="wanglei")

    assert api.get("externalcontact/get", external_userid=added["external_userid"])["errcode"] == 84061
    assert api.get("externalcontact/list", userid="wanglei")["errcode"] == 40003
    assert api.get("externalcontact/get_follow_user_list")["follow_user"] == ["zhaomin"]
