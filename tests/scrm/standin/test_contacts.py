"""Customers: lists, pages, half and one-way friends, full accounts, remarks, marks."""

from __future__ import annotations

import pytest

from scrm.standin.server import StandIn

from .conftest import Api


def follow(api: Api, external_userid: str) -> dict[str, object]:
    answer: dict[str, object] = api.get("externalcontact/get", external_userid=external_userid)["follow_user"][0]
    return answer


def test_an_add_is_listed_and_told(standin: StandIn, api: Api) -> None:
    added = standin.act("add", userid="wanglei", state="ch_1", name="小林", at=1_717_400_001)

    person = added["external_userid"]
    assert (person[:2], len(person)) == ("wm", 32)
    seen = api.get("externalcontact/get", external_userid=person)
    assert seen["external_contact"]["name"] == "小林"
    assert seen["follow_user"][0]["createtime"] == 1_717_400_001
    assert seen["follow_user"][0]["state"] == "ch_1"
    assert api.get("externalcontact/list", userid="wanglei")["external_userid"] == [person]
    told = standin.last_callback()
    assert told.create_time == 1_717_400_001
    assert told.fields == {
        "Event": "change_external_contact",
        "ChangeType": "add_external_contact",
        "UserID": "wanglei",
        "ExternalUserID": person,
        "State": "ch_1",
        "WelcomeCode": added["welcome_code"],
    }


def test_a_friend_who_scans_again_tells_nobody(standin: StandIn) -> None:
    person = standin.act("add", userid="wanglei", state="ch_1")["external_userid"]
    events = len(standin.callbacks.log)

    again = standin.act("add", userid="wanglei", external_userid=person, state="ch_2")

    assert again["event"] is False
    assert len(standin.callbacks.log) == events


def test_a_scan_on_a_full_account_tells_nobody(standin: StandIn, api: Api) -> None:
    standin.act("make_full", userid="wanglei")

    assert standin.act("add", userid="wanglei")["reason"] == "full"
    assert len(standin.callbacks.log) == 0
    assert api.get("externalcontact/list", userid="wanglei")["errcode"] == 84061


def test_an_account_is_full_at_its_capacity(standin: StandIn) -> None:
    standin.act("update_user", userid="wanglei", capacity=1, callback=False)

    assert standin.act("add", userid="wanglei")["event"] is True
    assert standin.act("add", userid="wanglei")["event"] is False


def test_who_deleted_us_stays_listed_for_ever(standin: StandIn, api: Api) -> None:
    person = standin.act("add", userid="wanglei")["external_userid"]

    standin.act("delete_by_customer", userid="wanglei", external_userid=person)

    assert standin.last_callback().fields["ChangeType"] == "del_follow_user"
    assert api.get("externalcontact/list", userid="wanglei")["external_userid"] == [person]
    assert api.get("externalcontact/get", external_userid=person)["errcode"] == 0
    rows = api.post("externalcontact/batch/get_by_user", {"userid_list": ["wanglei"]})["external_contact_list"]
    assert len(rows) == 1


def test_whom_staff_deleted_is_gone(standin: StandIn, api: Api) -> None:
    person = standin.act("add", userid="wanglei")["external_userid"]

    standin.act("delete_by_staff", userid="wanglei", external_userid=person)

    assert standin.last_callback().fields["ChangeType"] == "del_external_contact"
    assert api.get("externalcontact/get", external_userid=person)["errcode"] == 84061
    assert api.get("externalcontact/list", userid="wanglei")["errcode"] == 84061
    assert api.get("externalcontact/get", external_userid="wmNobody")["errcode"] == 40096


@pytest.mark.parametrize("kept", [True, False])
def test_a_readd_after_the_customer_deleted_may_keep_its_time(standin: StandIn, api: Api, kept: bool) -> None:
    person = standin.act("add", userid="wanglei", state="ch_1", at=1000)["external_userid"]
    standin.act("delete_by_customer", userid="wanglei", external_userid=person)

    again = standin.act(
        "add", userid="wanglei", external_userid=person, at=2000, keep_createtime=kept, foreign_state=True
    )

    assert again["event"] is True
    assert standin.last_callback().fields["State"] == "wb:1:4285486"
    assert follow(api, person)["createtime"] == (1000 if kept else 2000)
    assert api.get("externalcontact/list", userid="wanglei")["external_userid"] == [person]


def test_a_readd_after_staff_deleted_is_listed_once(standin: StandIn, api: Api) -> None:
    person = standin.act("add", userid="wanglei")["external_userid"]
    standin.act("delete_by_staff", userid="wanglei", external_userid=person)
    standin.act("add", userid="wanglei", external_userid=person)

    assert api.get("externalcontact/list", userid="wanglei")["external_userid"] == [person]
    rows = api.post("externalcontact/batch/get_by_user", {"userid_list": ["wanglei"]})["external_contact_list"]
    assert [row["external_contact"]["external_userid"] for row in rows] == [person]


