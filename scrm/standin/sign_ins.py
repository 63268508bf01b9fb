"""Codes of people who signed in through the platform's pages: one use, five minutes (wecom-api.md §4.2)."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import Refusal

if TYPE_CHECKING:
    from .world import World


@dataclass(slots=True)
class SignIn:
    """Who got a code: a member, a customer, or somebody whom only an openid names. `expires` is monotonic."""

    expires: float
    agent_id: int  # 0: any app of the corp
    private: bool  # asked for with snsapi_privateinfo
    userid: str = ""
    external_userid: str = ""
    openid: str = ""
    used: bool = False


class SignIns:
    """Codes given out."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._codes: dict[str, SignIn] = {}

    def issue(self, person: str, *, agent_id: int = 0, private: bool = False) -> str:
        """A code for a member's userid, a customer's external_userid, or anybody else by any name."""
        member = self._world.book.staff.get(person)
        customer = self._world.contacts.customers.get(person)
        signed_in = SignIn(time.monotonic() + self._world.settings.sign_in_life, agent_id, private)
        if member is not None and member.status == 1:
            signed_in.userid = person
        else:
            signed_in.openid = "o" + hashlib.sha256(person.encode()).hexdigest()[:27]
            signed_in.external_userid = person if customer is not None and customer.follows else ""
        code = self._world.new_id("", 43)
        self._codes[code] = signed_in
        return code

    def redeem(self, code: str, agent_id: int) -> SignIn:
        """Use a code up: 40029 unknown or another app's, 42022 used before, 42003 too old."""
        signed_in = self._codes.get(code)
        if signed_in is None or signed_in.agent_id not in (0, agent_id):
            raise Refusal(40029)
        if signed_in.used:
            raise Refusal(42022)
        signed_in.used = True
        if time.monotonic() >= signed_in.expires:
            raise Refusal(42003)
        return signed_in
