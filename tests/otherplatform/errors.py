"""The platform's refusals: a code, a text, and the hint that it adds to each text."""

from typing import Any

TEXTS = {
    -1: "system busy",
    40001: "invalid credential",
    40003: "invalid userid",
    40013: "invalid corpid",
    40014: "invalid access_token",
    40033: "invalid charset",
    40035: "invalid parameter",
    40058: "invalid Request Parameter",
    40063: "some parameters are empty",
    40068: "invalid tagid",
    40071: "tag name already existed",
    40096: "invalid external userid",
    41001: "access_token missing",
    41046: "missing msgid",
    41047: "invalid msgid",
    41048: "no external contact to send",
    41049: "missing welcome code",
    41050: "invalid welcome code",
    41051: "externaluser has started chatting",
    41063: "group msg is being sent, try again later",
    41064: "too many attachments",
    41093: "group msg has been cancelled",
    41094: "remind too many times",
    42001: "access_token expired",
    45002: "content size out of limit",
    45009: "api freq out of limit",
    48002: "api forbidden",
    49008: "chat has been dismissed",
    50100: "invalid cursor",
    60003: "department not found",
    60011: "no privilege to access/modify contact/party/agent",
    60111: "userid not found",
    81013: "user & party & tag all invalid",
    84061: "not external contact",
    90501: "chat is not external group chat",
    301002: "not allow operate another agent with this accesstoken",
}


class Refusal(Exception):
    """An answer other than errcode 0."""

    def __init__(self, code: int) -> None:
        super().__init__(code, TEXTS[code])
        self.code = code

    def answer(self, number: int, ip: str) -> dict[str, Any]:
        """Code and text as sent: with the number to quote, the caller's address and a link."""
        return {
            "errcode": self.code,
            "errmsg": f"{TEXTS[self.code]}, hint: [{number}], from ip: {ip}, more info at "
            f"https://open.work.weixin.qq.com/devtool/query?e={self.code}",
        }
