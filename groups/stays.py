"""The membership ledger's verbs: taking evidence from events, applying reads, and computing the stays from all of it."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Greatest, Now

from contacts import people
from contacts.models import Customer, Staff
from groups import versions
from groups.models import GroupChat, Stay, StayEvidence
from scrm.base import clock, fences, ledgers
from scrm.base.periods import Mark, Period, fold
from scrm.wecom.schemas import GroupChatDetail, MemberInfo

STAFF_MEMBER = 1  # `type` of a member: 1 staff, 2 external (wecom-api.md §9.2)
READS_LAG = 10.0  # seconds; groupchat/get: p99 5 s after the event (stand-in.md §1)

Ref = StayEvidence | Stay
# Ends that a comparison concluded: an event or a renewed presence corrects them.
WEAK = frozenset({Stay.KnownBy.DIFF, Stay.KnownBy.SYNC})


@dataclass
class Change:
    """What a recomputation changed in one chat."""

    joined: list[Stay] = field(default_factory=list)
    left: list[Stay] = field(default_factory=list)
    corrected: int = 0

    def __bool__(self) -> bool:
        return bool(self.joined or self.left or self.corrected)


@dataclass(frozen=True)
class ReadResult:
    """What a read changed; `drift`: members_missing (we lacked them), members_gone (we still had them)."""

    applied: bool
    change: Change
    drift: dict[str, int]


def chat_of(chat_id: str) -> GroupChat:
    """The chat's row, locked until the transaction ends; created when nobody has told of it yet."""
    GroupChat.objects.bulk_create([GroupChat(chat_id=chat_id)], ignore_conflicts=True)
    chat: GroupChat = GroupChat.objects.select_for_update(no_key=True).get(chat_id=chat_id)
    return chat


def note(chat: GroupChat, evidence: Iterable[StayEvidence]) -> Change:
    """Adds evidence of events and computes the stays of the people it names. Runs in the caller's transaction."""
    rows = list(evidence)
    StayEvidence.objects.bulk_create(rows, ignore_conflicts=True)
    members = {row.member_id for row in rows}
    return _recompute(chat, members, listed={}, absent=set(), joined_known_by=Stay.KnownBy.EVENT)


def dismiss(
    chat: GroupChat, moment: dt.datetime, *, known_by: GroupChat.DismissedBy = GroupChat.DismissedBy.EVENT
) -> None:
    """Ends the chat and with it every stay, which is nobody's leave (metrics.md).

    What an event tells goes before what a sync concluded; of events the earliest moment told counts.
    """
    if chat.dismissed_at is not None:
        told = known_by == GroupChat.DismissedBy.EVENT
        if not told or (chat.dismissed_at <= moment and not chat.is_out_of_sight):
            return
    GroupChat.objects.filter(pk=chat.pk).update(
        dismissed_at=moment, dismissed_known_by=known_by, people=0, external_people=0, changed_at=Now()
    )
    chat.stays.filter(Q(left_at=None) | Q(left_known_by=Stay.KnownBy.DISMISSED)).update(
        left_at=Greatest(F("joined_at"), Value(moment)),
        left_known_by=Stay.KnownBy.DISMISSED,
        left_after=Coalesce("left_after", "joined_at"),
        changed_at=Now(),
    )


def resume(chat: GroupChat) -> None:
    """A chat that was taken as dismissed because nothing showed it lives: it had only been out of the app's sight.

    The conclusion falls, and with it the ends that it gave to stays. Who left meanwhile is found by the next comparison.
    """
    if not chat.is_out_of_sight:
        return
    GroupChat.objects.filter(pk=chat.pk).update(dismissed_at=None, dismissed_known_by="", changed_at=Now())
    latest = chat.stays.order_by("member_id", "-joined_at", "-pk").distinct("member_id").values("pk")
    chat.stays.filter(pk__in=latest, left_known_by=Stay.KnownBy.DISMISSED).update(
        left_at=None, left_known_by="", left_after=None, changed_at=Now()
    )
    refresh_people([chat.pk])
    chat.refresh_from_db()


def apply_no_answer(chat: GroupChat, *, started_at: dt.datetime) -> None:
    """Applies a read that found no such chat: dismissed, or out of the app's sight. Nothing can be compared."""
    GroupChat.objects.filter(fences.open_to(started_at), pk=chat.pk).update(read_at=started_at)


