"""Customer groups: members, versions, forms of the events, pages."""

from __future__ import annotations

from typing import Any

import pytest

from scrm.standin.server import StandIn

from .conftest import Api


@pytest.fixture
def chat_id(standin: StandIn) -> str:
    return str(standin.act("create_chat", owner="wanglei", name="福利群", notice="群规")["chat_id"])


def get(api: Api, chat_id: str, need_name: int = 0) -> dict[str, Any]:
    answer = api.post("externalcontact/groupchat/get", {"chat_id": chat_id, "need_name": need_name})
    chat: dict[str, Any] = answer["group_chat"]
    return chat


def test_versions_of_events_chain_and_end_at_the_chats_own(standin: StandIn, api: Api, chat_id: str) -> None:
    versions = [get(api, chat_id)["member_version"]]
    person = standin.act("join", chat_id=chat_id, state="grp_1", name="小林")["members"][0]
    standin.act("leave", chat_id=chat_id, members=person)

    joined, left = [callback.fields for callback in list(standin.callbacks.log)[-2:]]
    assert joined["LastMemVer"] == versions[0]
    assert joined["CurMemVer"] == left["LastMemVer"] != versions[0]
    assert left["CurMemVer"] == get(api, chat_id)["member_version"]
    assert (joined["UpdateDetail"], joined["JoinScene"], joined["MemChangeList"]) == ("add_member", 3, [person])
    assert (left["UpdateDetail"], left["QuitScene"], left["MemChangeCnt"]) == ("del_member", 0, 1)
    assert f"<MemChangeList><Item><![CDATA[{person}]]></Item></MemChangeList>".encode() in standin.last_callback().xml


def test_members_have_scene_state_invitor_and_name(standin: StandIn, api: Api, chat_id: str) -> None:
    person = standin.act("join", chat_id=chat_id, state="grp_1", name="小林", at=1_717_000_100)["members"][0]
    invited = standin.act("join", chat_id=chat_id, scene=1, invitor="wanglei")["members"][0]

    owner, first, second = get(api, chat_id, need_name=1)["member_list"]

    assert (owner["userid"], owner["type"], owner["name"]) == ("wanglei", 1, "王磊")
    assert (first["userid"], first["type"], first["join_scene"], first["state"]) == (person, 2, 3, "grp_1")
    assert (first["join_time"], first["name"]) == (1_717_000_100, "小林")
    assert (second["userid"], second["invitor"]) == (invited, {"userid": "wanglei"})
    assert "name" not in get(api, chat_id)["member_list"][1]


def test_strangers_in_a_chat_have_no_detail(standin: StandIn, api: Api, chat_id: str) -> None:
    stranger = standin.act("join", chat_id=chat_id)["members"][0]

    assert api.get("externalcontact/get", external_userid=stranger)["errcode"] == 84061


def test_several_joins_come_as_one_event(standin: StandIn, chat_id: str) -> None:
    people = [standin.act("create_person")["external_userid"] for _ in range(3)]

    standin.act("join", chat_id=chat_id, members=people)

    assert standin.last_callback().fields["MemChangeCnt"] == 3
    assert standin.last_callback().fields["MemChangeList"] == people


def test_a_swap_names_only_who_came(standin: StandIn, api: Api, chat_id: str) -> None:
    old = standin.act("join", chat_id=chat_id)["members"][0]
    new = standin.act("create_person")["external_userid"]

    standin.act("swap", chat_id=chat_id, joins=[new], leaves=[old])

    told = standin.last_callback().fields
    assert (told["MemChangeList"], told["MemChangeCnt"]) == ([new], 2)
    assert [member["userid"] for member in get(api, chat_id)["member_list"]] == ["wanglei", new]


def test_old_forms_and_disguises_exist(standin: StandIn, chat_id: str) -> None:
    standin.act("join", chat_id=chat_id, versions=False, named=False)
    assert {"MemChangeList", "LastMemVer", "CurMemVer"}.isdisjoint(standin.last_callback().fields)

    standin.act("join", chat_id=chat_id, disguise="change_name")
    told = standin.last_callback().fields
    assert (told["UpdateDetail"], told["MemChangeCnt"], told["JoinScene"]) == ("change_name", 1, 3)


