"""What the platform tells us, as small frozen dataclasses: raw dicts stop here.

Every `from_wecom` tolerates missing and unknown fields and leaves the platform's integers as they are, also unknown
ones (wecom-api.md §4.1, §5, §6, §9). Times are aware (UTC); `None` where the platform gives none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

Raw = Mapping[str, Any]

LONGEST_KEY = 64  # bytes of a platform id (wecom-api.md §0); what is longer is none
PERSONAL_TAG = 2  # `type` of a tag that a staff member made alone; it has no id (wecom-api.md §5.2)


def text(raw: Raw, name: str) -> str:
    """The field as text that a database can keep; "" when absent, null or of another shape."""
    return _plain(raw.get(name))


def _plain(value: Any) -> str:
    """Numbers as text too. NUL and halves of surrogate pairs, which JSON can carry, become U+FFFD."""
    if not isinstance(value, str):
        return str(value) if isinstance(value, int | float) else ""
    plain = value.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return plain if plain.isascii() else plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def key(raw: Raw, name: str) -> str:
    """The field as an id; "" for what can be none."""
    found = text(raw, name)
    return found if len(found) <= LONGEST_KEY else ""


def number(raw: Raw, name: str, default: int = 0, *, bits: int = 63) -> int:
    """The field as an integer of so many bits and a sign; `default` when absent or none (the platform writes some numbers
    as text)."""
    try:
        found = int(raw[name])
    except (KeyError, TypeError, ValueError, OverflowError):
        return default
    return found if abs(found) < 1 << bits else default


def code(raw: Raw, name: str) -> int:
    """A small number that stands for something, such as a status; 0 when absent or none."""
    return number(raw, name, bits=31)


def moment(raw: Raw, name: str) -> datetime | None:
    """A field of unix seconds; None when absent, zero or out of range."""
    seconds = number(raw, name)
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (OverflowError, OSError, ValueError):
        return None


def items(raw: Raw, name: str) -> list[Any]:
    """A list field; [] when absent or of another shape."""
    value = raw.get(name)
    return value if isinstance(value, list) else []


def objects(raw: Raw, name: str) -> Iterable[Raw]:
    """The objects of a list field."""
    return (item for item in items(raw, name) if isinstance(item, Mapping))


def inner(raw: Raw, name: str) -> Raw:
    """An object field; {} when absent or of another shape."""
    value = raw.get(name)
    return value if isinstance(value, Mapping) else {}


def words(raw: Raw, name: str) -> tuple[str, ...]:
    """A list of words; empty ones and what is none are dropped."""
    return tuple(word for word in map(_plain, items(raw, name)) if word)


def keys(raw: Raw, name: str) -> tuple[str, ...]:
    """A list of ids; what can be none is dropped."""
    return tuple(word for word in words(raw, name) if len(word) <= LONGEST_KEY)


def integers(raw: Raw, name: str) -> tuple[int, ...]:
    """A list of integers; what is none is dropped."""
    found = (number({name: item}, name, -1) for item in items(raw, name))
    return tuple(item for item in found if item >= 0)


@dataclass(frozen=True, slots=True)
class DepartmentInfo:
    """One department of `department/list`. The root's `parent_id` is 0."""

    id: int
    name: str
    parent_id: int
    order: int

    @classmethod
    def from_wecom(cls, raw: Raw) -> Self:
        return cls(number(raw, "id"), text(raw, "name"), number(raw, "parentid"), number(raw, "order"))


@dataclass(frozen=True, slots=True)
class StaffInfo:
    """One member of the address book. `status`: 1 active, 2 disabled, 4 not activated, 5 left; 0 = not told.

    Apps made after 2022-06-20 get no avatar (wecom-api.md §4.1): then "".
    """

    userid: str
    name: str
    departments: tuple[int, ...]
    main_department: int | None
    position: str
    status: int
    alias: str
    avatar: str

    @classmethod
    def from_wecom(cls, raw: Raw) -> Self:
        return cls(
            userid=key(raw, "userid"),
            name=text(raw, "name"),
            departments=integers(raw, "department"),
            main_department=number(raw, "main_department") or None,
            position=text(raw, "position"),
            status=code(raw, "status"),
            alias=text(raw, "alias"),
            avatar=text(raw, "avatar"),
        )


