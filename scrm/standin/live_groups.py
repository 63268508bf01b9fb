"""What live people do in chats: they join where there is room, leave, come back; owners rename and write notices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .chats import SCAN_CAP
from .records import ChatView
from .scenarios.people import REJOIN_SHARE

if TYPE_CHECKING:
    from .behaviour import LivePeople
    from .server import StandIn

FULL = 196  # a new room comes before the code stops admitting
SOON = 0.2  # of those who come back, so many do within ten minutes
NOTICES = (
    "今晚20点限时好物,记得来看~",
    "本周会员日全场满199减50,群内专享!",
    "新品试用名额已开放,找福利官领取。",
    "群规提醒:不发广告,文明聊天。",
)


class GroupLife:
    """Chats of the live scenario."""

    def __init__(self, standin: StandIn, people: LivePeople) -> None:
        self._standin = standin
        self._world = standin.world
        self._people = people
        self._current: dict[str, str] = {}

    def join(self, owner: str, person: str) -> None:
        """A welcomed customer joins the owner's chat that has room; strangers come along."""
        chat = self._room(owner)
        if chat is None or person in chat.members:
            return
        rng, settings = self._people.rng, self._world.settings
        odds = self._people.profile.strangers / (1 - self._people.profile.strangers)
        friend = rng.random() < odds
        members = [person]
        if friend and rng.random() < settings.merged_joins:
            members.append(self._standin.act("create_person")["external_userid"])
        elif friend:
            self._people.after(rng.random() * 1800, lambda: self._stranger(chat.chat_id))
        self._do_join(chat, members, scene=3)

    def somebody_leaves(self) -> None:
        """A random person of a random chat goes."""
        chat = self._random_chat()
        if chat is not None:
            self.leave(chat)

    def leave(self, chat: ChatView) -> None:
        """A random person of a chat goes; sometimes the owner removes a stranger."""
        outside = [item for item in chat.members.values() if item.type == 2]
        if not outside:
            return
        rng = self._people.rng
        person = rng.choice(outside).member_id
        stranger = not self._world.contacts.customers[person].follows
        kicked = stranger and rng.random() < 0.15
        self._standin.act("kick" if kicked else "leave", chat_id=chat.chat_id, members=[person], **self._form())
        self._people.tell(f"{self._people.name(person)} {'被移出' if kicked else '退出'}「{chat.name}」")
        if not kicked:
            self._people.delete_soon(person)
        if not kicked and rng.random() < REJOIN_SHARE:
            delay = 60 + rng.random() * (540 if rng.random() < SOON else 20 * 86_400)
            self._people.after(delay, lambda: self._come_back(chat.chat_id, person))

    def owner_works(self) -> None:
        """A notice, now and then another name."""
        chat, rng = self._random_chat(), self._people.rng
        if chat is None:
            return
        if rng.random() < 0.8:
            self._standin.act("change_notice", chat_id=chat.chat_id, notice=rng.choice(NOTICES))
            self._people.tell(f"「{chat.name}」换了群公告")
        else:
            name = chat.name.split("·")[0] + rng.choice(("·会员日", "·新品季", "·周末场"))
            self._standin.act("rename_chat", chat_id=chat.chat_id, name=name)
            self._people.tell(f"「{chat.name}」改名为「{name}」")

    # -- inside ------------------------------------------------------------------------------------

    def _room(self, owner: str) -> ChatView | None:
        """The owner's chat that fills; a new one when it is (nearly) full."""
        chats = self._world.chats.chats
        current = chats.get(self._current.get(owner, ""))
        if current is None or current.dismissed or len(current.members) >= FULL:
            own = [chat for chat in chats.values() if chat.owner == owner and not chat.dismissed]
            free = [chat for chat in own if len(chat.members) < FULL]
            current = free[-1] if free else self._open(owner)
            self._current[owner] = current.chat_id
        return current

    def _open(self, owner: str) -> ChatView:
        number = len(self._world.chats.chats) + 1
        name = self._people.profile.chat_name.format(n=number)
        made = self._standin.act("create_chat", owner=owner, name=name)
        self._people.tell(f"{self._world.book.staff[owner].name} 新建了「{name}」")
        return self._world.chats.chats[made["chat_id"]]

    def _do_join(self, chat: ChatView, members: list[str], scene: int, invitor: str = "") -> None:
        rng = self._people.rng
        if rng.random() < self._world.settings.unnamed_change:
            outside = [item.member_id for item in chat.members.values() if item.type == 2]
            gone = [rng.choice(outside)] if outside else []
            self._standin.act("swap", chat_id=chat.chat_id, joins=members, leaves=gone)
        else:
            joined = self._standin.act(
                "join", chat_id=chat.chat_id, members=members, scene=scene, invitor=invitor, **self._form()
            )
            members = joined["members"]
        for person in members:
            self._people.tell(f"{self._people.name(person)} 进了「{chat.name}」")

    def _stranger(self, chat_id: str) -> None:
        rng = self._people.rng
        chat = self._world.chats.get(chat_id)
        scene = rng.choices((3, 2, 1), (0.62, 0.2, 0.18))[0]
        person = self._standin.act("create_person")["external_userid"]
        if len(chat.members) < SCAN_CAP:
            self._do_join(chat, [person], scene, chat.owner if scene == 1 else "")

    def _come_back(self, chat_id: str, person: str) -> None:
        chat = self._world.chats.get(chat_id)
        if person not in chat.members and len(chat.members) < SCAN_CAP:
            self._do_join(chat, [person], scene=3)

    def _random_chat(self) -> ChatView | None:
        chats = [chat for chat in self._world.chats.chats.values() if not chat.dismissed]
        return self._people.rng.choice(chats) if chats else None

    def _form(self) -> dict[str, Any]:
        """Now and then the old form of a chat event, without versions and names."""
        old = self._people.rng.random() < self._world.settings.old_form
        return {"versions": False, "named": False} if old else {}
