"""Broadcast tasks, which staff members confirm in their client, and what became of them (wecom-api.md §10)."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scrm.wecom import brake
from scrm.wecom.client import Answer, client, endless
from scrm.wecom.schemas import MessageRecord, MessageResult, MessageTask, StaffTask, objects, text, words

MAX_CUSTOMERS = 10_000
MAX_CHATS = 2_000
RECORDS_A_PAGE = 100  # more is taken for the default of 50
ROWS_A_PAGE = 1_000
MOST_PAGES = 1_000  # a hundred thousand tasks in a month, a million recipients: what goes on beyond has no end


def add_single_task(
    sender: str, external_userids: Sequence[str], body: Mapping[str, Any], *, timeout: float | None = None
) -> MessageTask:
    """A task for `sender` to write to these customers. `body`: `text` and `attachments` as the platform names them."""
    recipients = brake.recipients(external_userids, at_most=MAX_CUSTOMERS)
    return _add({**body, "chat_type": "single", "external_userid": recipients, "sender": sender}, timeout)


def add_group_task(
    sender: str, chat_ids: Sequence[str], body: Mapping[str, Any], *, timeout: float | None = None
) -> MessageTask:
    """A task for the owner `sender` to write to these chats."""
    recipients = brake.recipients(chat_ids, at_most=MAX_CHATS)
    return _add({**body, "chat_type": "group", "chat_id_list": recipients, "sender": sender}, timeout)


def _add(body: dict[str, Any], timeout: float | None) -> MessageTask:
    answer = client().act("externalcontact/add_msg_template", body, timeout=timeout)
    return MessageTask(text(answer, "msgid"), words(answer, "fail_list"))


def find_records(chat_type: str, start: dt.datetime, end: dt.datetime) -> Iterator[MessageRecord]:
    """The company's own tasks (not what members send by themselves) created in [start, end]; at most a month."""
    body = {
        "chat_type": chat_type,
        "start_time": int(start.timestamp()),
        "end_time": int(end.timestamp()),
        "filter_type": 0,
        "limit": RECORDS_A_PAGE,
    }
    for answer in _pages("externalcontact/get_groupmsg_list_v2", body):
        yield from (MessageRecord.from_wecom(row) for row in objects(answer, "group_msg_list"))


def fetch_tasks(msgid: str) -> list[StaffTask]:
    """Who was asked to send a broadcast, and whether they did. Errors: WecomError 41063 while it is being dispatched."""
    pages = _pages("externalcontact/get_groupmsg_task", {"msgid": msgid, "limit": ROWS_A_PAGE})
    return [StaffTask.from_wecom(row) for answer in pages for row in objects(answer, "task_list")]


def fetch_results(msgid: str, userid: str) -> Iterator[list[MessageResult]]:
    """What became of each recipient of one staff member, a page at a time."""
    body = {"msgid": msgid, "userid": userid, "limit": ROWS_A_PAGE}
    for answer in _pages("externalcontact/get_groupmsg_send_result", body):
        yield [MessageResult.from_wecom(row) for row in objects(answer, "send_list")]


def remind(msgid: str) -> None:
    """Nudges who has not confirmed: at most three times in 24 hours (41094). Errors: `SendingStopped`."""
    brake.check_open()
    client().act("externalcontact/remind_groupmsg_send", {"msgid": msgid})


def cancel(msgid: str) -> None:
    """Takes the task back from who has not confirmed it; recalls nothing that was sent."""
    client().act("externalcontact/cancel_groupmsg_send", {"msgid": msgid})


def _pages(api: str, body: dict[str, Any]) -> Iterator[Answer]:
    cursor = ""
    for _page in range(MOST_PAGES):
        answer = client().read(api, body={**body, "cursor": cursor} if cursor else body)
        yield answer
        following = text(answer, "next_cursor")
        if not following:
            return
        if following == cursor:
            raise endless(api)
        cursor = following
    raise endless(api)
