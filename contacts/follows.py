"""The follow ledger's verbs: taking evidence, and computing the periods of friendship from all of it."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.db.models.functions import Now

from contacts import announcements
from contacts.caches import refresh_customers
from contacts.models import Customer, Follow, FollowEvidence, Staff
from scrm.base import clock, ledgers
from scrm.base.models.announcement import Source
from scrm.base.periods import TOLERANCE, Mark, Period, fold
from scrm.wecom.schemas import FollowInfo

HANDED_OVER = frozenset({201, 202})  # add_way: shared by a colleague, assigned by an admin (wecom-api.md §5.2)

_CONCLUDED = (Follow.KnownBy.READ, Follow.KnownBy.SYNC)  # ends that no event told of

Ref = FollowEvidence | Follow


@dataclass(frozen=True)
class Change:
    """What a recomputation changed for one (staff, customer). `went_on`: what had ended has not."""

    began: list[Follow]
    ended: list[Follow]
    went_on: list[Follow] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.began or self.ended or self.went_on)


def note(evidence: Iterable[FollowEvidence]) -> None:
    """Adds evidence; what is known already stays as it is."""
    FollowEvidence.objects.bulk_create(evidence, ignore_conflicts=True)


def recompute(staff: Staff, customer: Customer, *, listed: FollowInfo | None = None) -> Change:
    """Computes the periods of one (staff, customer) anew from the evidence, the rows and what a read has `listed`.

    Runs in the caller's transaction, behind a lock on the customer's row.
    """
    rows = list(Follow.objects.filter(staff=staff, customer=customer).order_by("added_at", "pk"))
    evidence = FollowEvidence.objects.filter(staff=staff, customer=customer).order_by("at", "pk")
    periods = _periods(rows, list(evidence), listed)
    change = _write(rows, periods, staff, customer)
    if listed is not None:
        describe(staff, customer, listed)
    return change


def describe(staff: Staff, customer: Customer, listed: FollowInfo) -> None:
    """Takes over remark, tags and way of adding into the latest period; an ended one keeps what it had."""
    row = Follow.objects.filter(staff=staff, customer=customer).order_by("added_at", "pk").last()
    if row is None or (row.ended_at is not None and row.add_way is not None):
        return
    fresh = {
        "add_way": listed.add_way,
        "oper_userid": listed.oper_userid[:64],
        "remark": listed.remark[:256],
        "description": listed.description,
        "tag_ids": sorted(set(listed.tag_ids)),
        "by_transfer": row.by_transfer or listed.add_way in HANDED_OVER,
        "state": row.state or _state_of_list(row, listed),
    }
    if any(getattr(row, name) != value for name, value in fresh.items()):
        Follow.objects.filter(pk=row.pk).update(**fresh, changed_at=Now())


def end_where_absent(staff_rows: Iterable[Staff], customer: Customer) -> list[Follow]:
    """Ends open periods with staff whom a complete read no longer lists: only staff who deleted are missing there.

    A young period is left alone, since reads lag (platform.md 10); so is one with a staff member outside the app's range,
    and a half friend, whom reads need not show (84061, platform.md 18).
    """
    now = clock.now()
    ended = []
    rows = Follow.objects.open().filter(
        customer=customer, half=False, staff__in=list(staff_rows), staff__serves_customers=True, staff__left_at=None
    )
    for row in rows:
        if clock.is_young(row.added_at, settings.FRESH_READ_SECONDS, at=now):
            continue
        row.ended_at, row.ended_by = max(now, row.added_at), Follow.EndedBy.STAFF
        row.ended_known_by = Follow.KnownBy.READ
        ledgers.save(row)
        ended.append(row)
    return ended


def end_by_send_result(staff: Staff, gone: Mapping[int, dt.datetime]) -> None:
    """Ends open periods of customers ({primary key: moment}) to whom a message came back as *not a friend any more*:
    the platform itself lists them for ever (platform.md 17). Runs in the caller's transaction."""
    begun = dict(Follow.objects.open().filter(staff=staff, customer__in=gone).values_list("customer", "added_at"))
    known = {key: gone[key] for key, added_at in begun.items() if added_at <= gone[key]}
    _take(staff, known, FollowEvidence.Kind.ENDED, Follow.EndedBy.CUSTOMER)


def reopen_by_send_result(staff: Staff, reached: Mapping[int, dt.datetime]) -> None:
    """Begins a period for customers ({primary key: moment}) whom a message reached after the last one had ended: they
    are friends again, though no event said so (platform.md 17). Runs in the caller's transaction."""
    pairs = Follow.objects.filter(staff=staff, customer__in=reached)
    ended = dict(pairs.values_list("customer").annotate(Max("ended_at")).filter(ended_at__max__isnull=False))
    open_now = set(pairs.open().values_list("customer", flat=True))
    again = {key: reached[key] for key, end in ended.items() if key not in open_now and end + TOLERANCE < reached[key]}
    _take(staff, again, FollowEvidence.Kind.ADDED, "")


