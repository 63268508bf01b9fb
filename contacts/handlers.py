"""The mirror's lanes over callbacks about people: take the evidence, read the object again, bring the ledger in line."""

import datetime as dt
from functools import partial

from django.conf import settings

from contacts import address_book, announcements, events, follows, people
from contacts.caches import refresh_customers
from contacts.models import Customer, FollowEvidence, Staff
from contacts.story import tell
from scrm.base import fences
from scrm.base.dbclock import db_now
from scrm.base.failpoints import failpoint
from scrm.base.models.announcement import Source
from scrm.base.work import Claim, lane
from scrm.wecom.api import contacts as api
from scrm.wecom.callback.reading import Incoming, incoming_of, read_is_due, seconds_to_next_read
from scrm.wecom.callback.routes import route
from scrm.wecom.errors import NO_SUCH_CUSTOMER, unless_gone
from scrm.wecom.schemas import ContactDetail

CONTACT, STAFF, DEPARTMENTS, TAGS = "mirror:contact", "mirror:staff", "mirror:department", "mirror:tags"


def connect() -> None:
    """Says which events these lanes take."""
    route("change_external_contact", lane=CONTACT, entity=lambda event: _named("contact", event.key("ExternalUserID")))
    route("change_external_tag", lane=TAGS, entity=lambda event: "tags")
    users, parties = ({f"{verb}_{kind}" for verb in ("create", "update", "delete")} for kind in ("user", "party"))
    route("change_contact", change_types=users, lane=STAFF, entity=lambda event: _named("staff", event.key("UserID")))
    route("change_contact", change_types=parties, lane=DEPARTMENTS, entity=lambda event: "departments")


def _named(kind: str, key: str) -> str:
    return f"{kind}:{key}" if key else ""


# Two reads a customer: with 200 ms a call, 18 threads are back in line within two minutes after 20 seconds of 100 adds each.
@lane(CONTACT, queue="mirror", threads=18, lease=40, back_off=(5.0, 30.0))
def mirror_contact(claim: Claim) -> None:
    """One customer: evidence at once, reads when the platform's answers may be trusted (platform.md 10)."""
    items = incoming_of(claim)
    with claim.writing():
        customer, changes = _take_evidence(claim.key, items)
    tell(customer, changes)
    failpoint("contact.evidence_taken")
    now = db_now()
    if read_is_due(items, last_read=customer.read_at, now=now, delays_of=_delays_of):
        detail = unless_gone(partial(api.fetch, claim.key), codes=NO_SUCH_CUSTOMER)  # it ends friendships
        infos = address_book.introduce(Staff.objects.filter(follows__customer=customer).distinct())
        failpoint("contact.read")
        with claim.writing():
            people.describe_staff(infos, started_at=now)
            apply_read(customer, detail, started_at=now)
            _settle(claim, items, last_read=now)
        failpoint("contact.written")
    else:
        _settle(claim, items, last_read=customer.read_at)


def apply_read(customer: Customer, detail: ContactDetail | None, *, started_at: dt.datetime) -> None:
    """Applies a complete read (None: nobody in range follows this person) unless a later one has been applied.

    Runs in the caller's transaction. `started_at`: when the read began, by the database's clock.
    """
    customer = people.customer_of(customer.external_userid)
    if fences.is_late(customer, started_at):
        return
    Customer.objects.filter(pk=customer.pk).update(read_at=started_at)
    listed = {info.userid: info for info in detail.follows} if detail else {}
    if detail is not None:
        people.profile(customer, detail)
    staff = people.staff_by_userid(listed)
    changes = [follows.recompute(staff[userid], customer, listed=info) for userid, info in listed.items()]
    absent = Staff.objects.filter(follows__customer=customer, follows__ended_at=None).exclude(userid__in=listed)
    ended = follows.end_where_absent(absent, customer)
    changes.append(follows.Change([], ended))
    refresh_customers([customer.pk])
    announcements.changed(customer, changes, source=Source.CALLBACK)


def _take_evidence(external_userid: str, items: list[Incoming]) -> tuple[Customer, list[follows.Change]]:
    customer = people.customer_of(external_userid)
    staff = people.staff_by_userid(item.event.key("UserID") for item in items)
    told: list[FollowEvidence] = []
    for item in items:
        member = staff.get(item.event.key("UserID"))
        if member is not None:
            found = events.follow_evidence(item.event, staff=member, customer=customer, callback_id=item.callback.pk)
            if found is not None:
                told.append(found)
                address_book.told_to_serve(member, received_at=item.callback.received_at)
    follows.note(told)
    members = {evidence.staff_id: evidence.staff for evidence in told}
    changes = [follows.recompute(member, customer) for member in members.values()]
    if any(changes):
        refresh_customers([customer.pk])
        announcements.changed(customer, changes, source=Source.CALLBACK)
    return customer, changes


def _settle(claim: Claim, items: list[Incoming], *, last_read: dt.datetime | None) -> None:
    now = db_now()
    for item in items:
        wait = seconds_to_next_read(item, last_read=last_read, now=now, delays_of=_delays_of)
        if wait is None:
            claim.done([item.work])
        else:
            claim.again(wait, [item.work], reason="waits for a later read", further=True)


def _delays_of(item: Incoming) -> tuple[float, ...]:
    delays: tuple[float, ...] = settings.CONTACT_READ_DELAYS
    return delays


@lane(STAFF, queue="mirror", threads=1, lease=40)
def mirror_staff(claim: Claim) -> None:
    """One member of the address book: renames and leaves from the event, the rest from reads."""
    items = incoming_of(claim)
    started_at = db_now()
    info = address_book.fetch_staff(_newest_userid(claim.key, items))
    failpoint("staff.read")
    with claim.writing():
        address_book.apply_staff_events(claim.key, [item.event for item in items], info, started_at=started_at)
        _settle(claim, items, last_read=started_at)
    failpoint("staff.written")


def _newest_userid(userid: str, items: list[Incoming]) -> str:
    renamed = [item.event.key("NewUserID") for item in items if item.event.key("NewUserID")]
    return renamed[-1] if renamed else userid


@lane(DEPARTMENTS, queue="mirror", threads=1, lease=40)
def mirror_departments(claim: Claim) -> None:
    """The tree of departments, read whole: it is small. Read again later: reads lag (platform.md 10)."""
    started_at = db_now()
    infos = address_book.fetch_departments()
    failpoint("departments.read")
    with claim.writing():
        address_book.apply_departments(infos, started_at=started_at)
        _settle(claim, incoming_of(claim), last_read=started_at)
    failpoint("departments.written")


@lane(TAGS, queue="mirror", threads=1, lease=40)
def mirror_tags(claim: Claim) -> None:
    """The library of corporate tags, read whole (≤ 3,000): deleting a group deletes its tags without events."""
    started_at = db_now()
    infos = address_book.fetch_tags()
    failpoint("tags.read")
    with claim.writing():
        if infos is not None:
            address_book.apply_tags(infos, started_at=started_at)
        _settle(claim, incoming_of(claim), last_read=started_at)
    failpoint("tags.written")