def test_a_gap_moves_the_version_without_a_word(standin: StandIn, api: Api, chat_id: str) -> None:
    before = get(api, chat_id)["member_version"]
    standin.act("join", chat_id=chat_id, callback=False)
    standin.act("join", chat_id=chat_id)

    assert standin.last_callback().fields["LastMemVer"] != before


def test_a_removed_member_has_quit_scene_1(standin: StandIn, chat_id: str) -> None:
    person = standin.act("join", chat_id=chat_id)["members"][0]

    standin.act("kick", chat_id=chat_id, members=person)

    assert standin.last_callback().fields["QuitScene"] == 1


def test_who_is_in_already_does_not_join_again(standin: StandIn, chat_id: str) -> None:
    person = standin.act("join", chat_id=chat_id)["members"][0]

    assert standin.act("join", chat_id=chat_id, members=person)["event"] is False
    assert standin.act("leave", chat_id=chat_id, members="wmNobody")["event"] is False


def test_the_code_stops_at_200_and_invitations_go_on(standin: StandIn, chat_id: str) -> None:
    for _ in range(199):
        standin.act("join", chat_id=chat_id, callback=False)

    assert standin.act("join", chat_id=chat_id)["reason"] == "full"
    assert standin.act("join", chat_id=chat_id, scene=1)["event"] is True


def test_name_notice_owner_and_admins_change(standin: StandIn, api: Api, chat_id: str) -> None:
    changes: list[tuple[str, dict[str, Any], str]] = [
        ("rename_chat", {"name": "新名"}, "change_name"),
        ("change_notice", {"notice": "新公告"}, "change_notice"),
        ("change_owner", {"owner": "zhaomin"}, "change_owner"),
    ]
    for verb, given, detail in changes:
        standin.act(verb, chat_id=chat_id, **given)
        assert standin.last_callback().fields["UpdateDetail"] == detail
    standin.act("set_admins", chat_id=chat_id, admins=["wanglei"])

    seen = get(api, chat_id)
    assert (seen["name"], seen["notice"], seen["owner"]) == ("新名", "新公告", "zhaomin")
    assert seen["admin_list"] == [{"userid": "wanglei"}]


def test_a_dismissed_chat_is_gone(standin: StandIn, api: Api, chat_id: str) -> None:
    standin.act("dismiss_chat", chat_id=chat_id)

    assert standin.last_callback().fields["ChangeType"] == "dismiss"
    assert api.post("externalcontact/groupchat/get", {"chat_id": chat_id})["errcode"] == 49008
    assert api.post("externalcontact/groupchat/get", {"chat_id": "wrNone"})["errcode"] == 40050
    assert api.post("externalcontact/groupchat/list", {"limit": 10})["group_chat_list"] == []


def test_lists_by_owner_and_status_in_pages(standin: StandIn, api: Api) -> None:
    own = [standin.act("create_chat", owner="wanglei")["chat_id"] for _ in range(3)]
    other = standin.act("create_chat", owner="zhaomin")["chat_id"]
    path = "externalcontact/groupchat/list"

    first = api.post(path, {"limit": 3})
    rest = api.post(path, {"limit": 3, "cursor": first["next_cursor"]})
    assert [row["chat_id"] for row in first["group_chat_list"] + rest["group_chat_list"]] == [*own, other]
    assert rest["next_cursor"] == ""
    filtered = api.post(path, {"limit": 9, "owner_filter": {"userid_list": ["zhaomin"]}})
    assert filtered["group_chat_list"] == [{"chat_id": other, "status": 0}]
    standin.act("delete_user", userid="zhaomin")
    assert api.post(path, {"limit": 9, "status_filter": 1})["group_chat_list"] == [{"chat_id": other, "status": 1}]


def test_lists_refuse_missing_limits_and_many_staff(standin: StandIn, api: Api) -> None:
    path = "externalcontact/groupchat/list"

    assert api.post(path, {})["errcode"] == 40058
    assert api.post(path, {"limit": 1001})["errcode"] == 40058
    assert api.post(path, {"limit": 1, "cursor": "?"})["errcode"] == 50100
    assert api.post(path, {"limit": 1, "owner_filter": {"userid_list": ["a"] * 101}})["errcode"] == 40058
    for number in range(1000):
        standin.act("create_user", userid=f"u{number}", callback=False)
    assert api.post(path, {"limit": 1})["errcode"] == 81017
    assert api.post(path, {"limit": 1, "owner_filter": {"userid_list": ["wanglei"]}})["errcode"] == 0
