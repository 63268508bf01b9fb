"""Customer groups and their members; each change moves the member version (wecom-api.md §3.2, §9)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from . import events
from .errors import Refusal
from .records import Change, ChatView, Member

if TYPE_CHECKING:
    from .world import World

CAP = 500  # people in a customer group, platform.md 14
SCAN_CAP = 200  # the code stops admitting here
EVENT_SCENE = {1: 0, 2: 0, 3: 3}  # groupchat/get's join_scene → the coarser JoinScene of the event


class Chats:
    """Groups by chat id, in order of creation. A `ChatView` is a value; every change makes a new one."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.chats: dict[str, ChatView] = {}

    # -- reading ---------------------------------------------------------------------------------

    def get(self, chat_id: str) -> ChatView:
        """The group as it is: 40050 unknown, 49008 dismissed."""
        return _checked(self.chats.get(chat_id))

    def seen(self, chat_id: str) -> ChatView:
        """The group as a reader sees it now."""
        return _checked(self._world.lag.view(("chat", chat_id), self.chats.get(chat_id)))

    def seen_all(self) -> list[ChatView]:
        """Every group that a reader sees, oldest first."""
        view = self._world.lag.view
        seen = (view(("chat", chat_id), chat) for chat_id, chat in self.chats.items())
        return [chat for chat in seen if chat is not None and not chat.dismissed]

    # -- happenings ------------------------------------------------------------------------------

    def create_chat(
        self,
        owner: str,
        name: str = "",
        chat_id: str | None = None,
        members: list[str] | None = None,
        notice: str = "",
        admins: list[str] | None = None,
        at: int | None = None,
    ) -> Change:
        """A new group with its owner and, when given, members whom the owner invited."""
        self._world.book.get(owner)
        now = self._world.now() if at is None else at
        new_id = chat_id or self._world.new_id("wr")
        people = {owner: Member(owner, 1, now, 1)}
        for member_id in members or []:
            people[member_id] = self._member(member_id, now, 1, "", owner)
        version = _next_version(new_id, "create")
        self._world.lag.note(("chat", new_id), None, self._world.late("chat"))
        self.chats[new_id] = ChatView(new_id, name, owner, now, notice, tuple(admins or ()), people, version)
        fields = events.external_chat("create", ChatId=new_id)
        return Change({"chat_id": new_id, "version": version}, fields, at)

    def join(
        self,
        chat_id: str,
        members: list[str] | str | None = None,
        scene: int = 3,
        state: str = "",
        invitor: str = "",
        name: str | None = None,
        at: int | None = None,
        *,
        versions: bool = True,
        named: bool = True,
        disguise: str | None = None,
    ) -> Change:
        """People join, told by one event. None makes one new stranger, called `name` when given.

        `versions=False` leaves the versions out, `named=False` the list of members (the old forms);
        `disguise` names another change in UpdateDetail, as the platform sometimes does.
        Who is in the group already is passed over; nothing changed tells nobody.
        """
        chat = self.get(chat_id)
        people = self._people(members, name)
        new = [member_id for member_id in people if member_id not in chat.members]
        room = (SCAN_CAP if scene == 3 else CAP) - len(chat.members)
        if not new or room < len(new):
            reason = "member" if not new else "full"
            return Change({"chat_id": chat_id, "members": [], "reason": reason, "event": False})
        now = self._world.now() if at is None else at
        joined = {member_id: self._member(member_id, now, scene, state, invitor) for member_id in new}
        made = self._change(chat, "join" + ",".join(new), members={**chat.members, **joined})
        fields = _member_event(
            "add_member", chat, made, new, versions, named, disguise, JoinScene=EVENT_SCENE.get(scene, 0)
        )
        return Change({"chat_id": chat_id, "members": new, "version": made.version, "event": True}, fields, at)

    def leave(
        self,
        chat_id: str,
        members: list[str] | str,
        at: int | None = None,
        *,
        quit_scene: int = 0,
        versions: bool = True,
        named: bool = True,
        disguise: str | None = None,
    ) -> Change:
        """People leave by themselves (`quit_scene` 0) or are removed (1)."""
        chat = self.get(chat_id)
        gone = [item for item in ([members] if isinstance(members, str) else members) if item in chat.members]
        if not gone:
            return Change({"chat_id": chat_id, "members": [], "reason": "not a member", "event": False})
        left = {key: value for key, value in chat.members.items() if key not in gone}
        made = self._change(chat, "leave" + ",".join(gone), members=left)
        fields = _member_event("del_member", chat, made, gone, versions, named, disguise, QuitScene=quit_scene)
        return Change({"chat_id": chat_id, "members": gone, "version": made.version, "event": True}, fields, at)

    def kick(self, chat_id: str, members: list[str] | str, **form: Any) -> Change:
        """The owner or an admin removes people."""
        return self.leave(chat_id, members, quit_scene=1, **form)

    def swap(self, chat_id: str, joins: list[str], leaves: list[str], at: int | None = None) -> Change:
        """People join while others leave; one event tells of the joins and names nobody who left."""
        chat = self.get(chat_id)
        now = self._world.now() if at is None else at
        kept = {key: value for key, value in chat.members.items() if key not in leaves}
        new = {member_id: self._member(member_id, now, 3, "", "") for member_id in self._people(joins, None)}
        made = self._change(chat, "swap" + ",".join([*joins, *leaves]), members={**kept, **new})
        fields = _member_event("add_member", chat, made, list(new), True, True, None, JoinScene=3)
        fields["MemChangeCnt"] = len(new) + len(leaves)
        return Change({"chat_id": chat_id, "members": list(new), "version": made.version}, fields, at)

    def rename_chat(self, chat_id: str, name: str, at: int | None = None) -> Change:
        """Another name."""
        chat = self.get(chat_id)
        self._change(chat, None, name=name)
        return self._told(chat_id, "change_name", at)

    def change_notice(self, chat_id: str, notice: str, at: int | None = None) -> Change:
        """Another notice."""
        chat = self.get(chat_id)
        self._change(chat, None, notice=notice)
        return self._told(chat_id, "change_notice", at)

    def change_owner(self, chat_id: str, owner: str, at: int | None = None) -> Change:
        """Another owner, who is a member from now on."""
        chat = self.get(chat_id)
        self._world.book.get(owner)
        people = chat.members
        if owner not in people:
            people = {**people, owner: Member(owner, 1, self._world.now() if at is None else at, 1)}
        self._change(chat, "owner" + owner if people is not chat.members else None, owner=owner, members=people)
        return self._told(chat_id, "change_owner", at)

    def set_admins(self, chat_id: str, admins: list[str]) -> Change:
        """Another list of admins; the platform tells nobody."""
        self._change(self.get(chat_id), None, admins=tuple(admins))
        return Change({"chat_id": chat_id, "admins": admins})

    def dismiss_chat(self, chat_id: str, at: int | None = None) -> Change:
        """The group is dissolved."""
        chat = self.get(chat_id)
        self._change(chat, None, dismissed=True, members={})
        return Change({"chat_id": chat_id}, events.external_chat("dismiss", ChatId=chat_id), at)

    # -- inside ----------------------------------------------------------------------------------

    def rename_staff(self, old: str, new: str) -> None:
        """A staff member has another userid: owner, admins and members follow."""
        for chat in list(self.chats.values()):
            if old not in chat.members and old not in chat.admins and old != chat.owner:
                continue
            people = {
                (new if key == old else key): (member._replace(member_id=new) if key == old else member)
                for key, member in chat.members.items()
            }
            self.chats[chat.chat_id] = chat._replace(
                owner=new if chat.owner == old else chat.owner,
                admins=tuple(new if item == old else item for item in chat.admins),
                members=people,
            )

    def _people(self, members: list[str] | str | None, name: str | None) -> list[str]:
        contacts, staff = self._world.contacts, self._world.book.staff
        given: list[str | None] = list(members) if isinstance(members, list) else [members]
        people = []
        for member_id in given:
            if member_id in staff:
                people.append(str(member_id))
            else:
                people.append(contacts.create_person(member_id, name).result["external_userid"])
        return people

    def _member(self, member_id: str, at: int, scene: int, state: str, invitor: str) -> Member:
        kind = 1 if member_id in self._world.book.staff else 2
        if kind == 2:
            self._world.contacts.create_person(member_id)
        return Member(member_id, kind, at, scene, state, invitor)

    def _change(self, chat: ChatView, salt: str | None, **values: Any) -> ChatView:
        """Apply a change; `salt` moves the member version (None: it stays)."""
        version = _next_version(chat.version, salt) if salt is not None else chat.version
        self._world.lag.note(("chat", chat.chat_id), chat, self._world.late("chat"))
        made = chat._replace(version=version, **values)
        self.chats[chat.chat_id] = made
        return made

    def _told(self, chat_id: str, detail: str, at: int | None) -> Change:
        fields = events.external_chat("update", ChatId=chat_id, UpdateDetail=detail)
        return Change({"chat_id": chat_id, "version": self.chats[chat_id].version}, fields, at)


def _checked(chat: ChatView | None) -> ChatView:
    if chat is None:
        raise Refusal(40050)
    if chat.dismissed:
        raise Refusal(49008)
    return chat


def _next_version(version: str, salt: str) -> str:
    """A hash chain: the same changes in the same order give the same versions."""
    return hashlib.md5(f"{version}|{salt}".encode(), usedforsecurity=False).hexdigest()


def _member_event(
    detail: str,
    before: ChatView,
    after: ChatView,
    changed: list[str],
    versions: bool,
    named: bool,
    disguise: str | None,
    **scene: int,
) -> events.Fields:
    return events.external_chat(
        "update",
        ChatId=after.chat_id,
        UpdateDetail=disguise or detail,
        **scene,
        MemChangeCnt=len(changed),
        MemChangeList=changed if named else None,
        LastMemVer=before.version if versions else None,
        CurMemVer=after.version if versions else None,
    )
