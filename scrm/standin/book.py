"""Departments and staff of the corp, and what happens to them (wecom-api.md §3.4, §4.1)."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from . import events
from .errors import Refusal
from .records import Change, Department, Staff

if TYPE_CHECKING:
    from .world import World

ROOT = 1


class AddressBook:
    """Departments by id and staff by userid."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.departments: dict[int, Department] = {ROOT: Department(ROOT, "总部", 0, 100_000_000)}
        self.staff: dict[str, Staff] = {}

    # -- reading ---------------------------------------------------------------------------------

    def get(self, userid: str) -> Staff:
        """A member of the corp as it is; 60111 when there is none."""
        staff = self.staff.get(userid)
        if staff is None:
            raise Refusal(60111)
        return staff

    def seen(self, userid: str) -> Staff | None:
        """The member as a reader sees it now."""
        return self._world.lag.view(("staff", userid), self.staff.get(userid))

    def seen_staff(self) -> list[Staff]:
        """Everybody a reader sees, oldest first."""
        late = [key[1] for key in self._world.lag.waiting() if isinstance(key, tuple) and key[0] == "staff"]
        seen = (self.seen(userid) for userid in dict.fromkeys([*self.staff, *late]))
        return [staff for staff in seen if staff is not None]

    def seen_departments(self) -> list[Department]:
        """The tree as a reader sees it."""
        return list(self._world.lag.view(("departments",), self.departments).values())

    def below(self, department_id: int) -> list[Department]:
        """The department and everything under it; 60003 when it is not there."""
        departments = self.seen_departments()
        if all(department.id != department_id for department in departments):
            raise Refusal(60003)
        found = {department_id}
        for _ in departments:
            found |= {item.id for item in departments if item.parentid in found}
        return [item for item in departments if item.id in found]

    # -- happenings ------------------------------------------------------------------------------

    def create_party(
        self, name: str, party_id: int | None = None, parentid: int = ROOT, order: int | None = None
    ) -> Change:
        """A new department."""
        number = party_id or max(self.departments) + 1
        if parentid not in self.departments:
            raise Refusal(60003)
        self._note_departments()
        made = Department(number, name, parentid, order if order is not None else 100_000_000 - number)
        self.departments = {**self.departments, number: made}
        fields = events.contact("create_party", Id=number, Name=name, ParentId=parentid, Order=made.order)
        return Change(made._asdict(), fields)

    def update_party(self, party_id: int, name: str | None = None, parentid: int | None = None) -> Change:
        """Rename or move a department."""
        old = self.departments.get(party_id)
        if old is None:
            raise Refusal(60003)
        self._note_departments()
        made = old._replace(name=name or old.name, parentid=old.parentid if parentid is None else parentid)
        self.departments = {**self.departments, party_id: made}
        return Change(made._asdict(), events.contact("update_party", Id=party_id, Name=name, ParentId=parentid))

    def delete_party(self, party_id: int) -> Change:
        """Remove an empty department."""
        if party_id not in self.departments:
            raise Refusal(60003)
        self._note_departments()
        self.departments = {key: value for key, value in self.departments.items() if key != party_id}
        return Change({"id": party_id}, events.contact("delete_party", Id=party_id))

    def create_user(
        self,
        userid: str,
        name: str = "",
        departments: list[int] | None = None,
        position: str = "",
        status: int = 1,
        follows: bool = True,
        capacity: int = 20_000,
    ) -> Change:
        """Hire somebody."""
        if userid in self.staff:
            raise Refusal(60102, "UserID already exists")
        staff = Staff(userid, name or userid, tuple(departments or [ROOT]), position, status, follows, capacity)
        self._world.lag.note(("staff", userid), None, self._world.late("other"))
        self.staff[userid] = staff
        fields = events.contact(
            "create_user", UserID=userid, Name=staff.name, Department=_joined(staff.departments),
            MainDepartment=staff.departments[0], Position=position or None, Status=status,
        )  # fmt: skip
        return Change({"userid": userid}, fields)

    def update_user(
        self,
        userid: str,
        name: str | None = None,
        departments: list[int] | None = None,
        position: str | None = None,
        status: int | None = None,
        follows: bool | None = None,
        capacity: int | None = None,
    ) -> Change:
        """Change what is given."""
        staff = self._note(userid)
        staff.name = staff.name if name is None else name
        staff.departments = staff.departments if departments is None else tuple(departments)
        staff.position = staff.position if position is None else position
        staff.status = staff.status if status is None else status
        staff.follows = staff.follows if follows is None else follows
        staff.capacity = staff.capacity if capacity is None else capacity
        fields = events.contact(
            "update_user", UserID=userid, Name=name, Position=position, Status=status,
            Department=_joined(staff.departments) if departments is not None else None,
        )  # fmt: skip
        return Change({"userid": userid}, fields)

    def delete_user(self, userid: str) -> Change:
        """Somebody leaves the corp; their customers' relations leave with them."""
        self._note(userid)
        staff = self.staff.pop(userid)
        self._world.contacts.forget_staff(staff)
        return Change({"userid": userid}, events.contact("delete_user", UserID=userid))

    def rename_user(self, userid: str, new_userid: str) -> Change:
        """Change a userid, everywhere (platform.md 25)."""
        if new_userid in self.staff:
            raise Refusal(60102, "UserID already exists")
        staff = self._note(userid)
        self._world.lag.note(("staff", new_userid), None, 0)
        del self.staff[userid]
        staff.userid = new_userid
        self.staff[new_userid] = staff
        self._world.contacts.rename_staff(staff, userid)
        self._world.chats.rename_staff(userid, new_userid)
        self._world.ways.rename_staff(userid, new_userid)
        self._world.broadcasts.rename_staff(userid, new_userid)
        fields = events.contact("update_user", UserID=userid, NewUserID=new_userid)
        return Change({"userid": new_userid}, fields)

    def make_full(self, userid: str, full: bool = True) -> Change:
        """Say that the account takes no more customers: scans fail silently (platform.md 23)."""
        self.get(userid).full = full
        return Change({"userid": userid, "full": full})

    def native_welcome(self, userid: str, on: bool = True) -> Change:
        """The admin sets (or removes) a welcome of the platform's own: no code comes any more."""
        self.get(userid).native_welcome = on
        return Change({"userid": userid, "native_welcome": on})

    def _note(self, userid: str) -> Staff:
        staff = self.get(userid)
        self._world.lag.note(("staff", userid), copy.copy(staff), self._world.late("other"))
        return staff

    def _note_departments(self) -> None:
        self._world.lag.note(("departments",), self.departments, self._world.late("other"))


def _joined(departments: tuple[int, ...]) -> str:
    return ",".join(map(str, departments))
