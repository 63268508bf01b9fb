"""Broadcasts (wecom-api.md §10): made through the API, confirmed by staff, read in pages."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

from scrm.standin.audience import TagGroups, group, single
from scrm.standin.broadcasts import NOT_SENT, SENT
from scrm.standin.errors import Refusal
from scrm.standin.records import Broadcast, Task

from .call import Call, from_cursor, to_cursor
from .content import content

CUSTOMERS = 10_000
CHATS = 2000
TAGS = 100
LIST_DEFAULT, LIST_MOST = 50, 100
PAGE_DEFAULT, PAGE_MOST = 500, 1000
SPAN = 31 * 86_400  # a month


def add_msg_template(call: Call) -> dict[str, Any]:
    """Make a broadcast; `fail_list` names who cannot be reached.

    40003 unknown sender, 41054 not active, 84074 without the customer-contact function, 40063 no sender for groups,
    41048 nobody to send to, 40058 lists too long or of another shape, 40068 unknown tags, and those of `content`.
    """
    chat_type = call.text("chat_type", required=False) or "single"
    if chat_type not in ("single", "group"):
        raise Refusal(40058, "invalid chat_type")
    if not isinstance(call.body.get("allow_select", False), bool):
        raise Refusal(40058, "invalid allow_select")
    sender = _sender(call, required=chat_type == "group")
    if chat_type == "group":
        chat_ids = _ids(call, "chat_id_list", CHATS)
        text, attachments = content(call)
        audience = group(call.world, sender, chat_ids)
    else:
        people, tags = _ids(call, "external_userid", CUSTOMERS), _tag_filter(call)
        text, attachments = content(call)
        if not people and not sender:
            raise Refusal(41048)
        audience = single(call.world, sender, people, tags)
    made = call.world.broadcasts.create(chat_type, audience, text, attachments)
    _witness(call, made, sender, audience.failed)
    return {"fail_list": audience.failed, "msgid": made.msgid}


def get_groupmsg_list_v2(call: Call) -> dict[str, Any]:
    """Broadcasts of a span of at most a month, private ones too; a page above 100 has 50."""
    chat_type = call.text("chat_type")
    since, until = call.number("start_time"), call.number("end_time")
    if chat_type not in ("single", "group") or not 0 <= until - since <= SPAN:
        raise Refusal(40058, "invalid chat_type, start_time or end_time")
    creator, kind = call.text("creator", required=False), call.number("filter_type", 2)
    if kind not in (0, 1, 2):
        raise Refusal(40058, "invalid filter_type")
    limit = call.limit(LIST_DEFAULT, 10**9, clamp=False)
    limit = limit if limit <= LIST_MOST else LIST_DEFAULT
    (start,) = from_cursor(call.text("cursor", required=False), "broadcasts", 1)
    found = [
        (place, item)
        for place, item in enumerate(call.world.broadcasts.sent.values())
        if place >= start
        and item.chat_type == chat_type
        and since <= item.created_at <= until
        and creator in ("", item.creator)
        and (kind == 2 or kind == bool(item.creator))
    ]
    more = to_cursor("broadcasts", found[limit][0]) if len(found) > limit else ""
    return {"group_msg_list": [_summary(call, item) for _, item in found[:limit]], "next_cursor": more}


def get_groupmsg_task(call: Call) -> dict[str, Any]:
    """Who has confirmed: visible at once."""
    broadcast = _broadcast(call)
    tasks, more = _page(call, "tasks", list(broadcast.tasks.values()))
    done = call.world.settings.task_status_sent
    rows = [
        {"userid": task.userid, "status": 0}
        if task.confirmed_at is None
        else {"userid": task.userid, "status": done, "send_time": task.confirmed_at}
        for task in tasks
    ]
    return {"task_list": rows, "next_cursor": more}


def get_groupmsg_send_result(call: Call) -> dict[str, Any]:
    """What became of each receiver of one member; 41063 while the broadcast is being dispatched."""
    broadcast, userid = _broadcast(call), call.text("userid")
    if broadcast.ready > time.time():
        raise Refusal(41063)
    task = broadcast.tasks.get(userid)
    if task is None:
        if userid not in call.world.book.staff:
            raise Refusal(40003)
        return {"send_list": [], "next_cursor": ""}
    places, more = _page(call, "results", range(len(task.receivers)))
    key = "external_userid" if broadcast.chat_type == "single" else "chat_id"
    rows = [{key: task.receivers[place], "userid": userid, **_outcome(task, place)} for place in places]
    return {"send_list": rows, "next_cursor": more}


def remind_groupmsg_send(call: Call) -> dict[str, Any]:
    """Ask those who have not confirmed."""
    msgid = call.text("msgid", code=41046)
    call.world.broadcasts.remind(msgid)
    call.ledger.write("reminder", call.world.now(), msgid=msgid)
    return {}


def cancel_groupmsg_send(call: Call) -> dict[str, Any]:
    """Nobody can confirm any more."""
    msgid = call.text("msgid", code=41046)
    call.world.broadcasts.cancel(msgid)
    call.ledger.write("cancellation", call.world.now(), msgid=msgid)
    return {}


def _sender(call: Call, *, required: bool) -> str:
    userid = call.text("sender", required=required)
    if not userid:
        return ""
    staff = call.world.book.staff.get(userid)
    if staff is None:
        raise Refusal(40003)
    if staff.status != 1:
        raise Refusal(41054)
    if not staff.follows:
        raise Refusal(84074)
    return userid


def _ids(call: Call, name: str, most: int) -> list[str]:
    given = call.strings(name) or []
    if len(given) > most:
        raise Refusal(40058, f"{name} exceeds {most} items")
    return given


def _tag_filter(call: Call) -> TagGroups:
    """Any tag of each list, of every list; at most a hundred tags."""
    given = call.body.get("tag_filter")
    if given is None:
        return []
    rows = given.get("group_list") if isinstance(given, dict) else None
    lists = [row.get("tag_list") if isinstance(row, dict) else None for row in (rows if isinstance(rows, list) else [])]
    groups = [set(tags) for tags in lists if isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)]
    if not groups or len(groups) < len(lists) or not all(groups):
        raise Refusal(40058, "invalid tag_filter")
    if sum(map(len, groups)) > TAGS:
        raise Refusal(40058, f"tag_filter exceeds {TAGS} tags")
    if not set().union(*groups) <= set(call.world.tags.names()):
        raise Refusal(40068)
    return groups


def _broadcast(call: Call) -> Broadcast:
    return call.world.broadcasts.get(call.text("msgid", code=41046))


def _page(call: Call, kind: str, rows: Any) -> tuple[Any, str]:
    """A slice of `rows` and the mark of the next one."""
    limit = call.limit(PAGE_DEFAULT, PAGE_MOST, clamp=False)
    (start,) = from_cursor(call.text("cursor", required=False), kind, 1)
    end = start + limit
    return rows[start:end], to_cursor(kind, end) if end < len(rows) else ""


def _outcome(task: Task, place: int) -> dict[str, Any]:
    if task.confirmed_at is None or task.readable > time.time():
        return {"status": NOT_SENT}
    status = task.statuses[place]
    return {"status": status, "send_time": task.confirmed_at} if status == SENT else {"status": status}


def _summary(call: Call, broadcast: Broadcast) -> dict[str, Any]:
    made: int | str = broadcast.created_at
    row: dict[str, Any] = {
        "msgid": broadcast.msgid,
        "create_time": str(made) if call.world.settings.create_time_text else made,
        "create_type": 1 if broadcast.creator else 0,
        "attachments": broadcast.attachments,
    }
    if broadcast.creator:
        row["creator"] = broadcast.creator
    if broadcast.text:
        row["text"] = {"content": broadcast.text}
    return row


def _witness(call: Call, made: Broadcast, sender: str, failed: list[str]) -> None:
    """Who was accepted, and the call's body without its lists, with a digest to tell equal ones."""
    body = {name: value for name, value in call.body.items() if name not in ("external_userid", "chat_id_list")}
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    call.ledger.write(
        "broadcast", made.created_at, msgid=made.msgid, chat_type=made.chat_type, sender=sender,
        recipients=[receiver for task in made.tasks.values() for receiver in task.receivers],
        by_staff={task.userid: len(task.receivers) for task in made.tasks.values()}, fail_list=failed,
        text=made.text, attachments=made.attachments, body=body,
        digest=hashlib.sha256(text.encode()).hexdigest(), agent_id=call.agent_id,
    )  # fmt: skip
