"""Departments, staff and corporate tags as the platform has them: reading them, and taking them over in sets."""

import contextlib
import datetime as dt
import re
from collections.abc import Iterable, Sequence
from functools import partial

from django.db.models import Exists, F, Func, OuterRef, Q, Value
from django.db.models.functions import Greatest, Now

from contacts import people
from contacts.caches import lock_customers, refresh_customers
from contacts.models import Department, Follow, FollowEvidence, Listing, Staff, Tag, TagGroup
from contacts.renaming import rename_staff
from scrm.base import clock, fences
from scrm.wecom.api import departments as departments_api
from scrm.wecom.api import staff as staff_api
from scrm.wecom.api import tags as tags_api
from scrm.wecom.callback.events import Event
from scrm.wecom.errors import ConfigurationError, WecomError, unless_gone
from scrm.wecom.models import Callback
from scrm.wecom.schemas import DepartmentInfo, StaffInfo, TagGroupInfo

fetch_departments = departments_api.fetch_all
fetch_tags = tags_api.fetch_all


def fetch_staff(userid: str) -> StaffInfo | None:
    """One member, None when the address book no longer shows them to us."""
    return unless_gone(partial(staff_api.fetch_one, userid))


def apply_departments(infos: Sequence[DepartmentInfo], *, started_at: dt.datetime) -> bool:
    """Takes over the whole tree; departments that are missing were deleted. No department at all deletes none.

    False where a later read has been applied, and nothing is taken over. `started_at`: when the read began, by the
    database's clock. Runs in the caller's transaction.
    """
    if not infos or not _is_latest(Listing.Name.DEPARTMENTS, started_at):
        return False
    parents = {info.id: info.parent_id for info in infos}
    rows = [
        Department(
            id=info.id, name=info.name[:128], parent_id=info.parent_id, order=info.order, path=path_of(info.id, parents)
        )
        for info in infos
    ]
    Department.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["name", "parent_id", "order", "path", "deleted_at"],
    )
    Department.objects.present().exclude(pk__in=parents).update(deleted_at=clock.now())
    return True


def _is_latest(name: Listing.Name, started_at: dt.datetime) -> bool:
    """Whether no later read of the list has been applied. Others who apply one wait until this transaction ends."""
    Listing.objects.bulk_create([Listing(name=name)], ignore_conflicts=True)
    row = Listing.objects.select_for_update(no_key=True).get(name=name)
    if fences.is_late(row, started_at):
        return False
    Listing.objects.filter(pk=row.pk).update(read_at=started_at)
    return True


def path_of(department: int, parents: dict[int, int]) -> list[int]:
    """Ids from the root down to `department`; a parent outside our range is the end of the path."""
    path = [department]
    while (parent := parents.get(path[0], 0)) and parent not in path:
        path.insert(0, parent)
        if parent not in parents:
            break
    return path


def apply_tags(groups: Sequence[TagGroupInfo], *, started_at: dt.datetime) -> bool:
    """Takes over the whole library; groups and tags that are missing were deleted. Fenced like `apply_departments`."""
    if not _is_latest(Listing.Name.TAGS, started_at):
        return False
    TagGroup.objects.bulk_create(
        [TagGroup(group_id=group.group_id, name=group.name[:64], order=group.order) for group in groups],
        update_conflicts=True,
        unique_fields=["group_id"],
        update_fields=["name", "order", "deleted_at"],
    )
    group_ids = dict(TagGroup.objects.values_list("group_id", "pk"))
    rows = {
        tag.tag_id: Tag(tag_id=tag.tag_id, group_id=group_ids[group.group_id], name=tag.name[:64], order=tag.order)
        for group in groups
        for tag in group.tags
    }
    Tag.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["tag_id"],
        update_fields=["name", "order", "group", "deleted_at"],
    )
    Tag.objects.filter(deleted_at=None).exclude(tag_id__in=rows).update(deleted_at=clock.now())
    TagGroup.objects.filter(deleted_at=None).exclude(group_id__in=[group.group_id for group in groups]).update(
        deleted_at=clock.now()
    )
    return True


def apply_serving(userids: Iterable[str], *, started_at: dt.datetime) -> bool:
    """Takes over who has the customer-contact function; who is missing has it no more. Fenced like `apply_departments`.

    Whose customers a callback has told of since the read began stays: the list may not know yet (platform.md 10).
    """
    if not _is_latest(Listing.Name.SERVING, started_at):
        return False
    keys = [row.pk for row in people.staff_by_userid(userids).values()]
    Staff.objects.filter(pk__in=keys, serves_customers=False).update(serves_customers=True, changed_at=Now())
    since = Callback.objects.filter(received_at__gte=started_at).values("pk")
    told = FollowEvidence.objects.filter(staff=OuterRef("pk"), callback_id__in=since)
    Staff.objects.filter(~Exists(told), serves_customers=True).exclude(pk__in=keys).update(
        serves_customers=False, changed_at=Now()
    )
    return True


