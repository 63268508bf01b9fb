"""Examples in the OpenAPI description: the README's cast."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

_CHANNEL = {"state": "parcel", "name": "包裹卡"}
_TAG = {"id": "etAAAA", "name": "VIP", "group": "客户等级"}


def _answer(name: str, value: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample(name, value=value, response_only=True, status_codes=["200", "201"])


CUSTOMER = _answer(
    "Customer",
    {
        "external_userid": "wmXiaolin", "name": "小林", "type": 1, "gender": 2, "unionid": "oXiaolin",
        "channel": _CHANNEL, "first_added_at": "2026-11-20T10:00:00+08:00", "lost_at": None,
        "do_not_contact_at": None, "tags": [_TAG],
        "follows": [
            {
                "userid": "wanglei", "added_at": "2026-11-20T10:00:00+08:00", "half": False, "ended_at": None,
                "ended_by": None, "add_way": 1, "state": "parcel", "remark": "小林 杭州", "description": "",
                "tags": [_TAG],
            }
        ],
        "group_chats": ["wrFuli"],
    },
)  # fmt: skip
ENTRY = _answer(
    "Joined a chat",
    {
        "occurred_at": "2026-11-20T10:05:00+08:00", "kind": "joined", "userid": None, "chat_id": "wrFuli",
        "channel": None, "cause": None,
        "detail": {"chat_name": "福利群", "join_scene": 3, "state": None, "known_by": "event"},
    },
)  # fmt: skip
STAFF = _answer(
    "Staff member",
    {
        "userid": "wanglei", "name": "王磊", "departments": [2], "status": 1, "customers": 512,
        "serves_customers": True, "left_at": None,
    },
)  # fmt: skip
TAG_GROUP = _answer("Tag group", {"group_id": "egAAAA", "name": "客户等级", "tags": [{"id": "etAAAA", "name": "VIP"}]})
GROUP_CHAT = _answer(
    "Group chat",
    {
        "chat_id": "wrFuli", "name": "福利群", "owner": "wanglei", "type": "benefits", "member_count": 187,
        "created_at": "2026-11-01T09:00:00+08:00", "dismissed_at": None, "notice": "周三秒杀", "tags": [],
    },
)  # fmt: skip
MEMBER = _answer(
    "Member",
    {
        "member_id": "wmXiaolin", "kind": "customer", "joined_at": "2026-11-20T10:05:00+08:00", "left_at": None,
        "left_known_by": None, "join_scene": 3, "quit_scene": None, "invited_by": None, "state": None, "role": "member",
    },
)  # fmt: skip
CHANNEL = _answer("Channel", {**_CHANNEL, "adds": 1204, "created_at": "2026-11-01T09:00:00+08:00"})
NEW_CHANNEL = OpenApiExample("New channel", value={"name": "包裹卡", "state": "parcel"}, request_only=True)
WELCOME = _answer(
    "Welcome",
    {
        "id": 81, "userid": "wanglei", "external_userid": "wmXiaolin", "state": "parcel", "rule": "默认欢迎语",
        "text": "您好,我是王磊。", "outcome": "sent", "reason": None, "errcode": 0, "attempts": 1,
        "happened_at": "2026-11-20T10:00:00+08:00", "received_at": "2026-11-20T10:00:00.210+08:00",
        "accepted_at": "2026-11-20T10:00:00.690+08:00", "latency_ms": 690,
    },
)  # fmt: skip
_BROADCAST = {
    "id": 12, "name": "双11预告", "to": "customers", "content": {"text": "今晚八点开抢", "attachments": []},
    "state": "running", "stop_reason": None, "created_by": "limei", "created_at": "2026-11-10T09:30:00+08:00",
    "approved_by": "chenjie", "approved_at": "2026-11-10T09:40:00+08:00", "create_at": "2026-11-10T10:00:00+08:00",
    "confirm_by": "2026-11-10T13:00:00+08:00", "finished_at": None, "excluded": {"half": 3, "receive_rule": 14},
    "deliveries_planned": 1200, "deliveries_sent": 760, "deliveries_not_friend": 4, "deliveries_over_quota": 6,
    "deliveries_refused": 0, "deliveries_unconfirmed": 0, "deliveries_cancelled": 0, "deliveries_unknown": 0,
    "deliveries_open": 430, "delivery_rate": 0.6333333333333333, "group_reach": 760, "tasks": 3, "tasks_created": 3,
    "tasks_confirmed": 2, "confirm_rate": 0.6666666666666666, "on_time_rate": 0.6666666666666666,
    "confirmations_per_staff": 1.0,
}  # fmt: skip
BROADCAST = _answer("Broadcast", _BROADCAST)
ONE_BROADCAST = _answer(
    "Broadcast",
    {
        **_BROADCAST,
        "plan": {
            "planned": 1200, "excluded": {"half": 3, "receive_rule": 14}, "dispatches": 3,
            "taps": {"wanglei": 1, "zhaomin": 2},
        },
    },
)  # fmt: skip
NEW_BROADCAST = OpenApiExample(
    "New broadcast",
    value={
        "name": "双11预告", "audience": {"external_userids": ["wmXiaolin"]},
        "content": {
            "text": "今晚八点开抢",
            "attachments": [{"msgtype": "link", "link": {"title": "会场", "url": "https://h5.example.com/1111"}}],
        },
        "create_at": "2026-11-10T10:00:00+08:00", "confirm_by": "2026-11-10T13:00:00+08:00",
    },
    request_only=True,
)  # fmt: skip
DELIVERY = _answer(
    "Delivery",
    {
        "external_userid": "wmXiaolin", "chat_id": None, "userid": "wanglei", "state": "sent", "reason": None,
        "msgid": "msgGCAAAXtWyujaWJHDDGi0mAAAA", "sent_at": "2026-11-10T10:12:31+08:00",
    },
)  # fmt: skip
CALLBACK = _answer(
    "Callback",
    {
        "id": 4711, "received_at": "2026-11-20T10:00:00.210+08:00", "happened_at": "2026-11-20T10:00:00+08:00",
        "event": "change_external_contact", "change_type": "add_external_contact", "entity": "contact:wmXiaolin",
        "repeats": 0, "state": "done", "attempts": 0, "error": None,
    },
)  # fmt: skip
POINT = _answer(
    "One day",
    {
        "key": "2026-11-20", "label": "2026-11-20", "value": 0.625, "numerator": 5, "denominator": 8,
        "null_reason": None, "estimated": False, "estimated_rows": 0,
    },
)  # fmt: skip
FUNNEL = OpenApiExample(
    "By channel",
    value={
        "steps": ["added", "welcomed", "joined", "stayed_7d"], "from": "2026-11-01", "to": "2026-11-21",
        "window_days": 7, "breakdown": "channel",
    },
    request_only=True,
)  # fmt: skip
STEP = _answer(
    "A step",
    {
        "key": "parcel", "label": "包裹卡", "step": "joined", "customers": 610, "rate": 0.61,
        "rate_from_previous": 0.64, "base": 953, "waiting": 40, "median_seconds": 310.0,
    },
)  # fmt: skip