def apply_read(
    detail: GroupChatDetail, *, started_at: dt.datetime, known_by: Stay.KnownBy = Stay.KnownBy.DIFF
) -> ReadResult:
    """Applies a read of the whole chat unless a later one has been applied. Runs in the caller's transaction.

    `started_at`: when the read began, by the database's clock. `known_by` (diff | sync) is written on what only the
    comparison shows, but in the chat's first read.
    """
    return apply_to(chat_of(detail.chat_id), detail, started_at=started_at, known_by=known_by)


def apply_to(
    chat: GroupChat, detail: GroupChatDetail, *, started_at: dt.datetime, known_by: Stay.KnownBy
) -> ReadResult:
    """The same for a chat that the caller holds (`chat_of`)."""
    nothing = ReadResult(False, Change(), {})
    if fences.is_late(chat, started_at):
        return nothing
    chain = versions.Chain(chat)
    if chain.is_older(detail.member_version, chat.member_version):
        return nothing  # the platform answered with an older list than it did before
    resume(chat)
    if chat.first_read_at is None:
        known_by = Stay.KnownBy.FIRST_READ
    change, drift = _apply_members(chat, detail, chain, known_by=known_by)
    _apply_facts(chat, detail, started_at)
    versions.note_read(chat, detail.member_version)
    return ReadResult(True, change, drift)


_COUNT = """
UPDATE groups_groupchat g
SET people = n.people, external_people = n.external, changed_at = statement_timestamp()
FROM (
    SELECT c.id, count(s.id) AS people, count(s.customer_id) AS external
    FROM unnest(%s::bigint[]) AS c (id) LEFT JOIN groups_stay s ON s.chat_id = c.id AND s.left_at IS NULL
    GROUP BY c.id
) n
WHERE g.id = n.id AND (g.people, g.external_people) IS DISTINCT FROM (n.people, n.external)
"""


def refresh_people(chat_ids: Collection[int]) -> None:
    """Counts who is present in these chats (primary keys) anew."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [list(chat_ids)])


def _apply_members(
    chat: GroupChat, detail: GroupChatDetail, chain: versions.Chain, *, known_by: Stay.KnownBy
) -> tuple[Change, dict[str, int]]:
    listed = {member.member_id: member for member in detail.members if member.member_id}
    open_stays = {stay.member_id: stay for stay in chat.stays.present()}
    _describe(open_stays, listed)
    news = {key for key, member in listed.items() if not _same_stay(open_stays.get(key), member)}
    missing = open_stays.keys() - listed.keys()
    absent = missing - _perhaps_too_new(chat, missing, detail.member_version, chain)
    change = _recompute(
        chat, news | absent, listed={key: listed[key] for key in news}, absent=absent, joined_known_by=known_by
    )
    drift = {"members_missing": len(change.joined), "members_gone": len(change.left)}
    return change, {name: number for name, number in drift.items() if number}


def _same_stay(stay: Stay | None, member: MemberInfo) -> bool:
    return stay is not None and (stay.read_joined_at == member.joined_at or member.joined_at is None)


def _perhaps_too_new(chat: GroupChat, members: Collection[str], version: str, chain: versions.Chain) -> set[str]:
    """Members whose join event a read of this version may not know yet: they are no leavers."""
    joined = StayEvidence.objects.filter(chat=chat, member_id__in=members, kind=StayEvidence.Kind.JOINED)
    young = set()
    for evidence in joined:
        if evidence.version and version and chain.reaches(version, evidence.version):
            continue
        if chain.is_older(version, evidence.version) or clock.is_young(evidence.at, READS_LAG, at=clock.now()):
            young.add(evidence.member_id)
    return young


def _apply_facts(chat: GroupChat, detail: GroupChatDetail, started_at: dt.datetime) -> None:
    owner = people.staff_by_userid([detail.owner]).get(detail.owner)
    GroupChat.objects.filter(pk=chat.pk).update(
        name=detail.name[:200],
        owner=owner,
        admin_userids=list(detail.admins),
        notice=detail.notice,
        created_at=detail.created_at,
        member_version=detail.member_version[:64],
        read_at=started_at,
        shown_at=clock.of_real(started_at),
        first_read_at=chat.first_read_at or clock.now(),
    )
    refresh_people([chat.pk])


def _recompute(
    chat: GroupChat,
    members: Collection[str],
    *,
    listed: dict[str, MemberInfo],
    absent: Collection[str],
    joined_known_by: Stay.KnownBy,
) -> Change:
    """Computes the stays of `members` anew out of events, rows, and what a read has `listed` or found `absent`."""
    if not members:
        return Change()
    who = _who(members, listed)
    rows: dict[str, list[Stay]] = defaultdict(list)
    for stay in Stay.objects.filter(chat=chat, member_id__in=members).order_by("joined_at", "pk"):
        rows[stay.member_id].append(stay)
    evidence: dict[str, list[StayEvidence]] = defaultdict(list)
    for item in StayEvidence.objects.filter(chat=chat, member_id__in=members).order_by("at", "pk"):
        evidence[item.member_id].append(item)
    taken = [stay for key in members if isinstance(who[key], Staff) for stay in rows[key]]
    misread = [stay.customer_id for stay in taken if stay.customer_id is not None]
    change = Change()
    for member in sorted(members):
        job = _Member(chat, member, who[member], rows[member], evidence[member], listed.get(member), joined_known_by)
        job.settle(change, absent=member in absent)
    if change:
        refresh_people([chat.pk])
    _forget_misread(misread)
    return change


def _forget_misread(customers: Collection[int]) -> None:
    """Staff members whom the shape of an event's id had made customers: nobody's friends, in no chat any more."""
    if customers:
        Customer.objects.filter(pk__in=customers, follows=None, stays=None).delete()


def _who(members: Collection[str], listed: dict[str, MemberInfo]) -> dict[str, Customer | Staff]:
    """The person behind each member id; a read's type decides, without one the shape of the id."""
    staff_ids, external = set(), {}
    for member in members:
        info = listed.get(member)
        if info.type == STAFF_MEMBER if info else not people.is_external(member):
            staff_ids.add(member)
        else:
            external[member] = info.name if info else ""
    return {**people.staff_by_userid(staff_ids), **people.customers_by_id(external)}


