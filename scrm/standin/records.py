"""What the world is made of. Small on purpose: a corp of 300,000 customers must fit in one GB."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .events import Fields


class Change(NamedTuple):
    """What an action did: its answer and the event that tells of it (None: the platform tells nobody)."""

    result: dict[str, Any]
    event: Fields | None = None
    at: int | None = None  # CreateTime, domain seconds; None: now
    also: Fields | None = None  # a second event of the same act


class Department(NamedTuple):
    """A node of the corp's tree; the root has id 1 and parent 0."""

    id: int
    name: str
    parentid: int
    order: int


@dataclass(slots=True)
class Staff:
    """A member of the corp. `people` names every customer ever befriended, in that order, for paging."""

    userid: str
    name: str
    departments: tuple[int, ...] = (1,)
    position: str = ""
    status: int = 1  # 1 active, 2 disabled, 4 not activated, 5 left
    follows: bool = True  # has the customer-contact function
    capacity: int = 20_000  # platform.md 23
    full: bool = False  # forced full by a test
    native_welcome: bool = False  # the admin set a welcome of the platform's own: no code comes
    people: list[str] = field(default_factory=list)
    friends: int = 0  # relations that take room, one-way ones included


class Follow(NamedTuple):
    """One staff member's relation with one customer."""

    userid: str
    createtime: int
    add_way: int = 0
    state: str = ""
    remark: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    mobiles: tuple[str, ...] = ()
    company: str = ""
    half: bool = False
    one_way: bool = False  # the customer deleted the staff member; stays listed for ever, platform.md 17


@dataclass(slots=True)
class Customer:
    """An external person: a customer while `follows` is not empty, else a stranger or a former one."""

    external_userid: str
    name: str
    type: int = 1  # 1 WeChat user, 2 WeCom user
    gender: int = 0
    avatar: str = ""  # apps made after 2022-06-20 get none (wecom-api.md §4.1)
    unionid: str = ""
    follows: tuple[Follow, ...] = ()


class Member(NamedTuple):
    """A person in a customer group."""

    member_id: str
    type: int  # 1 staff, 2 external
    join_time: int
    join_scene: int  # 1 invited, 2 by invite link, 3 scanned the group's code
    state: str = ""
    invitor: str = ""
    nickname: str = ""


class ChatView(NamedTuple):
    """A customer group at one moment."""

    chat_id: str
    name: str
    owner: str
    create_time: int
    notice: str
    admins: tuple[str, ...]
    members: dict[str, Member]  # never changed in place once shared; copied on write
    version: str
    dismissed: bool = False


class Tag(NamedTuple):
    """A corp tag. `app` is the agent id of the app that made it, 0 for the console."""

    id: str
    name: str
    order: int
    create_time: int
    app: int = 0


class TagGroup(NamedTuple):
    """A group of corp tags."""

    id: str
    name: str
    order: int
    create_time: int
    tags: tuple[Tag, ...]
    app: int = 0


@dataclass(slots=True)
class ContactWay:
    """A 渠道活码: people who scan it become friends of one of `users` and carry `state`."""

    config_id: str
    type: int
    scene: int
    users: tuple[str, ...]
    parties: tuple[int, ...] = ()
    state: str = ""
    remark: str = ""
    style: int = 1
    skip_verify: bool = True
    exclusive: bool = False
    app: int = 0
    turn: int = 0  # round robin


@dataclass(slots=True)
class WelcomeCode:
    """A welcome code. `expires` is monotonic; one use only."""

    code: str
    userid: str
    external_userid: str
    issued: float
    expires: float
    used: bool = False
    busy: bool = False  # another app is sending: the first call gets 41096


@dataclass(slots=True)
class Task:
    """What one member has to confirm. A status per receiver: 0 not sent, 1 sent, 2 no friend any more, 3 quota."""

    userid: str
    receivers: list[str]  # external_userids, or chat ids
    statuses: bytearray
    number: int  # the member's tasks until now, this one included
    confirmed_at: int | None = None  # domain seconds
    readable: float = 0.0  # real unix seconds from which reads see the statuses
    reluctant: bool = False  # confirms only when reminded, if at all

    def counts(self) -> dict[str, int]:
        """Receivers by what became of them."""
        names = ("waiting", "sent", "lost", "refused")
        return {name: self.statuses.count(status) for status, name in enumerate(names)}


@dataclass(slots=True)
class Broadcast:
    """A 群发. Made through the API it has a task per member who must confirm; a private one is confirmed already."""

    msgid: str
    chat_type: str  # single | group
    created_at: int  # domain seconds
    text: str
    attachments: list[dict[str, Any]]
    creator: str = ""  # who sent it privately; "" through the API
    ready: float = 0.0  # real unix seconds until which it is being dispatched: 41063
    tasks: dict[str, Task] = field(default_factory=dict)  # by userid
    reminders: list[int] = field(default_factory=list)  # domain seconds
    cancelled_at: int | None = None