def test_a_half_friend_brings_the_code_and_refuses_marks(standin: StandIn, api: Api) -> None:
    half = standin.act("half_add", userid="wanglei", state="ch_1")
    person = half["external_userid"]
    tag = standin.act("create_tag", name="高", group="意向")["id"]
    body = {"userid": "wanglei", "external_userid": person}

    assert half["welcome_code"]
    assert api.post("externalcontact/mark_tag", {**body, "add_tag": [tag]})["errcode"] == 84061
    assert api.post("externalcontact/remark", {**body, "remark": "x"})["errcode"] == 84061

    whole = standin.act("upgrade", userid="wanglei", external_userid=person)

    assert whole["welcome_code"] is None
    assert "WelcomeCode" not in standin.last_callback().fields
    assert whole["createtime"] == half["createtime"]
    assert api.post("externalcontact/mark_tag", {**body, "add_tag": [tag]})["errcode"] == 0


def test_half_friends_can_be_hidden_from_reads(standin: StandIn, api: Api) -> None:
    person = standin.act("half_add", userid="wanglei")["external_userid"]
    standin.settings.half_listed = False

    assert api.get("externalcontact/get", external_userid=person)["errcode"] == 84061


def test_a_hand_over_deletes_and_adds_without_a_code(standin: StandIn, api: Api) -> None:
    person = standin.act("add", userid="wanglei")["external_userid"]
    standin.act("edit", userid="wanglei", external_userid=person, remark="老客")

    standin.act("transfer", userid="wanglei", taker="zhaomin", external_userid=person)

    told = [callback.fields for callback in list(standin.callbacks.log)[-2:]]
    kinds = {str(fields["ChangeType"]): fields for fields in told}
    assert kinds["del_external_contact"]["Source"] == "DELETE_BY_TRANSFER"
    assert "WelcomeCode" not in kinds["add_external_contact"]
    assert follow(api, person)["userid"] == "zhaomin"
    assert follow(api, person)["remark"] == "老客"
    assert follow(api, person)["add_way"] == 202


def test_pages_hold_every_pair_once_and_end_with_an_empty_cursor(standin: StandIn, api: Api) -> None:
    expected = []
    for number in range(230):
        userid = "wanglei" if number < 130 else "zhaomin"
        expected.append(standin.act("add", userid=userid, callback=False)["external_userid"])
    body = {"userid_list": ["wanglei", "zhaomin"], "limit": 100, "cursor": ""}
    pages = []
    while True:
        answer = api.post("externalcontact/batch/get_by_user", body)
        pages.append([row["external_contact"]["external_userid"] for row in answer["external_contact_list"]])
        if not answer["next_cursor"]:
            break
        body["cursor"] = answer["next_cursor"]

    assert [len(page) for page in pages] == [100, 100, 30]
    assert [person for page in pages for person in page] == expected


def test_a_last_page_that_is_just_full_ends_the_paging(standin: StandIn, api: Api) -> None:
    for _ in range(4):
        standin.act("add", userid="wanglei", callback=False)
    first = api.post("externalcontact/batch/get_by_user", {"userid_list": ["wanglei", "zhaomin"], "limit": 4})

    assert (len(first["external_contact_list"]), first["next_cursor"]) == (4, "")


def test_pages_refuse_what_the_platform_refuses(standin: StandIn, api: Api) -> None:
    path = "externalcontact/batch/get_by_user"
    standin.act("add", userid="wanglei")

    assert api.post(path, {"userid_list": []})["errcode"] == 40063
    assert api.post(path, {"userid_list": ["wanglei"] * 101})["errcode"] == 40032
    assert api.post(path, {"userid_list": ["nobody"]})["errcode"] == 40003
    assert api.post(path, {"userid_list": ["wanglei"], "cursor": "garbage"})["errcode"] == 50100
    assert api.post(path, {"userid_list": ["wanglei"], "limit": 0})["errcode"] == 40058
    assert len(api.post(path, {"userid_list": ["wanglei"], "limit": 5000})["external_contact_list"]) == 1


def test_a_page_row_has_one_follow_info_with_tag_ids(standin: StandIn, api: Api) -> None:
    person = standin.act("add", userid="wanglei", state="ch_1")["external_userid"]
    tag = standin.act("create_tag", name="高", group="意向")["id"]
    standin.act("edit", userid="wanglei", external_userid=person, add_tags=[tag], mobiles=["13800000001"])

    row = api.post("externalcontact/batch/get_by_user", {"userid_list": ["wanglei"]})["external_contact_list"][0]

    assert row["follow_info"]["tag_id"] == [tag]
    assert row["follow_info"]["remark_mobiles"] == ["13800000001"]
    assert "tags" not in row["follow_info"]
    assert follow(api, person)["tags"] == [{"group_name": "意向", "tag_name": "高", "tag_id": tag, "type": 1}]


