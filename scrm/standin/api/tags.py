"""Corp tags (wecom-api.md §6). An app edits and deletes only what it made (platform.md 22)."""

from __future__ import annotations

from typing import Any

from scrm.standin.errors import Refusal
from scrm.standin.records import Tag, TagGroup

from .call import Call


def get_corp_tag_list(call: Call) -> dict[str, Any]:
    """Everything for `{}`; with group ids those groups, with tag ids those tags in their groups."""
    groups, tags = call.strings("group_id") or [], call.strings("tag_id") or []
    rows = []
    for group in call.world.tags.seen():
        if groups and group.id not in groups:
            continue
        kept = group.tags if groups or not tags else tuple(tag for tag in group.tags if tag.id in tags)
        if kept or not tags:
            rows.append(_group(group, kept))
    return {"tag_group": rows}


def add_corp_tag(call: Call) -> dict[str, Any]:
    """Into a group by id, or by name; the tags may not be none."""
    group_id = call.text("group_id", required=False) or None
    group = call.text("group_name", required=False)
    if group_id is None and not group:
        raise Refusal(40063)
    given = call.body.get("tag")
    if not isinstance(given, list) or not given:
        raise Refusal(40063)
    new: list[tuple[str, int, str | None]] = []
    for item in given:
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise Refusal(40058)
        new.append((item["name"], _order(item.get("order", 0)), None))
    order = _order(call.body.get("order", 0))
    made = call.world.tags.add(new, group=group, group_id=group_id, app=call.agent_id, order=order)
    fresh = made.tags[-len(new) :]
    call.ledger.write("corp_tag", call.world.now(), verb="add", group_id=made.id, ids=[tag.id for tag in fresh])
    return {"tag_group": _group(made, fresh)}


def edit_corp_tag(call: Call) -> dict[str, Any]:
    """Name or order of a tag or a group."""
    tag_id = call.text("id")
    name = call.text("name", required=False) or None
    order = _order(call.body["order"]) if "order" in call.body else None
    if name is None and order is None:
        raise Refusal(40063)
    _own(call, tag_id)
    call.world.tags.edit_tag(tag_id, name, order)
    call.ledger.write("corp_tag", call.world.now(), verb="edit", ids=[tag_id])
    return {}


def del_corp_tag(call: Call) -> dict[str, Any]:
    """Tags, groups, or both."""
    tags, groups = call.strings("tag_id") or [], call.strings("group_id") or []
    if not tags and not groups:
        raise Refusal(40063)
    for item in [*tags, *groups]:
        _own(call, item)
    for group_id in groups:
        call.world.tags.delete_group(group_id)
    for tag_id in tags:
        if call.world.tags.find(tag_id) is not None:
            call.world.tags.delete_tag(tag_id)
    call.ledger.write("corp_tag", call.world.now(), verb="delete", ids=[*tags, *groups])
    return {}


def _own(call: Call, tag_id: str) -> None:
    group = call.world.tags.groups.get(tag_id)
    found = call.world.tags.find(tag_id)
    if group is None and found is None:
        raise Refusal(40068)
    owner = group.app if group is not None else found[1].app if found is not None else 0
    if owner != call.agent_id:
        raise Refusal(60011)


def _order(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**32:
        raise Refusal(40058, "invalid order")
    return value


def _group(group: TagGroup, tags: tuple[Tag, ...]) -> dict[str, Any]:
    ordered = sorted(tags, key=lambda tag: (-tag.order, tag.create_time))
    rows = [{"id": tag.id, "name": tag.name, "create_time": tag.create_time, "order": tag.order} for tag in ordered]
    return {
        "group_id": group.id,
        "group_name": group.name,
        "create_time": group.create_time,
        "order": group.order,
        "tag": rows,
    }
