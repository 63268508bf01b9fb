"""Broadcast tasks, which staff members confirm in their client (wecom-api.md §10.1)."""

from collections.abc import Mapping, Sequence
from typing import Any

from scrm.wecom import brake
from scrm.wecom.client import client
from scrm.wecom.schemas import MessageTask, text, words

MAX_CUSTOMERS = 10_000
MAX_CHATS = 2_000


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
