"""The platform's refusals: codes of wecom-api.md §1.4 with errmsg texts in its style."""

from __future__ import annotations

import secrets
import time

TEXTS = {
    -1: "system busy",
    40001: "invalid credential",
    40003: "invalid userid",
    40004: "invalid media type",
    40006: "invalid file size",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid corpid",
    40014: "invalid access_token",
    40029: "invalid code",
    40032: "invalid userid list length",
    40035: "invalid parameter",
    40050: "invalid chat id",
    40056: "invalid agentid",
    40058: "invalid Request Parameter",
    40063: "some parameters are empty",
    40068: "invalid tagid",
    40071: "tag name already exists",
    40072: "invalid tag name length",
    40096: "invalid external userid",
    40099: "the taking-over member has reached the customer limit",
    40123: "invalid image",
    40126: "corp tag count reached the limit",
    41001: "access_token missing",
    41004: "corpsecret missing",
    41002: "corpid missing",
    41035: "external userid missing",
    41037: "invalid contact way type",
    41038: "missing contact way scene",
    41039: "invalid contact way scene",
    41040: "invalid contact way style",
    41041: "contact way user list exceed limit",
    41042: "contact way config_id missing",
    41044: "invalid contact way config_id",
    41046: "missing mass msgid",
    41047: "invalid mass msgid",
    41048: "no customer to send",
    41049: "welcome_code missing",
    41050: "invalid welcome_code",
    41051: "customer has started chatting or the welcome message was already delivered",
    41054: "user is not activated",
    41063: "mass message is being dispatched",
    41064: "too many attachments",
    41065: "invalid attachment type",
    41093: "mass message task was cancelled",
    41094: "mass message reminders exceed the limit",
    41096: "welcome message is being distributed",
    42001: "access_token expired",
    42003: "code expired",
    42022: "code has been used",
    44001: "empty media data",
    44004: "text content is empty",
    45001: "media size out of limit",
    45002: "message content too long",
    45009: "api freq out of limit",
    45033: "concurrent calls of this api exceed the limit",
    48002: "api forbidden",
    49008: "group has been dismissed",
    50001: "redirect_url is not in the trusted domain",
    50100: "invalid cursor",
    60003: "department not found",
    60011: "no privilege to access/modify contact/party/agent",
    60020: "not allow to access from your ip",
    60111: "userid not found",
    81013: "user & party & tag all invalid",
    81017: "request items exceed the limit",
    84061: "not external contact",
    84074: "no permission of external contact",
    301002: "no permission to operate the agent",
}


class Refusal(Exception):
    """The platform answers `code` instead of doing what was asked."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def answer(self, ip: str) -> dict[str, object]:
        """The JSON body: HTTP 200 with errcode; the text carries a hint, as the platform's does."""
        text = self.detail or TEXTS.get(self.code, "request refused")
        hint = f"{int(time.time() * 1000)}{secrets.randbelow(10**12):012d}"
        more = f"https://open.work.weixin.qq.com/devtool/query?e={self.code}"
        return {
            "errcode": self.code,
            "errmsg": f"{text}, hint: [{hint}], from ip: {ip}, more info at {more}",
        }
