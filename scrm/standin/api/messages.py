"""App messages to members (wecom-api.md §15): who gets them, lengths in bytes, what is dropped without a word."""

from __future__ import annotations

import re
from typing import Any

from scrm.standin.errors import Refusal

from .call import Call
from .cards import check_card

ALL = "@all"
MAX_USERS, MAX_GROUPS = 1000, 100
LONGEST_CHECK = 14_400  # duplicate_check_interval, seconds

# By message type: field → (required, most bytes; 0 = any).
FIELDS: dict[str, dict[str, tuple[bool, int]]] = {
    "text": {"content": (True, 2048)},
    "markdown": {"content": (True, 2048)},
    "textcard": {"title": (True, 128), "description": (True, 512), "url": (True, 2048), "btntxt": (False, 0)},
    "image": {"media_id": (True, 0)},
    "file": {"media_id": (True, 0)},
    "template_card": {},
}
BUTTON_CHARACTERS = 4


def send(call: Call) -> dict[str, Any]:
    """Deliver to every member who can be reached: the others are named, the 31st in a minute is not."""
    if call.number("agentid", 0) != call.agent_id:
        raise Refusal(301002)
    kind = call.text("msgtype", code=40008)
    content = _content(call, kind)
    asked, refused = _receivers(call)
    seconds = _duplicate_seconds(call)
    task_id = str(content.get("task_id", ""))
    if task_id and not call.world.app_messages.take_task(call.agent_id, task_id):
        raise Refusal(40058, "task_id should be unique")
    fate = call.world.app_messages.deliver(call.agent_id, asked, (kind, repr(content)), seconds)
    msgid = call.world.new_id("", 40)
    call.ledger.write(
        "app_message", call.world.now(), agent_id=call.agent_id, msgid=msgid, msgtype=kind, content=content,
        received=fate.received, dropped=fate.dropped, duplicates=fate.duplicates, invalid=refused["user"],
    )  # fmt: skip
    answer = {f"invalid{name}": "|".join(ids) for name, ids in refused.items() if ids}
    interactive = str(content.get("card_type", "")).endswith("_interaction")
    return {**answer, "msgid": msgid, **({"response_code": call.world.new_id("", 36)} if interactive else {})}


def _receivers(call: Call) -> tuple[list[str], dict[str, list[str]]]:
    """(members to reach, each once; what is refused by kind); 40063 for nobody named, 81013 for nobody reachable."""
    users = _named(call, "touser", MAX_USERS)
    parties, tags = _named(call, "toparty", MAX_GROUPS), _named(call, "totag", MAX_GROUPS)
    if not users and not parties and not tags:
        raise Refusal(40063, "touser, toparty and totag are empty")
    active = {staff.userid.lower(): staff for staff in call.world.book.staff.values() if staff.status == 1}
    if users == [ALL]:
        return [staff.userid for staff in active.values()], {"user": [], "party": [], "tag": []}
    found = {active[name.lower()].userid: None for name in users if name.lower() in active}
    departments = {str(number) for number in call.world.book.departments}
    inside = {item.id for name in parties if name in departments for item in call.world.book.below(int(name))}
    found |= {staff.userid: None for staff in active.values() if inside.intersection(staff.departments)}
    refused = {
        "user": [name for name in users if name.lower() not in active],
        "party": [name for name in parties if name not in departments],
        "tag": tags,  # nobody has made any
    }
    if not found:
        raise Refusal(81013)
    return list(found), refused


def _named(call: Call, name: str, most: int) -> list[str]:
    words = [word for word in call.text(name, required=False).split("|") if word]
    if len(words) > most:
        raise Refusal(40032, f"{name} exceeds {most}")
    return words


def _duplicate_seconds(call: Call) -> int:
    """Seconds for which an equal message counts as a repeat; 0: never."""
    for name in ("safe", "enable_id_trans", "enable_duplicate_check"):
        if call.number(name, 0) not in (0, 1):
            raise Refusal(40058, f"invalid {name}")
    seconds = call.number("duplicate_check_interval", 1800)
    if not 0 < seconds <= LONGEST_CHECK:
        raise Refusal(40058, "invalid duplicate_check_interval")
    return seconds if call.number("enable_duplicate_check", 0) else 0


def _content(call: Call, kind: str) -> dict[str, Any]:
    if kind not in FIELDS:
        raise Refusal(40008)
    content = call.body.get(kind)
    if not isinstance(content, dict):
        raise Refusal(40063, f"missing {kind}")
    for name, (required, most) in FIELDS[kind].items():
        text = content.get(name, "")
        if not isinstance(text, str) or (required and not text):
            raise Refusal(44004 if name == "content" else 40063, f"missing {kind}.{name}")
        if most and len(text.encode()) > most:
            raise Refusal(45002, f"{kind}.{name} exceeds {most} bytes")
    if content.get("media_id") and not call.world.media.usable(content["media_id"], kind):
        raise Refusal(40007)
    if len(content.get("btntxt", "")) > BUTTON_CHARACTERS:
        raise Refusal(45002, "textcard.btntxt is too long")
    if kind == "textcard" and not re.match(r"https?://", content["url"]):
        raise Refusal(40058, "invalid textcard.url")
    if kind == "template_card":
        check_card(content)
    return content