def _take(staff: Staff, known: Mapping[int, dt.datetime], kind: FollowEvidence.Kind, ended_by: str) -> None:
    """Notes what send results prove of these friendships, and computes their periods anew."""
    if not known:
        return
    customers = list(Customer.objects.select_for_update(no_key=True).filter(pk__in=known).order_by("pk"))
    note(
        FollowEvidence(
            staff=staff, customer=customer, kind=kind, at=known[customer.pk], ended_by=ended_by,
            known_by=Follow.KnownBy.SEND_RESULT,
        )
        for customer in customers
    )  # fmt: skip
    changes = {customer: recompute(staff, customer) for customer in customers}
    refresh_customers([customer.pk for customer in customers])
    for customer, change in changes.items():  # found by reading, as a sync finds them
        announcements.changed(customer, [change], source=Source.SYNC)


def _state_of_list(row: Follow, listed: FollowInfo) -> str:
    """The list keeps the state of the first scan: it counts for a first period only (platform.md 19)."""
    earlier = Follow.objects.filter(staff_id=row.staff_id, customer_id=row.customer_id, added_at__lt=row.added_at)
    return "" if earlier.exists() else listed.state[:128]


def _periods(rows: list[Follow], evidence: list[FollowEvidence], listed: FollowInfo | None) -> list[Period[Ref]]:
    begins: list[Mark[Ref]] = [Mark(item.at, item) for item in evidence if item.kind != FollowEvidence.Kind.ENDED]
    begins += [Mark(row.added_at, row) for row in rows if row.added_known_by != Follow.KnownBy.EVENT]
    ends: list[Mark[Ref]] = [Mark(item.at, item) for item in evidence if item.kind == FollowEvidence.Kind.ENDED]
    others = [row for row in rows if row.ended_at and row.ended_known_by != Follow.KnownBy.EVENT]
    if listed is not None:
        begins += _begun_anew([*(mark.at for mark in ends), *(row.ended_at for row in others)], begins, listed)
        others = [row for row in others if not _is_disproved(row, begins)]
    ends += [Mark(row.ended_at, row) for row in others if row.ended_at]
    starts = [row.listed_at for row in rows if row.listed_at]
    if listed is not None and listed.created_at is not None:
        starts.append(listed.created_at)
    return fold(begins, ends, starts, listed_restarts=False)


def _begun_anew(ends: list[Any], begins: list[Mark[Ref]], listed: FollowInfo) -> list[Mark[Ref]]:
    """The beginning that a list proves though no event told of it: it dates the friendship after the last end.

    The platform keeps the old date in about half of the cases. Such a list shows nothing new: who deleted us stays
    listed for ever with that date (platform.md 17), so that the end stands until an event or a send result says more.
    """
    end, start = max(ends, default=None), listed.created_at
    if end is None or start is None or start <= end + TOLERANCE or any(mark.at >= end for mark in begins):
        return []
    return [Mark(start, Follow(added_at=start))]


def _is_disproved(row: Follow, begins: list[Mark[Ref]]) -> bool:
    """Whether a list that shows the pair takes back this end. Only staff who deleted somebody are missing in lists
    (platform.md 17), so that an end concluded from a list without them falls, unless they have begun anew since."""
    is_absence = row.ended_by == Follow.EndedBy.STAFF and row.ended_known_by in _CONCLUDED
    return is_absence and not any(row.ended_at and mark.at > row.ended_at for mark in begins)


def _write(rows: list[Follow], periods: list[Period[Ref]], staff: Staff, customer: Customer) -> Change:
    change = Change([], [])
    for row, period in ledgers.in_line(rows, periods, lambda row, period: abs(row.added_at - period.start)):
        was_open = row is None or row.ended_at is None
        target = row or Follow(staff=staff, customer=customer)
        if ledgers.take_over(target, _fields(target, period)):
            ledgers.save(target)
        if row is None:
            change.began.append(target)
        if was_open and period.end is not None:
            change.ended.append(target)
        if not was_open and period.end is None:
            change.went_on.append(target)
    return change


def _fields(row: Follow, period: Period[Ref]) -> dict[str, object]:
    """What the ledger says of a period."""
    events = [mark.ref for mark in period.begins if isinstance(mark.ref, FollowEvidence)]
    states = [event.state for event in events if event.state]
    known_by = events[0].known_by if events else (row.added_known_by if row.pk else Follow.KnownBy.READ)
    fields: dict[str, object] = {
        "added_at": period.start,
        "added_known_by": known_by,
        "listed_at": period.listed_at or row.listed_at,
        "half": bool(events) and all(event.kind == FollowEvidence.Kind.HALF_ADDED for event in events),
        "state": states[0] if states else row.state,
        "ended_at": period.end,
        "ended_by": "",
        "ended_known_by": "",
    }
    if period.ended is not None:
        ref = period.ended.ref
        fields["ended_by"] = ref.ended_by
        fields["ended_known_by"] = ref.known_by if isinstance(ref, FollowEvidence) else ref.ended_known_by
    return fields
