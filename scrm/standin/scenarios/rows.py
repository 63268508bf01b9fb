"""Rows of a generated history, read by the stand-in (what is true at its end) and by the demo's loader (all of it).

Times are unix seconds of domain time; an id is the platform's own. Two calls with the same arguments give equal rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class DepartmentRow(NamedTuple):
    """A department; the root has id 1 and parent 0."""

    id: int
    name: str
    parentid: int
    order: int


class StaffRow(NamedTuple):
    """A member of the corp. `follows`: has the customer-contact function. `receiving`: gets new customers now."""

    userid: str
    name: str
    departments: tuple[int, ...]
    position: str
    status: int
    follows: bool
    capacity: int
    receiving: bool


class TagRow(NamedTuple):
    """A corp tag with its group."""

    tag_id: str
    name: str
    order: int
    group_id: str
    group_name: str
    group_order: int
    created_at: int


class ChannelRow(NamedTuple):
    """A channel with its contact way (渠道活码). `share`: part of new customers that come through it."""

    state: str
    name: str
    config_id: str
    users: tuple[str, ...]
    share: float
    created_at: int


class CustomerRow(NamedTuple):
    """A person outside the corp. A `stranger` sits in a chat and was never anybody's friend."""

    external_userid: str
    name: str
    type: int  # 1 WeChat, 2 WeCom
    gender: int  # 0 unknown, 1 male, 2 female
    unionid: str  # empty for type 2
    avatar: str
    stranger: bool


class FollowRow(NamedTuple):
    """One period of friendship. `ended_by` is customer or staff; both end fields are None while it lasts.

    After an end by the customer the platform goes on listing the pair (one-way friend).
    """

    external_userid: str
    userid: str
    added_at: int
    add_way: int
    state: str  # empty: no code
    half: bool
    remark: str
    description: str
    tag_ids: tuple[str, ...]
    ended_at: int | None
    ended_by: str | None


class ChatRow(NamedTuple):
    """A customer group. `member_version` is the platform's at the end of the history."""

    chat_id: str
    name: str
    owner: str
    created_at: int
    notice: str
    admins: tuple[str, ...]
    member_version: str
    dismissed_at: int | None


class StayRow(NamedTuple):
    """One stay of a person in a chat; rows of one chat come in order of joining.

    `member_type` 1 staff, 2 outside. `join_scene` 1 invited, 2 by invite link, 3 by code. `quit_scene` 0 left,
    1 removed, None while present.
    """

    chat_id: str
    member_id: str
    member_type: int
    joined_at: int
    join_scene: int
    state: str
    invitor: str  # empty: not told
    left_at: int | None
    quit_scene: int | None


class WelcomeRow(NamedTuple):
    """What became of the welcome of one add inside the window.

    `outcome`: sent · refused (41051) · expired (41050) · no_code (a native welcome is on: there was no code).
    `latency_ms` from the callback's receipt to the platform's answer; 0 for no_code.
    """

    external_userid: str
    userid: str
    added_at: int
    state: str
    code: str
    outcome: str
    errcode: int
    latency_ms: int


class BroadcastRow(NamedTuple):
    """A broadcast of the corp. A single one is for customers of its one owner added in [`added_after`, `added_before`).

    `half`: friends of the audience who were only half added, so that nothing was sent to them.
    """

    name: str
    chat_type: str  # single | group
    text: str
    link: tuple[str, str]  # title and address
    owners: tuple[str, ...]
    added_after: int | None
    added_before: int | None
    approved_at: int
    create_at: int
    confirm_by: int
    half: tuple[str, ...]


class TaskRow(NamedTuple):
    """What one member was asked to confirm, or (`broadcast` None) broadcast without being asked.

    A status per receiver: 0 not sent, 1 sent, 2 no friend any more, 3 quota. `dropped`: planned, but lost before the task
    was created. Not confirmed by the deadline it was taken back.
    """

    broadcast: int | None  # place in History.broadcasts
    msgid: str
    chat_type: str
    userid: str
    part: int  # 0, 1, … of one member in one broadcast
    number: int  # the member's tasks until then, this one included; 0 for one of their own
    created_at: int
    reminded_at: tuple[int, ...]
    confirmed_at: int | None
    receivers: tuple[str, ...]
    statuses: bytes
    dropped: tuple[str, ...]


@dataclass(slots=True)
class History:
    """Everything of a scenario until `until`; rows inside [`since`, `until`) are complete, older ones are survivors.

    `customers` holds those with a friendship now (as many as were asked for), former ones of the window, and
    strangers. `follows` of one pair come in order of time, `tasks` in order of creation.
    """

    scenario: str
    since: int
    until: int
    seed: int
    departments: list[DepartmentRow] = field(default_factory=list)
    staff: list[StaffRow] = field(default_factory=list)
    tags: list[TagRow] = field(default_factory=list)
    channels: list[ChannelRow] = field(default_factory=list)
    customers: list[CustomerRow] = field(default_factory=list)
    follows: list[FollowRow] = field(default_factory=list)
    chats: list[ChatRow] = field(default_factory=list)
    stays: list[StayRow] = field(default_factory=list)
    welcomes: list[WelcomeRow] = field(default_factory=list)
    broadcasts: list[BroadcastRow] = field(default_factory=list)
    tasks: list[TaskRow] = field(default_factory=list)
