"""The whole truth as plain data, for comparisons with what the SCRM believes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .world import World


def state(world: World, part: str | None = None) -> dict[str, Any]:
    """Departments, staff, customers, follows, chats, tags, broadcasts, or one `part` of it. Lag does not touch it."""
    parts = {
        "departments": _departments,
        "staff": _staff,
        "customers": _customers,
        "follows": _follows,
        "chats": _chats,
        "tags": _tags,
        "broadcasts": _broadcasts,
    }
    if part and part not in parts:
        raise ValueError(f"no such part: {part}")
    return {name: make(world) for name, make in parts.items() if part in (None, "", name)}


def _departments(world: World) -> Any:
    return [department._asdict() for department in world.book.departments.values()]


def _staff(world: World) -> Any:
    return [
        {
            "userid": staff.userid,
            "name": staff.name,
            "departments": list(staff.departments),
            "status": staff.status,
            "follows": staff.follows,
            "friends": staff.friends,
            "capacity": staff.capacity,
            "full": staff.full,
        }
        for staff in world.book.staff.values()
    ]


def _customers(world: World) -> Any:
    return [
        {
            "external_userid": customer.external_userid,
            "name": customer.name,
            "type": customer.type,
            "gender": customer.gender,
            "unionid": customer.unionid,
            "stranger": not customer.follows,
        }
        for customer in world.contacts.customers.values()
    ]


def _follows(world: World) -> Any:
    return [
        {"external_userid": customer.external_userid, **follow._asdict()}
        for customer in world.contacts.customers.values()
        for follow in customer.follows
    ]


def _chats(world: World) -> Any:
    return [
        {**chat._asdict(), "members": [member._asdict() for member in chat.members.values()]}
        for chat in world.chats.chats.values()
    ]


def _tags(world: World) -> Any:
    return [{**group._asdict(), "tags": [tag._asdict() for tag in group.tags]} for group in world.tags.groups.values()]


def _broadcasts(world: World) -> Any:
    """With every receiver's true status, whatever reads see."""
    world.broadcasts.catch_up()
    return [
        {
            "msgid": item.msgid,
            "chat_type": item.chat_type,
            "creator": item.creator,
            "created_at": item.created_at,
            "text": item.text,
            "cancelled_at": item.cancelled_at,
            "reminders": item.reminders,
            "tasks": [
                {
                    "userid": task.userid,
                    "confirmed_at": task.confirmed_at,
                    "results": dict(zip(task.receivers, task.statuses, strict=True)),
                }
                for task in item.tasks.values()
            ],
        }
        for item in world.broadcasts.sent.values()
    ]