def test_more_than_500_followers_come_in_pages(standin: StandIn, api: Api) -> None:
    person = standin.act("create_person")["external_userid"]
    for number in range(501):
        standin.act("create_user", userid=f"u{number}", callback=False)
        standin.act("add", userid=f"u{number}", external_userid=person, callback=False)

    first = api.get("externalcontact/get", external_userid=person)
    second = api.get("externalcontact/get", external_userid=person, cursor=first["next_cursor"])

    assert (len(first["follow_user"]), len(second["follow_user"])) == (500, 1)
    assert "next_cursor" not in second


def test_wecom_users_have_no_unionid_and_no_welcome(standin: StandIn, api: Api) -> None:
    added = standin.act("add", userid="wanglei", contact_type=2)

    assert added["welcome_code"] is None
    assert "unionid" not in api.get("externalcontact/get", external_userid=added["external_userid"])["external_contact"]


def test_a_remark_has_its_lengths(standin: StandIn, api: Api) -> None:
    person = standin.act("add", userid="wanglei")["external_userid"]
    body = {"userid": "wanglei", "external_userid": person}

    assert api.post("externalcontact/remark", {**body, "remark": "二" * 21})["errcode"] == 40058
    assert api.post("externalcontact/remark", {**body, "description": "二" * 151})["errcode"] == 40058
    assert api.post("externalcontact/remark", body)["errcode"] == 40063
    assert api.post("externalcontact/remark", {**body, "remark": "二" * 20, "remark_mobiles": [""]})["errcode"] == 0
    assert follow(api, person)["remark"] == "二" * 20
    assert len(standin.ledger.of("remark")) == 1


def test_marks_want_tags_of_the_library_and_at_least_one(standin: StandIn, api: Api) -> None:
    person = standin.act("add", userid="wanglei")["external_userid"]
    body = {"userid": "wanglei", "external_userid": person}

    assert api.post("externalcontact/mark_tag", body)["errcode"] == 40063
    assert api.post("externalcontact/mark_tag", {**body, "add_tag": ["etNone"]})["errcode"] == 40068
    assert api.post("externalcontact/mark_tag", {**body, "userid": "zhaomin", "add_tag": ["x"]})["errcode"] == 84061
    assert api.post("externalcontact/mark_tag", {**body, "userid": "nobody", "add_tag": ["x"]})["errcode"] == 40003
    assert standin.ledger.of("mark_tag") == []


def test_members_behind_a_code_take_turns(standin: StandIn) -> None:
    standin.act("create_way", users=["wanglei", "zhaomin"], state="ch_1")

    met = [standin.act("scan", state="ch_1")["userid"] for _ in range(4)]

    assert sorted(met) == ["wanglei", "wanglei", "zhaomin", "zhaomin"]
    assert met[0] != met[1]


def test_an_exclusive_code_leads_to_the_same_member_again(standin: StandIn, api: Api) -> None:
    body = {"type": 2, "scene": 2, "state": "ch_1", "user": ["wanglei", "zhaomin"], "is_exclusive": True}
    api.post("externalcontact/add_contact_way", body)
    first = standin.act("scan", state="ch_1")

    again = standin.act("scan", state="ch_1", external_userid=first["external_userid"])

    assert (again["userid"], again["event"]) == (first["userid"], False)


def test_contact_ways_are_checked_and_belong_to_their_app(standin: StandIn, api: Api) -> None:
    add = "externalcontact/add_contact_way"
    good = {"type": 2, "scene": 2, "state": "ch_9", "user": ["wanglei", "zhaomin"]}

    assert api.post(add, {**good, "type": 3})["errcode"] == 41037
    assert api.post(add, {**good, "scene": 9})["errcode"] == 41039
    assert api.post(add, {**good, "state": "x" * 31})["errcode"] == 40058
    assert api.post(add, {**good, "user": []})["errcode"] == 40063
    assert api.post(add, {**good, "type": 1})["errcode"] == 40058
    assert api.post(add, {**good, "user": ["nobody"]})["errcode"] == 40003
    made = api.post(add, good)
    assert made["qr_code"].startswith("https://")
    assert (
        api.post("externalcontact/get_contact_way", {"config_id": made["config_id"]})["contact_way"]["state"] == "ch_9"
    )
    foreign = standin.act("create_way", users=["wanglei"], state="old", app=77)["config_id"]
    assert api.post("externalcontact/get_contact_way", {"config_id": foreign})["errcode"] == 41044
    assert api.post("externalcontact/get_contact_way", {})["errcode"] == 41042
    assert standin.act("scan", state="ch_9")["event"] is True


def test_a_member_who_is_not_activated_stands_behind_no_code(standin: StandIn, api: Api) -> None:
    standin.act("create_user", userid="new", status=4)

    body = {"type": 1, "scene": 2, "user": ["new"]}

    assert api.post("externalcontact/add_contact_way", body)["errcode"] == 41054