@dataclass(frozen=True, slots=True)
class FollowInfo:
    """What one staff member's friendship with a contact looks like. `tag_ids`: corp and rule-group tags only."""

    userid: str
    remark: str
    description: str
    created_at: datetime | None
    tag_ids: tuple[str, ...]
    remark_mobiles: tuple[str, ...]
    remark_corp_name: str
    oper_userid: str
    add_way: int
    state: str

    @classmethod
    def from_wecom(cls, raw: Raw) -> Self:
        return cls(
            userid=key(raw, "userid"),
            remark=text(raw, "remark"),
            description=text(raw, "description"),
            created_at=moment(raw, "createtime"),
            tag_ids=_tag_ids(raw),
            remark_mobiles=words(raw, "remark_mobiles"),
            remark_corp_name=text(raw, "remark_corp_name"),
            oper_userid=key(raw, "oper_userid"),
            add_way=code(raw, "add_way"),
            state=text(raw, "state"),
        )


def _tag_ids(raw: Raw) -> tuple[str, ...]:
    """Tag ids of either shape: `tags[]` of a detail, `tag_id[]` of a batch row (wecom-api.md §5.2, §5.3)."""
    if "tag_id" in raw:
        return keys(raw, "tag_id")
    tags = objects(raw, "tags")
    return tuple(key(tag, "tag_id") for tag in tags if number(tag, "type") != PERSONAL_TAG and key(tag, "tag_id"))


@dataclass(frozen=True, slots=True)
class ContactDetail:
    """An external person and the follows that were told: all of them (`contacts.fetch`) or one (a batch row).

    `type`: 1 WeChat, 2 WeCom user. `gender`: 0 unknown, 1 male, 2 female. `unionid` is "" without a bound developer id.
    """

    external_userid: str
    name: str
    avatar: str
    type: int
    gender: int
    unionid: str
    position: str
    corp_name: str
    corp_full_name: str
    follows: tuple[FollowInfo, ...]

    @classmethod
    def from_wecom(cls, contact: Raw, follows: Iterable[Raw]) -> Self:
        return cls(
            external_userid=key(contact, "external_userid"),
            name=text(contact, "name"),
            avatar=text(contact, "avatar"),
            type=code(contact, "type"),
            gender=code(contact, "gender"),
            unionid=text(contact, "unionid"),
            position=text(contact, "position"),
            corp_name=text(contact, "corp_name"),
            corp_full_name=text(contact, "corp_full_name"),
            follows=tuple(FollowInfo.from_wecom(follow) for follow in follows if key(follow, "userid")),
        )


@dataclass(frozen=True, slots=True)
class ContactPage:
    """One page of `batch/get_by_user`: one `ContactDetail` with one follow per (contact, staff). "" = last page.

    `proof`: the answer names a list; without one it may be empty or cut, and who is missing proves nothing.
    """

    contacts: tuple[ContactDetail, ...]
    next_cursor: str
    proof: bool = True


@dataclass(frozen=True, slots=True)
class TagInfo:
    """One corp tag. Larger `order` comes first."""

    tag_id: str
    name: str
    order: int
    created_at: datetime | None
    deleted: bool

    @classmethod
    def from_wecom(cls, raw: Raw) -> Self:
        return cls(
            key(raw, "id"),
            text(raw, "name"),
            number(raw, "order"),
            moment(raw, "create_time"),
            bool(raw.get("deleted")),
        )


@dataclass(frozen=True, slots=True)
class TagGroupInfo:
    """One group of corp tags with its tags."""

    group_id: str
    name: str
    order: int
    created_at: datetime | None
    deleted: bool
    tags: tuple[TagInfo, ...]

    @classmethod
    def from_wecom(cls, raw: Raw) -> Self:
        return cls(
            group_id=key(raw, "group_id"),
            name=text(raw, "group_name"),
            order=number(raw, "order"),
            created_at=moment(raw, "create_time"),
            deleted=bool(raw.get("deleted")),
            tags=tuple(TagInfo.from_wecom(tag) for tag in objects(raw, "tag") if key(tag, "id")),
        )


@dataclass(frozen=True, slots=True)
class MemberInfo:
    """Somebody in a chat. `type`: 1 staff, 2 external. `join_scene`: 1 invited, 2 link, 3 QR code. `invited_by`: userid
    of the staff member who invited, "" otherwise (platform.md 12). `nickname` is the one used in this chat."""

    member_id: str
    type: int
    unionid: str
    joined_at: datetime | None
    join_scene: int
    invited_by: str
    state: str
    nickname: str
    name: str

    @classmethod
    def from_wecom(cls, raw: Raw) -> Self:
        return cls(
            member_id=key(raw, "userid"),
            type=code(raw, "type"),
            unionid=text(raw, "unionid"),
            joined_at=moment(raw, "join_time"),
            join_scene=code(raw, "join_scene"),
            invited_by=key(inner(raw, "invitor"), "userid"),
            state=text(raw, "state"),
            nickname=text(raw, "group_nickname"),
            name=text(raw, "name"),
        )


