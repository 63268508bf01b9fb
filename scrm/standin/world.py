"""The state of one corp: what is true, whatever readers may still see."""

from __future__ import annotations

import random
import string
import threading
from collections.abc import Callable

from .app_messages import AppMessages
from .book import AddressBook
from .broadcasts import Broadcasts
from .chats import Chats
from .clock import Clock
from .contacts import Contacts
from .lag import Lag
from .media import Media
from .quota import ReceiveQuota
from .records import Broadcast, Task, WelcomeCode
from .settings import CHAT_LAG, DELETE_LAG, OTHER_LAG, Quantiles, Settings
from .sign_ins import SignIns
from .tags import Tags
from .ways import Ways

ALPHABET = string.ascii_letters + string.digits


class World:
    """One corp. Every use from outside holds `lock`; the parts live in their own modules."""

    def __init__(self, *, clock: Clock, settings: Settings, seed: int = 1) -> None:
        self.clock = clock
        self.settings = settings
        self.rng = random.Random(seed)
        self._ids = random.Random()  # never the same ids twice, also not after a restart
        self.lock = threading.RLock()
        self.lag = Lag()
        self.book = AddressBook(self)
        self.contacts = Contacts(self)
        self.tags = Tags(self)
        self.chats = Chats(self)
        self.ways = Ways(self)
        self.quota = ReceiveQuota(self)
        self.app_messages = AppMessages(settings)
        self.sign_ins = SignIns(self)
        self.changes = 0  # acts and accepted writes so far
        self.media = Media(self)
        self.broadcasts = Broadcasts(self)
        self.on_welcome: Callable[[WelcomeCode], None] | None = None  # told when a welcome was accepted
        self.on_confirmed: Callable[[Broadcast, Task], None] | None = None  # told when a member confirmed

    def now(self) -> int:
        """Domain time in unix seconds."""
        return self.clock.now()

    def new_id(self, prefix: str, length: int = 32) -> str:
        """A fresh id of the platform's shape: `prefix` and letters or digits, `length` in all."""
        return prefix + "".join(self._ids.choices(ALPHABET, k=length - len(prefix)))

    def late(self, kind: str) -> float:
        """How long readers do not see a change of this kind (chat, delete, other), seconds."""
        points: Quantiles = {"chat": CHAT_LAG, "delete": DELETE_LAG}.get(kind, OTHER_LAG)
        return self.settings.seconds(self.settings.lag, points, self.rng)