def _describe(open_stays: dict[str, Stay], listed: dict[str, MemberInfo]) -> None:
    """Takes over what may change while somebody stays: the nickname, and details that an event did not tell."""
    changed = []
    for key, stay in open_stays.items():
        info = listed.get(key)
        if info is not None and _fill(stay, info):
            changed.append(stay)
    Stay.objects.bulk_update(changed, ["nickname", "join_scene", "invited_by", "state"])


def _fill(stay: Stay, info: MemberInfo) -> bool:
    before = (stay.nickname, stay.join_scene, stay.invited_by, stay.state)
    stay.nickname = info.nickname[:128]
    stay.join_scene = info.join_scene or stay.join_scene
    stay.invited_by = info.invited_by[:64] or stay.invited_by
    stay.state = info.state[:64] or stay.state
    return before != (stay.nickname, stay.join_scene, stay.invited_by, stay.state)


def _distance(row: Stay, period: Period[Ref]) -> dt.timedelta:
    """How far a row's start is from any start that is told of the period; the same leave is the same stay."""
    if row.left_at is not None and row.left_at == period.end:
        return dt.timedelta()
    told = [period.start, *(mark.at for mark in period.begins)]
    return min(abs(row.joined_at - start) for start in told)


@dataclass
class _Member:
    """One person in one chat while the stays are computed."""

    chat: GroupChat
    member_id: str
    person: Customer | Staff
    rows: list[Stay]
    evidence: list[StayEvidence]
    listed: MemberInfo | None
    known_by: Stay.KnownBy

    def settle(self, change: Change, *, absent: bool) -> None:
        """Brings the rows in line with the evidence."""
        periods = self._periods()
        ends_at = clock.now() if absent else self.chat.dismissed_at
        if ends_at is not None and periods and periods[-1].end is None:
            periods[-1].end = max(ends_at, periods[-1].start)
        for row, period in ledgers.in_line(self.rows, periods, _distance):
            self._write(row, period, change)

    def _periods(self) -> list[Period[Ref]]:
        joined, left = StayEvidence.Kind.JOINED, StayEvidence.Kind.LEFT
        begins: list[Mark[Ref]] = [Mark(item.at, item) for item in self.evidence if item.kind == joined]
        begins += [Mark(row.joined_at, row) for row in self.rows if row.joined_known_by == Stay.KnownBy.HISTORY]
        ends: list[Mark[Ref]] = [Mark(item.at, item) for item in self.evidence if item.kind == left]
        ends += [
            Mark(row.left_at, row, weak=row.left_known_by in WEAK)
            for row in self.rows
            if row.left_at is not None and self._end_stands(row)
        ]
        starts = [row.read_joined_at for row in self.rows if row.read_joined_at]
        if self.listed is not None and self.listed.joined_at is not None:
            starts.append(self.listed.joined_at)
        return fold(begins, ends, starts, listed_restarts=True)

    def _end_stands(self, row: Stay) -> bool:
        """A comparison's conclusion falls when the platform lists the same stay again; events are in the evidence."""
        if row.left_known_by in WEAK:
            return self.listed is None or self.listed.joined_at != row.read_joined_at or row.read_joined_at is None
        return row.left_known_by != Stay.KnownBy.EVENT

    def _write(self, row: Stay | None, period: Period[Ref], change: Change) -> None:
        target = row or Stay(chat=self.chat, member_id=self.member_id)
        # A read's type may say otherwise than the shape of the id, from which an event was understood.
        target.customer = self.person if isinstance(self.person, Customer) else None
        target.staff = self.person if isinstance(self.person, Staff) else None
        was_open = row is None or row.left_at is None
        if not ledgers.take_over(target, self._fields(target, period)):
            return
        if self.listed is not None and period.end is None:
            _fill(target, self.listed)
        ledgers.save(target)
        if row is None:
            change.joined.append(target)
        elif not (was_open and period.end):
            change.corrected += 1
        if was_open and period.end is not None:
            change.left.append(target)

    def _fields(self, row: Stay, period: Period[Ref]) -> dict[str, object]:
        """What the ledger says of a period."""
        joins = [mark.ref for mark in period.begins if isinstance(mark.ref, StayEvidence)]
        known_by = Stay.KnownBy.EVENT if joins else (row.joined_known_by if row.pk else self.known_by)
        scenes = [item.scene for item in joins if item.scene is not None]
        fields: dict[str, object] = {
            "joined_at": period.start,
            "joined_known_by": known_by,
            "read_joined_at": period.listed_at or row.read_joined_at,
            "counted": bool(joins) or (row.counted if row.pk else self._seen_joining(period)),
            "join_scene": row.join_scene if row.join_scene is not None else (scenes[0] if scenes else None),
            "left_at": period.end,
            "left_known_by": "",
            "left_after": None,
            "quit_scene": None,
        }
        if period.end is not None:
            fields |= self._end(row, period)
        return fields

    def _seen_joining(self, period: Period[Ref]) -> bool:
        """Not for those whom the first read found there, nor for those of whom only the leave is known."""
        return period.listed_at is not None and self.known_by != Stay.KnownBy.FIRST_READ

    def _end(self, row: Stay, period: Period[Ref]) -> dict[str, object]:
        ref = period.ended.ref if period.ended else None
        if isinstance(ref, StayEvidence):
            return {"left_known_by": Stay.KnownBy.EVENT, "quit_scene": ref.scene, "left_after": None}
        if isinstance(ref, Stay):
            return {"left_known_by": ref.left_known_by, "quit_scene": ref.quit_scene, "left_after": ref.left_after}
        if self.chat.dismissed_at is not None:
            return {"left_known_by": Stay.KnownBy.DISMISSED, "quit_scene": None, "left_after": period.start}
        known_by = Stay.KnownBy.SYNC if self.known_by == Stay.KnownBy.SYNC else Stay.KnownBy.DIFF
        return {"left_known_by": known_by, "quit_scene": None, "left_after": self._last_proof(period)}

    def _last_proof(self, period: Period[Ref]) -> dt.datetime | None:
        """When this person was last known to be there: when the chat was last shown, if that came later."""
        proofs = [moment for moment in (period.start, self.chat.shown_at) if moment is not None]
        return min(max(proofs), period.end) if period.end else None
