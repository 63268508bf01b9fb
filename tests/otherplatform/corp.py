"""The truth: a company, its customers and chats, and what people do in them.

Every deed changes the truth and queues the callback that tells of it
(`told=False`: the platform lost it). Nothing is ever forgotten here: follows
and stays are periods, with when and how they ended.
"""

import copy
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.otherplatform.quirks import Quirks

WELCOME_SECONDS = 20


@dataclass
class Member:
    userid: str
    name: str
    departments: list[int] = field(default_factory=lambda: [1])
    status: int = 1
    in_address_book: bool = True
    serves_customers: bool = True


@dataclass
class Customer:
    external_userid: str
    name: str
    type: int = 1
    gender: int = 0
    unionid: str = ""


@dataclass
class Follow:
    """One period in which a member and a customer are contacts."""

    userid: str
    external_userid: str
    since: int
    add_way: int = 1
    state: str = ""
    half: bool = False
    remark: str = ""
    description: str = ""
    tag_ids: list[str] = field(default_factory=list)
    personal_tags: list[str] = field(default_factory=list)
    until: int | None = None
    ended_by: str = ""
    """staff, customer or transfer."""
    created: int = 0
    """The createtime that reads show; a re-add may keep that of the first period."""

    @property
    def is_open(self) -> bool:
        return self.until is None

    @property
    def is_listed(self) -> bool:
        """Who was deleted by the customer keeps them in list and detail (platform.md 17)."""
        return self.is_open or self.ended_by == "customer"


@dataclass
class Stay:
    """One period in which someone, member or not, sits in a chat."""

    chat_id: str
    id: str
    since: int
    type: int = 2
    join_scene: int = 3
    invitor: str = ""
    name: str = ""
    state: str = ""
    unionid: str = ""
    until: int | None = None
    quit_scene: int | None = None


@dataclass
class Chat:
    chat_id: str
    name: str
    owner: str
    created: int
    notice: str = ""
    admins: list[str] = field(default_factory=list)
    status: int = 0
    dismissed: int | None = None
    version: str = ""


@dataclass
class Tag:
    id: str
    name: str
    group_id: str
    order: int = 0
    own: bool = False
    """Made by the app through the API: only those may it edit and delete."""


@dataclass
class State:
    """Everything that a reading shows; copied whole when readings lag behind."""

    departments: dict[int, tuple[str, int]] = field(default_factory=lambda: {1: ("总部", 0)})
    members: dict[str, Member] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)
    follows: list[Follow] = field(default_factory=list)
    chats: dict[str, Chat] = field(default_factory=dict)
    stays: list[Stay] = field(default_factory=list)
    tag_groups: dict[str, str] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)

    def listed(self, userid: str = "", external_userid: str = "") -> list[Follow]:
        """The newest listed follow of each pair, oldest first."""
        newest = {
            (each.userid, each.external_userid): each
            for each in self.follows
            if userid in ("", each.userid) and external_userid in ("", each.external_userid)
        }
        return [each for each in newest.values() if each.is_listed]

    def present(self, chat_id: str) -> list[Stay]:
        return [each for each in self.stays if each.chat_id == chat_id and each.until is None]


@dataclass
class Welcome:
    userid: str
    external_userid: str
    issued: float
    sent: dict[str, Any] | None = None


@dataclass
class Event:
    """A callback to deliver: its elements in order. A list becomes one Item each."""

    name: str
    at: int
    fields: dict[str, Any]