@dataclass(frozen=True, slots=True)
class GroupChatDetail:
    """A customer group with its members. `member_version` equals `CurMemVer` of the event that made this list."""

    chat_id: str
    name: str
    owner: str
    created_at: datetime | None
    notice: str
    member_version: str
    members: tuple[MemberInfo, ...]
    admins: tuple[str, ...]

    @classmethod
    def from_wecom(cls, raw: Raw) -> Self:
        return cls(
            chat_id=key(raw, "chat_id"),
            name=text(raw, "name"),
            owner=key(raw, "owner"),
            created_at=moment(raw, "create_time"),
            notice=text(raw, "notice"),
            member_version=text(raw, "member_version"),
            members=tuple(
                MemberInfo.from_wecom(member) for member in objects(raw, "member_list") if key(member, "userid")
            ),
            admins=tuple(key(admin, "userid") for admin in objects(raw, "admin_list") if key(admin, "userid")),
        )


@dataclass(frozen=True, slots=True)
class GroupChatEntry:
    """One row of the list of chats. `status`: 0 normal, 1 owner left, 2 being inherited, 3 inherited."""

    chat_id: str
    status: int

    @classmethod
    def from_wecom(cls, raw: Raw) -> Self:
        return cls(key(raw, "chat_id"), code(raw, "status"))


@dataclass(frozen=True, slots=True)
class GroupChatPage:
    """One page of the list of chats. `next_cursor` "" = last page."""

    chats: tuple[GroupChatEntry, ...]
    next_cursor: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in: a member by `userid`, else somebody by `openid`, with `external_userid` for a customer of the app's
    staff (wecom-api.md §4.2). What does not apply is ""."""

    userid: str
    external_userid: str
    openid: str

    @classmethod
    def from_wecom(cls, raw: Raw) -> Self:
        """The old path writes capitals (§4.2)."""
        return cls(
            userid=key(raw, "userid") or key(raw, "UserId"),
            external_userid=key(raw, "external_userid"),
            openid=text(raw, "openid") or text(raw, "OpenId"),
        )


@dataclass(frozen=True, slots=True)
class AppMessage:
    """An app message that the platform has accepted. It did not reach `refused` (gone, inactive, out of the app's range)
    nor `unlicensed`; whether it dropped it for members above 30 a minute it does not say (wecom-api.md §1.3)."""

    msgid: str
    refused: tuple[str, ...]
    unlicensed: tuple[str, ...]

    @classmethod
    def from_wecom(cls, raw: Raw) -> Self:
        return cls(text(raw, "msgid"), _joined(raw, "invaliduser"), _joined(raw, "unlicenseduser"))


def _joined(raw: Raw, name: str) -> tuple[str, ...]:
    return tuple(word for word in text(raw, name).split("|") if word)


@dataclass(frozen=True, slots=True)
class MessageTask:
    """A broadcast task that the platform has accepted; `refused`: recipients it will not reach."""

    msgid: str
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """A broadcast in the platform's list. `attachments` are its raw objects."""

    msgid: str
    created_at: datetime | None
    text: str
    attachments: tuple[Raw, ...]

    @classmethod
    def from_wecom(cls, raw: Raw) -> Self:
        return cls(
            text(raw, "msgid"),
            moment(raw, "create_time"),
            text(inner(raw, "text"), "content"),
            tuple(objects(raw, "attachments")),
        )


@dataclass(frozen=True, slots=True)
class StaffTask:
    """One staff member's part in a broadcast. `status` 0: not sent; sent is 2, in one sample 1 (wecom-api.md §10.3)."""

    userid: str
    status: int
    sent_at: datetime | None

    @property
    def confirmed(self) -> bool:
        return self.status != 0

    @classmethod
    def from_wecom(cls, raw: Raw) -> Self:
        return cls(key(raw, "userid"), code(raw, "status"), moment(raw, "send_time"))


@dataclass(frozen=True, slots=True)
class MessageResult:
    """One recipient of a broadcast: an external user id or a chat id. `status`: 0 not sent, 1 sent, 2 not a friend,
    3 has received enough; other numbers are left as they are."""

    recipient: str
    status: int
    sent_at: datetime | None

    @classmethod
    def from_wecom(cls, raw: Raw) -> Self:
        recipient = key(raw, "chat_id") or key(raw, "external_userid")
        return cls(recipient, code(raw, "status"), moment(raw, "send_time"))
