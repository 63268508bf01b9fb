"""Contact ways (wecom-api.md §7.1). Only those of the calling app can be read or changed."""

from __future__ import annotations

from typing import Any

from scrm.standin.errors import Refusal
from scrm.standin.records import ContactWay

from .call import Call, from_cursor, to_cursor

USERS = 100
TEXT = 30  # characters of remark and of state


def add_contact_way(call: Call) -> dict[str, Any]:
    """A code; `qr_code` for scene 2 only."""
    kind, scene = call.body.get("type"), call.body.get("scene")
    if kind not in (1, 2):
        raise Refusal(41037)
    if scene not in (1, 2):
        raise Refusal(41039 if scene is not None else 41038)
    users, parties = _reach(call, kind, call.strings("user") or [], call.body.get("party") or [])
    way = ContactWay(
        call.world.ways.new_config_id(), kind, scene, users, parties, _short(call, "state"),
        _short(call, "remark"), call.number("style", 1), bool(call.body.get("skip_verify", True)),
        bool(call.body.get("is_exclusive", False)), call.agent_id,
    )  # fmt: skip
    call.world.ways.ways[way.config_id] = way
    _witness(call, "add", way)
    answer = {"config_id": way.config_id}
    return {**answer, "qr_code": _qr_code(way)} if scene == 2 else answer


def get_contact_way(call: Call) -> dict[str, Any]:
    """Everything about one code."""
    way = _own(call)
    return {
        "contact_way": {
            "config_id": way.config_id,
            "type": way.type,
            "scene": way.scene,
            "style": way.style,
            "remark": way.remark,
            "skip_verify": way.skip_verify,
            "state": way.state,
            "qr_code": _qr_code(way) if way.scene == 2 else "",
            "user": list(way.users),
            "party": list(way.parties),
            "is_temp": False,
            "is_exclusive": way.exclusive,
            "mark_source": True,
        }
    }


def list_contact_way(call: Call) -> dict[str, Any]:
    """Config ids of the calling app."""
    limit = call.limit(100, 1000, clamp=False)
    (start,) = from_cursor(call.text("cursor", required=False), "ways", 1)
    own = [way.config_id for way in call.world.ways.ways.values() if way.app == call.agent_id]
    answer: dict[str, Any] = {"contact_way": [{"config_id": item} for item in own[start : start + limit]]}
    if start + limit < len(own):
        answer["next_cursor"] = to_cursor("ways", start + limit)
    return answer


def update_contact_way(call: Call) -> dict[str, Any]:
    """`user` and `party` replace; type and scene cannot change."""
    way = _own(call)
    if "user" in call.body or "party" in call.body:
        given = call.strings("user")
        users = list(way.users) if given is None else given
        parties = call.body.get("party", list(way.parties))
        way.users, way.parties = _reach(call, way.type, users, parties)
    if "state" in call.body:
        way.state = _short(call, "state")
    if "remark" in call.body:
        way.remark = _short(call, "remark")
    way.skip_verify = bool(call.body.get("skip_verify", way.skip_verify))
    _witness(call, "update", way)
    return {}


def del_contact_way(call: Call) -> dict[str, Any]:
    """The code stops working."""
    way = _own(call)
    del call.world.ways.ways[way.config_id]
    _witness(call, "delete", way)
    return {}


def _own(call: Call) -> ContactWay:
    way = call.world.ways.get(call.text("config_id", code=41042))
    if way.app != call.agent_id:
        raise Refusal(41044)
    return way


def _reach(call: Call, kind: int, users: list[str], parties: list[int]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Who stands behind a code: exactly one for type 1, at most 100 with department members (41041)."""
    book = call.world.book
    if kind == 1 and len(users) != 1:
        raise Refusal(40058, "type 1 takes exactly one user")
    if not users and not parties:
        raise Refusal(40063)
    for userid in users:
        if userid not in book.staff:
            raise Refusal(40003)
        if book.staff[userid].status != 1:
            raise Refusal(41054)
        if not book.staff[userid].follows:
            raise Refusal(84074)
    if any(party not in book.departments for party in parties):
        raise Refusal(60003)
    inside = {staff.userid for staff in book.staff.values() if set(parties).intersection(staff.departments)}
    if len(inside.union(users)) > USERS:
        raise Refusal(41041)
    return tuple(users), tuple(parties)


def _short(call: Call, name: str) -> str:
    text = call.text(name, required=False)
    if len(text) > TEXT:
        raise Refusal(40058, f"{name} exceeds {TEXT} characters")
    return text


def _qr_code(way: ContactWay) -> str:
    return f"https://wework.qpic.cn/wwpic/{way.config_id}/0"


def _witness(call: Call, verb: str, way: ContactWay) -> None:
    call.ledger.write(
        "contact_way", call.world.now(), verb=verb, config_id=way.config_id, users=list(way.users), state=way.state
    )
