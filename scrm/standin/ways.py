"""Contact ways (渠道活码): codes that bring a customer to one of several staff members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import Refusal
from .records import Change, ContactWay

if TYPE_CHECKING:
    from .world import World


class Ways:
    """Contact ways by config id."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.ways: dict[str, ContactWay] = {}

    def get(self, config_id: str) -> ContactWay:
        """41044 when no such code was made."""
        way = self.ways.get(config_id)
        if way is None:
            raise Refusal(41044)
        return way

    def by_state(self, state: str) -> ContactWay | None:
        """The code that carries `state`."""
        return next((way for way in self.ways.values() if way.state == state), None)

    def create_way(self, users: list[str], state: str = "", config_id: str | None = None, app: int = 0) -> Change:
        """A QR code for several members; in tests and scenarios it may belong to another app."""
        way = ContactWay(
            config_id or self.new_config_id(), 2 if len(users) != 1 else 1, 2, tuple(users), state=state, app=app
        )
        self.ways[way.config_id] = way
        return Change({"config_id": way.config_id, "state": state, "users": users})

    def scan(self, state: str, external_userid: str | None = None, **given: Any) -> Change:
        """Somebody scans the code with `state`: its members take turns (stand-in.md §1), unless it is exclusive."""
        way = self.by_state(state)
        if way is None:
            raise Refusal(41044)
        users = [userid for userid in way.users if userid in self._world.book.staff]
        if not users:
            return Change({"event": False, "reason": "nobody behind the code"})
        met = self._met(users, external_userid) if way.exclusive else None
        way.turn += met is None
        userid = met or users[way.turn % len(users)]
        return self._world.contacts.add(userid, external_userid, state, add_way=1, **given)

    def _met(self, users: list[str], external_userid: str | None) -> str | None:
        """Whom of these the person has as a friend already."""
        customer = self._world.contacts.customers.get(external_userid or "")
        follows = customer.follows if customer is not None else ()
        return next((follow.userid for follow in follows if follow.userid in users), None)

    def rename_staff(self, old: str, new: str) -> None:
        """A staff member has another userid."""
        for way in self.ways.values():
            way.users = tuple(new if userid == old else userid for userid in way.users)

    def new_config_id(self) -> str:
        """32 hexadecimal digits."""
        return f"{self._world.rng.getrandbits(128):032x}"