class Corp:
    def __init__(self, corp_id: str, quirks: Quirks | None = None, clock: Callable[[], float] = time.time) -> None:
        self.corp_id = corp_id
        self.quirks = quirks or Quirks()
        self.clock = clock
        self.truth = State()
        self.events: list[Event] = []
        self.welcomes: dict[str, Welcome] = {}
        self.numbers = itertools.count(1)
        self._before: State | None = None
        self._late_reads = 0
        self._late_until = 0.0

    def now(self) -> int:
        return int(self.clock())

    def seen(self) -> State:
        """The state that a reading shows now: the truth, or, for a while, what was before."""
        if self._before is not None:
            if self._late_reads > 0:
                self._late_reads -= 1
                return self._before
            if self.clock() < self._late_until:
                return self._before
            self._before = None
        return self.truth

    def settle(self) -> None:
        """Readings have caught up."""
        self._before = None

    @contextmanager
    def _deed(self) -> Iterator[State]:
        before = copy.deepcopy(self.truth)
        yield self.truth
        if self.quirks.late_reads or self.quirks.late_seconds:
            self._before = before
            self._late_reads = self.quirks.late_reads
            self._late_until = self.clock() + self.quirks.late_seconds

    def _tell(self, name: str, told: bool, **fields: object) -> None:
        given = {key: value for key, value in fields.items() if value not in (None, "")}
        if told:
            self.events.append(Event(name, self.now(), given))

    # The company.

    def department(self, number: int, name: str, parent: int = 1) -> None:
        self.truth.departments[number] = (name, parent)

    def hire(self, userid: str, name: str, **details: Any) -> Member:
        member = Member(userid, name, **details)
        self.truth.members[userid] = member
        return member

    def rename_userid(self, old: str, new: str, told: bool = True) -> None:
        """Someone's account gets another id, everywhere (platform.md 25)."""
        with self._deed() as truth:
            truth.members = {new if key == old else key: each for key, each in truth.members.items()}
            truth.members[new].userid = new
            for follow in truth.follows:
                follow.userid = new if follow.userid == old else follow.userid
            for chat in truth.chats.values():
                chat.owner = new if chat.owner == old else chat.owner
                chat.admins = [new if each == old else each for each in chat.admins]
            for stay in truth.stays:
                stay.id = new if stay.id == old else stay.id
                stay.invitor = new if stay.invitor == old else stay.invitor
        self._tell("change_contact", told, ChangeType="update_user", UserID=old, NewUserID=new)

    def tag(self, tag_id: str, name: str, group_id: str, group_name: str, order: int = 0) -> None:
        self.truth.tag_groups[group_id] = group_name
        self.truth.tags[tag_id] = Tag(tag_id, name, group_id, order)

    # Customers.

    def customer(self, external_userid: str, name: str, **details: Any) -> Customer:
        customer = Customer(external_userid, name, **details)
        self.truth.customers[external_userid] = customer
        return customer

    def befriend(
        self,
        userid: str,
        external_userid: str,
        *,
        told: bool = True,
        keeps_created: bool = False,
        **details: Any,
    ) -> str:
        """Member and customer become contacts, by half with half=True. Returns the welcome code."""
        with self._deed() as truth:
            earlier = [each.created for each in truth.listed(userid, external_userid)]
            follow = Follow(userid, external_userid, self.now(), **details)
            follow.created = earlier[0] if keeps_created and earlier else follow.since
            truth.follows.append(follow)
        code = self._welcome_code(userid, external_userid)
        self._tell(
            "change_external_contact",
            told,
            ChangeType="add_half_external_contact" if follow.half else "add_external_contact",
            UserID=userid,
            ExternalUserID=external_userid,
            State=follow.state,
            WelcomeCode=code,
        )
        return code

    def confirm_half(self, userid: str, external_userid: str, told: bool = True) -> None:
        """The member confirms a half friend: the full add, without a code if one was given."""
        with self._deed():
            follow = self._open_follow(userid, external_userid)
            follow.half = False
        self._tell(
            "change_external_contact",
            told,
            ChangeType="add_external_contact",
            UserID=userid,
            ExternalUserID=external_userid,
            State=follow.state,
        )

    def staff_deletes(self, userid: str, external_userid: str, told: bool = True) -> None:
        self._end_follow(userid, external_userid, "staff")
        self._tell(
            "change_external_contact",
            told,
            ChangeType="del_external_contact",
            UserID=userid,
            ExternalUserID=external_userid,
        )

    def customer_deletes(self, userid: str, external_userid: str, told: bool = True) -> None:
        self._end_follow(userid, external_userid, "customer")
        self._tell(
            "change_external_contact",
            told,
            ChangeType="del_follow_user",
            UserID=userid,
            ExternalUserID=external_userid,
        )

    def edit(self, userid: str, external_userid: str, told: bool = True, **changes: object) -> None:
        """The member edits remark, description or tags; the callback does not say which."""
        with self._deed():
            follow = self._open_follow(userid, external_userid)
            for name, value in changes.items():
                setattr(follow, name, value)
        self._tell(
            "change_external_contact",
            told,
            ChangeType="edit_external_contact",
            UserID=userid,
            ExternalUserID=external_userid,
        )

    def hand_over(self, external_userid: str, old: str, new: str, told: bool = True) -> None:
        """A transfer comes into effect: the heir's add, then the old member's delete."""
        befriended = any(each.is_open for each in self.truth.listed(new, external_userid))
        if not befriended:
            with self._deed() as truth:
                now = self.now()
                truth.follows.append(Follow(new, external_userid, now, add_way=202, created=now))
            self._tell(
                "change_external_contact",
                told,
                ChangeType="add_external_contact",
                UserID=new,
                ExternalUserID=external_userid,
            )
        self._end_follow(old, external_userid, "transfer")
        self._tell(
            "change_external_contact",
            told,
            ChangeType="del_external_contact",
            UserID=old,
            ExternalUserID=external_userid,
            Source="DELETE_BY_TRANSFER",
        )

    def refuse_hand_over(self, external_userid: str, heir: str) -> None:
        self._tell(
            "change_external_contact",
            True,
            ChangeType="transfer_fail",
            FailReason="customer_refused",
            UserID=heir,
            ExternalUserID=external_userid,
        )

    def _welcome_code(self, userid: str, external_userid: str) -> str:
        if not self.quirks.codes_given:
            return ""
        code = f"CODE-{next(self.numbers)}"
        self.welcomes[code] = Welcome(userid, external_userid, self.clock())
        return code

    def _open_follow(self, userid: str, external_userid: str) -> Follow:
        [follow] = [each for each in self.truth.listed(userid, external_userid) if each.is_open]
        return follow

    def _end_follow(self, userid: str, external_userid: str, by: str) -> None:
        with self._deed():
            follow = self._open_follow(userid, external_userid)
            follow.until, follow.ended_by = self.now(), by

    # Chats.

    def chat(self, chat_id: str, name: str, owner: str, told: bool = True) -> Chat:
        """A chat is made; its owner sits in it."""
        with self._deed() as truth:
            chat = truth.chats[chat_id] = Chat(chat_id, name, owner, self.now())
            chat.version = self._new_version()
            truth.stays.append(Stay(chat_id, owner, self.now(), type=1, join_scene=1, name=self._name(owner)))
        self._tell("change_external_chat", told, ChangeType="create", ChatId=chat_id)
        return chat

    def join(self, chat_id: str, *ids: str, told: bool = True, **details: Any) -> None:
        """People come in: members by userid, others by external_userid."""
        with self._members_change(chat_id, told, "add_member", list(ids), details) as truth:
            for each in ids:
                known = {"type": 1 if each in truth.members else 2, "name": self._name(each)}
                if each in truth.customers:
                    known["unionid"] = truth.customers[each].unionid
                stay = Stay(chat_id, each, self.now(), **{**known, **details})
                truth.stays.append(stay)

    def leave(self, chat_id: str, *ids: str, removed: bool = False, told: bool = True) -> None:
        scene = int(removed)
        with self._members_change(chat_id, told, "del_member", list(ids), {"quit_scene": scene}) as truth:
            for stay in truth.present(chat_id):
                if stay.id in ids:
                    stay.until, stay.quit_scene = self.now(), scene

    def alter(self, chat_id: str, told: bool = True, **changes: object) -> None:
        """Name, notice, owner or admins of a chat change; of admins no callback tells."""
        with self._deed() as truth:
            for name, value in changes.items():
                setattr(truth.chats[chat_id], name, value)
        for name in changes:
            if name in ("name", "notice", "owner"):
                detail = self.quirks.detail_told or f"change_{name}"
                self._tell(
                    "change_external_chat",
                    told,
                    ChatId=chat_id,
                    ChangeType="update",
                    UpdateDetail=detail,
                )

    def dismiss(self, chat_id: str, told: bool = True) -> None:
        with self._deed() as truth:
            truth.chats[chat_id].dismissed = self.now()
            for stay in truth.present(chat_id):
                stay.until = self.now()
        self._tell("change_external_chat", told, ChangeType="dismiss", ChatId=chat_id)

    @contextmanager
    def _members_change(
        self, chat_id: str, told: bool, detail: str, ids: list[str], details: dict[str, Any]
    ) -> Iterator[State]:
        chat = self.truth.chats[chat_id]
        last = chat.version
        with self._deed() as truth:
            yield truth
            chat.version = self._new_version()
        # The event's join scene is coarser than the reading's: by code, or invited.
        joined = 3 if details.get("join_scene", 3) == 3 else 0
        adding = detail == "add_member"
        self._tell(
            "change_external_chat",
            told,
            ChatId=chat_id,
            ChangeType="update",
            UpdateDetail=self.quirks.detail_told or detail,
            JoinScene=joined if adding else None,
            QuitScene=None if adding else details["quit_scene"],
            MemChangeCnt=len(ids),
            MemChangeList=ids if self.quirks.member_ids_told else None,
            LastMemVer=last if self.quirks.versions_told else None,
            CurMemVer=chat.version if self.quirks.versions_told else None,
        )

    def _new_version(self) -> str:
        return f"{next(self.numbers) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}"

    def _name(self, person_id: str) -> str:
        person = self.truth.members.get(person_id) or self.truth.customers.get(person_id)
        return person.name if person else ""
