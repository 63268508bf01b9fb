"""Customer groups: the list, and one with its members (wecom-api.md §9)."""

from collections.abc import Sequence
from typing import Any

from scrm.wecom.client import client, listed, told
from scrm.wecom.schemas import GroupChatDetail, GroupChatEntry, GroupChatPage, inner, objects, text

MAX_OWNERS_PER_PAGE = 100  # owner_filter.userid_list, wecom-api.md §9.1


def fetch_page(cursor: str = "", owners: Sequence[str] | None = None, limit: int = 1000) -> GroupChatPage:
    """A page of chat ids. Without `owners` (≤ 100) the platform refuses with `errors.TOO_MANY_OWNERS` when more than
    1,000 staff members are in range."""
    body: dict[str, Any] = {"status_filter": 0, "cursor": cursor, "limit": limit}
    if owners is not None:
        if not 0 < len(owners) <= MAX_OWNERS_PER_PAGE:
            raise ValueError(f"1 to {MAX_OWNERS_PER_PAGE} owners fit one page, not {len(owners)}")
        body["owner_filter"] = {"userid_list": list(owners)}
    answer = client().read("externalcontact/groupchat/list", body=body)
    listed(answer, "group_chat_list", api="externalcontact/groupchat/list")
    rows = (GroupChatEntry.from_wecom(row) for row in objects(answer, "group_chat_list"))
    chats = tuple(row for row in rows if row.chat_id)
    return GroupChatPage(chats, text(answer, "next_cursor"))


def fetch(chat_id: str, *, timeout: float | None = None) -> GroupChatDetail:
    """The chat with its members and their names. Errors: WecomError, `gone` when it was dismissed."""
    body = {"chat_id": chat_id, "need_name": 1}
    answer = client().read("externalcontact/groupchat/get", body=body, timeout=timeout)
    told(inner(answer, "group_chat"), "member_list", list, api="externalcontact/groupchat/get")
    return GroupChatDetail.from_wecom(inner(answer, "group_chat"))
