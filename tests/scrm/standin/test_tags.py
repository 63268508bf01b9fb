"""Corp tags."""

from __future__ import annotations

from scrm.standin.server import StandIn

from .conftest import Api


def test_an_app_makes_renames_and_deletes_its_tags(standin: StandIn, api: Api) -> None:
    made = api.post(
        "externalcontact/add_corp_tag", {"group_name": "意向", "tag": [{"name": "低"}, {"name": "高", "order": 9}]}
    )["tag_group"]

    assert [tag["name"] for tag in made["tag"]] == ["高", "低"]
    low = made["tag"][1]["id"]
    assert api.post("externalcontact/edit_corp_tag", {"id": low, "name": "中"})["errcode"] == 0
    (group,) = api.post("externalcontact/get_corp_tag_list", {})["tag_group"]
    assert [tag["name"] for tag in group["tag"]] == ["高", "中"]
    assert api.post("externalcontact/del_corp_tag", {"tag_id": [low]})["errcode"] == 0
    assert api.post("externalcontact/del_corp_tag", {"tag_id": [low]})["errcode"] == 40068
    assert [effect["verb"] for effect in standin.ledger.of("corp_tag")] == ["add", "edit", "delete"]
    assert len(standin.callbacks.log) == 0


def test_a_group_without_tags_disappears(standin: StandIn, api: Api) -> None:
    tag = standin.act("create_tag", name="高", group="意向")["id"]
    standin.act("delete_tag", tag_id=tag)

    assert api.post("externalcontact/get_corp_tag_list", {})["tag_group"] == []


def test_deleting_a_group_tells_nothing_of_its_tags_and_unmarks(standin: StandIn, api: Api) -> None:
    made = standin.act("create_tag", name="高", group="意向")
    person = standin.act("add", userid="wanglei")["external_userid"]
    standin.act("edit", userid="wanglei", external_userid=person, add_tags=[made["id"]])
    before = len(standin.callbacks.log)

    standin.act("delete_tag_group", group_id=made["group_id"])

    assert len(standin.callbacks.log) == before + 1
    assert standin.last_callback().fields["TagType"] == "tag_group"
    assert api.get("externalcontact/get", external_userid=person)["follow_user"][0]["tags"] == []


def test_tags_of_others_are_refused_and_names_checked(standin: StandIn, api: Api) -> None:
    made = standin.act("create_tag", name="高", group="意向")
    add = "externalcontact/add_corp_tag"

    assert api.post("externalcontact/edit_corp_tag", {"id": made["id"], "name": "x"})["errcode"] == 60011
    assert api.post("externalcontact/del_corp_tag", {"group_id": [made["group_id"]]})["errcode"] == 60011
    assert api.post(add, {"group_name": "意向", "tag": [{"name": "高"}]})["errcode"] == 40071
    assert api.post(add, {"group_name": "意向", "tag": [{"name": "x" * 31}]})["errcode"] == 40072
    assert api.post(add, {"group_name": "意向", "tag": []})["errcode"] == 40063
    assert api.post(add, {"group_id": "etNone", "tag": [{"name": "x"}]})["errcode"] == 40068


def test_the_library_ends_at_3000_tags(standin: StandIn, api: Api) -> None:
    tags = [{"name": f"t{number}"} for number in range(3000)]

    assert api.post("externalcontact/add_corp_tag", {"group_name": "many", "tag": tags})["errcode"] == 0
    one = {"group_name": "more", "tag": [{"name": "one"}]}
    assert api.post("externalcontact/add_corp_tag", one)["errcode"] == 40126


def test_lists_by_tag_and_by_group(standin: StandIn, api: Api) -> None:
    first = standin.act("create_tag", name="高", group="意向")
    second = standin.act("create_tag", name="低", group="意向")
    standin.act("create_tag", name="杭州", group="城市")

    by_tag = api.post("externalcontact/get_corp_tag_list", {"tag_id": [first["id"]]})["tag_group"]
    by_group = api.post("externalcontact/get_corp_tag_list", {"group_id": [first["group_id"]]})["tag_group"]

    assert [[tag["id"] for tag in group["tag"]] for group in by_tag] == [[first["id"]]]
    assert [tag["id"] for tag in by_group[0]["tag"]] == [first["id"], second["id"]]
