"""Customer groups (wecom-api.md §9.1, §9.2)."""

from __future__ import annotations

from typing import Any

from scrm.standin.errors import Refusal
from scrm.standin.records import ChatView, Member

from .call import Call, from_cursor, to_cursor

MANY_STAFF = 1000  # above it a list without owners is refused, §9.1
OWNERS_PER_CALL = 100
PAGE_MOST = 1000


def list_(call: Call) -> dict[str, Any]:
    """Chat ids with their status; `next_cursor` is empty at the end."""
    limit = call.limit(None, PAGE_MOST, clamp=False)
    status = call.number("status_filter", 0)
    if status not in (0, 1, 2, 3):
        raise Refusal(40058, "invalid status_filter")
    owners = _owners(call)
    if owners is None and len(call.world.book.staff) > MANY_STAFF:
        raise Refusal(81017)
    (start,) = from_cursor(call.text("cursor", required=False), "chats", 1)
    found = [
        (place, chat)
        for place, chat in enumerate(call.world.chats.seen_all())
        if place >= start
        and (owners is None or chat.owner in owners)
        and (status == 0 or _status(call, chat) == status)
    ]
    rows = [{"chat_id": chat.chat_id, "status": _status(call, chat)} for _, chat in found[:limit]]
    more = to_cursor("chats", found[limit][0]) if len(found) > limit else ""
    return {"group_chat_list": rows, "next_cursor": more}


def get(call: Call) -> dict[str, Any]:
    """One group with its members; names only with `need_name`."""
    need_name = call.number("need_name", 0)
    chat = call.world.chats.seen(call.text("chat_id"))
    answer: dict[str, Any] = {
        "chat_id": chat.chat_id,
        "name": chat.name,
        "owner": chat.owner,
        "create_time": chat.create_time,
        "member_list": [_member(call, member, bool(need_name)) for member in chat.members.values()],
        "admin_list": [{"userid": userid} for userid in chat.admins],
        "member_version": chat.version,
    }
    if chat.notice:
        answer["notice"] = chat.notice
    return {"group_chat": answer}


def _owners(call: Call) -> set[str] | None:
    given = call.body.get("owner_filter")
    if given is None:
        return None
    owners = given.get("userid_list") if isinstance(given, dict) else None
    if not isinstance(owners, list) or not owners or len(owners) > OWNERS_PER_CALL:
        raise Refusal(40058, "invalid owner_filter.userid_list")
    return set(owners)


def _status(call: Call, chat: ChatView) -> int:
    """0 normal, 1 the owner has left the corp."""
    return 0 if chat.owner in call.world.book.staff else 1


def _member(call: Call, member: Member, need_name: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "userid": member.member_id,
        "type": member.type,
        "join_time": member.join_time,
        "join_scene": member.join_scene,
        "group_nickname": member.nickname,
    }
    if member.invitor:
        row["invitor"] = {"userid": member.invitor}
    if member.type == 1:
        staff = call.world.book.staff.get(member.member_id)
        name = staff.name if staff is not None else ""
    else:
        person = call.world.contacts.customers[member.member_id]
        name = person.name
        if person.unionid and call.world.settings.unionids:
            row["unionid"] = person.unionid
        if member.state:
            row["state"] = member.state
    if need_name:
        row["name"] = name
    return row
