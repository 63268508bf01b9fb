"""Departments and members (wecom-api.md §4.1), without the fields that apps made after 2022-06-20 do not get."""

from __future__ import annotations

from typing import Any

from scrm.standin.errors import Refusal
from scrm.standin.records import Department, Staff

from .call import Call


def department_list(call: Call) -> dict[str, Any]:
    """The department `id` and all below it; everything without `id`."""
    return {"department": [_department(item) for item in _asked(call)]}


def department_simplelist(call: Call) -> dict[str, Any]:
    """Ids only."""
    rows = [{"id": item.id, "parentid": item.parentid, "order": item.order} for item in _asked(call)]
    return {"department_id": rows}


def department_get(call: Call) -> dict[str, Any]:
    """One department."""
    wanted = _number(call, "id")
    for item in call.world.book.seen_departments():
        if item.id == wanted:
            return {"department": _department(item)}
    raise Refusal(60003)


def user_list(call: Call) -> dict[str, Any]:
    """Full members of a department, with `fetch_child=1` of all below it."""
    return {"userlist": [_member(staff) for staff in _staff_of(call)]}


def user_simplelist(call: Call) -> dict[str, Any]:
    """Userid, name, departments."""
    rows = [
        {"userid": staff.userid, "name": staff.name, "department": list(staff.departments), "open_userid": ""}
        for staff in _staff_of(call)
    ]
    return {"userlist": rows}


def user_get(call: Call) -> dict[str, Any]:
    """One full member; 60111 for nobody."""
    staff = call.world.book.seen(call.query.get("userid", ""))
    if staff is None:
        raise Refusal(60111)
    return _member(staff)


def _asked(call: Call) -> list[Department]:
    if not call.query.get("id"):
        return call.world.book.seen_departments()
    return call.world.book.below(_number(call, "id"))


def _staff_of(call: Call) -> list[Staff]:
    wanted = _number(call, "department_id")
    below = {item.id for item in call.world.book.below(wanted)}
    inside = below if call.query.get("fetch_child") == "1" else {wanted}
    return [staff for staff in call.world.book.seen_staff() if inside.intersection(staff.departments)]


def _number(call: Call, name: str) -> int:
    value = call.query.get(name, "")
    if not value.isdigit():
        raise Refusal(40058, f"invalid {name}")
    return int(value)


def _department(item: Department) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "name_en": "",
        "department_leader": [],
        "parentid": item.parentid,
        "order": item.order,
    }


def _member(staff: Staff) -> dict[str, Any]:
    count = len(staff.departments)
    return {
        "userid": staff.userid,
        "name": staff.name,
        "department": list(staff.departments),
        "order": [0] * count,
        "position": staff.position,
        "is_leader_in_dept": [0] * count,
        "direct_leader": [],
        "telephone": "",
        "alias": "",
        "status": staff.status,
        "enable": 1 if staff.status != 2 else 0,
        "main_department": staff.departments[0] if staff.departments else 1,
        "extattr": {"attrs": []},
    }