def told_to_serve(staff: Staff, *, received_at: dt.datetime) -> None:
    """Whose customers a callback tells of serves customers, unless a list that was read later lacks them.

    `received_at`: when the callback came, by the database's clock. Runs in the caller's transaction.
    """
    if staff.serves_customers or Listing.objects.filter(name=Listing.Name.SERVING, read_at__gt=received_at).exists():
        return
    Staff.objects.filter(pk=staff.pk).update(serves_customers=True, changed_at=Now())


def apply_staff_events(
    userid: str, events: Sequence[Event], info: StaffInfo | None, *, started_at: dt.datetime
) -> None:
    """Takes over renames, leaves and what a read (None: gone) says of one member.

    Reads that began before `started_at` (the database's clock) can't take back what the events say: it is their fence.
    Runs in the caller's transaction.
    """
    for event in events:
        new = event.key("NewUserID")
        if new and new != userid:
            rename_staff(userid, new)
            userid = new
    if events and events[-1].change_type == "delete_user":
        staff_left(userid, events[-1].happened_at or clock.now())  # a read may still answer with the old state
    elif info is not None:
        if not _is_read_later(info.userid, started_at):
            _forget_former(info.userid)
            people.describe_staff([info], started_at=started_at)
            Staff.objects.filter(userid=info.userid).update(left_at=None)
    elif Staff.objects.filter(userid=userid).exists():  # nobody is made of an event that no read confirms
        for event in events:
            _describe_from_event(userid, event)
    Staff.objects.filter(fences.open_to(started_at), userid=userid).update(read_at=started_at)


def _is_read_later(userid: str, started_at: dt.datetime) -> bool:
    """Whether a later read of whoever bears or bore the userid has been applied: this one may not know of a rename."""
    bearers = Staff.objects.filter(Q(userid=userid) | Q(former_userids__contains=[userid]))
    return bearers.exclude(fences.open_to(started_at)).exists()


def _forget_former(userid: str) -> None:
    """A userid that somebody bears now is nobody's former one."""
    Staff.objects.filter(former_userids__contains=[userid]).update(
        former_userids=Func(F("former_userids"), Value(userid), function="array_remove")
    )


def introduce(staff: Iterable[Staff]) -> list[StaffInfo]:
    """Reads members whom a callback named before any sync did. Outside of a transaction; never fails its caller."""
    infos = []
    for row in staff:
        if row.read_at is None and not row.name:
            with contextlib.suppress(WecomError, ConfigurationError):
                infos.append(staff_api.fetch_one(row.userid))
    return infos


def staff_left(userid: str, moment: dt.datetime) -> None:
    """A member left the company: their friendships end, which is nobody's loss (metrics.md)."""
    staff = Staff.objects.filter(userid=userid).first()
    if staff is None:
        return
    Staff.objects.filter(pk=staff.pk, left_at=None).update(left_at=moment, status=Staff.Status.LEFT, changed_at=Now())
    lock_customers(Follow.objects.open().filter(staff=staff).values_list("customer_id", flat=True))
    rows = Follow.objects.open().filter(staff=staff)
    told = [
        FollowEvidence(
            staff=staff,
            customer_id=customer,
            kind=FollowEvidence.Kind.ENDED,
            at=max(moment, added),
            ended_by=Follow.EndedBy.STAFF_LEFT,
        )
        for customer, added in rows.values_list("customer_id", "added_at")
    ]
    FollowEvidence.objects.bulk_create(told, ignore_conflicts=True, batch_size=1000)
    rows.update(
        ended_at=Greatest(F("added_at"), Value(moment)),
        ended_by=Follow.EndedBy.STAFF_LEFT,
        ended_known_by=Follow.KnownBy.EVENT,
        changed_at=Now(),
    )
    refresh_customers([evidence.customer_id for evidence in told])


def _describe_from_event(userid: str, event: Event) -> None:
    """What the event itself says, where a read shows nothing: often only UserID and Department (wecom-api.md §3.4)."""
    departments = [int(word) for word in re.findall(r"(?:^|,)\s*(\d{1,9})\s*(?=,|$)", event.text("Department"))]
    told = StaffInfo(
        userid=userid,
        name=event.text("Name"),
        departments=tuple(departments),
        main_department=event.integer("MainDepartment"),
        position=event.text("Position"),
        status=event.integer("Status") or 0,
        alias=event.text("Alias"),
        avatar=event.text("Avatar"),
    )
    Staff.objects.filter(userid=userid).update(**people.told_of(told), changed_at=Now())
