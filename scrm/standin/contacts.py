"""Customers and their relations with staff: adding, half-adding, editing, deleting (platform.md 17–26)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from . import events
from .errors import Refusal
from .names import nickname, unionid_of
from .records import Change, Customer, Follow, Staff, WelcomeCode

if TYPE_CHECKING:
    from .world import World

FOREIGN_STATE = "wb:1:4285486"  # what a re-add may carry instead of the code's state, platform.md 19


class Contacts:
    """External people by external_userid, and the welcome codes given out."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.customers: dict[str, Customer] = {}
        self.codes: dict[str, WelcomeCode] = {}
        self.last_talk: dict[str, str] = {}  # external_userid → the member who talked last, when it was told

    # -- reading ---------------------------------------------------------------------------------

    def seen(self, external_userid: str) -> tuple[Customer, tuple[Follow, ...]]:
        """A person with the relations that a reader sees now; 40096 when nobody has this id."""
        customer = self.customers.get(external_userid)
        if customer is None:
            raise Refusal(40096)
        return customer, self.seen_follows(customer)

    def seen_follows(self, customer: Customer) -> tuple[Follow, ...]:
        """The relations that a reader sees now."""
        follows = self._world.lag.view(("customer", customer.external_userid), customer.follows)
        if self._world.settings.half_listed:
            return follows
        return tuple(follow for follow in follows if not follow.half)

    def follow(self, userid: str, external_userid: str) -> Follow:
        """The relation as it is: 84061 without one, 40096 for an unknown person."""
        found = find(self._person(external_userid).follows, userid)
        if found is None:
            raise Refusal(84061)
        return found

    def talker(self, customer: Customer) -> Follow | None:
        """The relation of the member who last talked to the customer: by an add when no talk was told."""
        told = self.last_talk.get(customer.external_userid)
        return max(
            customer.follows,
            key=lambda item: (not item.half and not item.one_way, item.userid == told, item.createtime),
            default=None,
        )

    # -- happenings ------------------------------------------------------------------------------

    def create_person(
        self,
        external_userid: str | None = None,
        name: str | None = None,
        contact_type: int = 1,
        gender: int | None = None,
        unionid: str | None = None,
    ) -> Change:
        """A person outside the corp who is nobody's friend yet."""
        world = self._world
        person_id = external_userid or world.new_id("wm")
        if person_id not in self.customers:
            sex = world.rng.choice((0, 1, 2, 2, 2)) if gender is None else gender
            self.customers[person_id] = Customer(
                person_id, name or nickname(world.rng), contact_type, sex, "",
                unionid if unionid is not None else unionid_of(person_id, contact_type),
            )  # fmt: skip
        elif name:
            self.customers[person_id].name = name
        return Change({"external_userid": person_id})

    def add(
        self,
        userid: str,
        external_userid: str | None = None,
        state: str | None = None,
        *,
        add_way: int = 1,
        half: bool = False,
        welcome: bool = True,
        at: int | None = None,
        keep_createtime: bool | None = None,
        foreign_state: bool = False,
        **person: Any,
    ) -> Change:
        """A customer and a staff member become contacts.

        A friend who scans again and a scan on a full account tell nobody: `result["event"]` is False.
        A re-add after the customer deleted keeps `createtime` when `keep_createtime`.
        """
        staff = self._world.book.get(userid)
        known = external_userid in self.customers
        person_id = self.create_person(external_userid, **person).result["external_userid"]
        customer = self.customers[person_id]
        old = find(customer.follows, userid)
        result: dict[str, Any] = {"external_userid": person_id, "userid": userid, "event": False}
        if old is not None and not old.one_way and not old.half:
            return Change({**result, "reason": "friend"})
        if old is None and (staff.full or staff.friends >= staff.capacity):
            return Change({**result, "reason": "full"})
        told = FOREIGN_STATE if foreign_state else state
        made = self._made(old, userid, at, add_way, told, half, keep_createtime)
        code = None
        if welcome and not staff.native_welcome and customer.type == 1 and not (old and old.half):
            code = self.issue_code(userid, person_id)
        self._put(customer, made, kind="other")
        if old is None:
            staff.friends += 1
            if not known or person_id not in staff.people:
                staff.people.append(person_id)
        result |= {"event": True, "welcome_code": code, "createtime": made.createtime, "state": told or ""}
        fields = events.external_contact(
            "add_half_external_contact" if half else "add_external_contact",
            UserID=userid, ExternalUserID=person_id, State=told, WelcomeCode=code,
        )  # fmt: skip
        return Change(result, fields, at)

    def half_add(self, userid: str, external_userid: str | None = None, **given: Any) -> Change:
        """A customer adds a skip-verify member who has not confirmed; it carries the welcome code."""
        return self.add(userid, external_userid, half=True, **given)

    def upgrade(self, userid: str, external_userid: str, at: int | None = None) -> Change:
        """A half relation becomes whole: a plain add event without a code (platform.md 18)."""
        follow = self.follow(userid, external_userid)
        if not follow.half:
            raise Refusal(40058, "the relation is not half")
        return self.add(userid, external_userid, follow.state or None, add_way=follow.add_way, at=at)

    def edit(
        self,
        userid: str,
        external_userid: str,
        remark: str | None = None,
        description: str | None = None,
        tags: list[str] | None = None,
        add_tags: list[str] | None = None,
        remove_tags: list[str] | None = None,
        mobiles: list[str] | None = None,
        company: str | None = None,
        at: int | None = None,
    ) -> Change:
        """A staff member edits remark, description, phones or tags in the client."""
        follow = self.follow(userid, external_userid)
        kept = [tag for tag in (follow.tags if tags is None else tags) if tag not in (remove_tags or [])]
        made = follow._replace(
            remark=follow.remark if remark is None else remark,
            description=follow.description if description is None else description,
            tags=tuple(dict.fromkeys([*kept, *(add_tags or [])])),
            mobiles=follow.mobiles if mobiles is None else tuple(mobiles),
            company=follow.company if company is None else company,
        )
        self._put(self.customers[external_userid], made, kind="other")
        fields = events.external_contact("edit_external_contact", UserID=userid, ExternalUserID=external_userid)
        return Change({"userid": userid, "external_userid": external_userid}, fields, at)

    def delete_by_customer(self, userid: str, external_userid: str, at: int | None = None) -> Change:
        """The customer deletes the staff member: the relation stays listed for ever (platform.md 17)."""
        follow = self.follow(userid, external_userid)
        if follow.one_way:
            raise Refusal(84061)
        self._put(self.customers[external_userid], follow._replace(one_way=True), kind="delete")
        fields = events.external_contact("del_follow_user", UserID=userid, ExternalUserID=external_userid)
        return Change({"userid": userid, "external_userid": external_userid}, fields, at)

    def delete_by_staff(
        self, userid: str, external_userid: str, source: str | None = None, at: int | None = None
    ) -> Change:
        """The staff member deletes the customer; `source` is DELETE_BY_TRANSFER for a hand-over."""
        self.follow(userid, external_userid)
        self._drop(self.customers[external_userid], userid)
        fields = events.external_contact(
            "del_external_contact", UserID=userid, ExternalUserID=external_userid, Source=source
        )
        return Change({"userid": userid, "external_userid": external_userid}, fields, at)

    def transfer(self, userid: str, taker: str, external_userid: str, at: int | None = None) -> Change:
        """An on-job hand-over takes effect: the giver's relation is deleted, the taker's added, without a code."""
        old = self.follow(userid, external_userid)
        deleted = self.delete_by_staff(userid, external_userid, "DELETE_BY_TRANSFER", at)
        added = self.add(taker, external_userid, None, add_way=202, welcome=False, at=at)
        self.edit(taker, external_userid, remark=old.remark, description=old.description, mobiles=list(old.mobiles))
        return Change({**added.result, "from": userid}, added.event, at, deleted.event)

    def transfer_fail(self, userid: str, external_userid: str, reason: str = "customer_refused") -> Change:
        """A hand-over failed; `userid` is the taking-over member (platform.md 21)."""
        fields = events.external_contact(
            "transfer_fail", FailReason=reason, UserID=userid, ExternalUserID=external_userid
        )
        return Change({"userid": userid, "external_userid": external_userid, "reason": reason}, fields)

    def start_chat(self, userid: str, external_userid: str) -> Change:
        """Staff speak first: a welcome that is still open answers 41051."""
        for code in self.codes.values():
            if (code.userid, code.external_userid) == (userid, external_userid):
                code.used = True
        return self.talk(userid, external_userid)

    def talk(self, userid: str, external_userid: str) -> Change:
        """A customer and a member talk; nobody is told."""
        self.follow(userid, external_userid)
        self.last_talk[external_userid] = userid
        return Change({"userid": userid, "external_userid": external_userid})

    # -- welcome codes ---------------------------------------------------------------------------

    def issue_code(self, userid: str, external_userid: str) -> str:
        """A code for one welcome, 20 real seconds."""
        now = time.monotonic()
        self._forget_old_codes(now)
        code = self._world.new_id("", 43)
        life = self._world.settings.welcome_life
        busy = self._world.rng.random() < self._world.settings.welcome_busy
        self.codes[code] = WelcomeCode(code, userid, external_userid, now, now + life, busy=busy)
        return code

    def _forget_old_codes(self, now: float) -> None:
        """Codes expired for an hour answer as unknown ones do; they come oldest first."""
        while self.codes and (oldest := next(iter(self.codes.values()))).expires < now - 3600:
            del self.codes[oldest.code]

    # -- for the address book ----------------------------------------------------------------------

    def forget_staff(self, staff: Staff) -> None:
        """A member left: the relations are gone."""
        for person_id in staff.people:
            customer = self.customers[person_id]
            if find(customer.follows, staff.userid):
                self._drop(customer, staff.userid)

    def rename_staff(self, staff: Staff, old_userid: str) -> None:
        """A member has another userid."""
        for person_id in staff.people:
            customer = self.customers[person_id]
            if self.last_talk.get(person_id) == old_userid:
                self.last_talk[person_id] = staff.userid
            customer.follows = tuple(
                item._replace(userid=staff.userid) if item.userid == old_userid else item for item in customer.follows
            )

    # -- inside ----------------------------------------------------------------------------------

    def _person(self, external_userid: str) -> Customer:
        customer = self.customers.get(external_userid)
        if customer is None:
            raise Refusal(40096)
        return customer

    def _made(
        self, old: Follow | None, userid: str, at: int | None, add_way: int, state: str | None, half: bool,
        keep: bool | None,
    ) -> Follow:  # fmt: skip
        createtime = self._world.now() if at is None else at
        if old is None:
            return Follow(userid, createtime, add_way, state or "", half=half)
        if old.half or keep or (keep is None and self._world.rng.random() < 0.5):
            createtime = old.createtime
        return old._replace(createtime=createtime, state=state or old.state, half=half, one_way=False)

    def _put(self, customer: Customer, follow: Follow, *, kind: str) -> None:
        self._note(customer, kind)
        if find(customer.follows, follow.userid) is None:
            customer.follows = (*customer.follows, follow)
        else:
            customer.follows = tuple(follow if item.userid == follow.userid else item for item in customer.follows)

    def _drop(self, customer: Customer, userid: str) -> None:
        self._note(customer, "delete")
        customer.follows = tuple(item for item in customer.follows if item.userid != userid)
        staff = self._world.book.staff.get(userid)
        if staff is not None:
            staff.friends -= 1

    def _note(self, customer: Customer, kind: str) -> None:
        key = ("customer", customer.external_userid)
        self._world.lag.note(key, customer.follows, self._world.late(kind))


def find(follows: tuple[Follow, ...], userid: str) -> Follow | None:
    """The relation with one staff member."""
    for follow in follows:
        if follow.userid == userid:
            return follow
    return None
