"""The full sync's part over chats: the list, a read of each chat, and who is gone from them."""

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest, Least, Now
from django.utils.translation import gettext as _

from contacts import people
from contacts.models import Staff
from contacts.sync.job import Job
from contacts.sync.kinds import LATER, Found, Kind, Removal, UnlikelyAnswer, add_kind, add_removal
from groups import announcements, stays
from groups.models import GroupChat, Stay
from scrm.base import clock, fences
from scrm.base.models.announcement import Source
from scrm.base.work import Again
from scrm.wecom import errors
from scrm.wecom.api import group_chats as api
from scrm.wecom.errors import WecomError, unless_gone
from scrm.wecom.schemas import GroupChatDetail, GroupChatEntry, GroupChatPage, MemberInfo

LIST, CHATS = "chat_list", "chats"
CHATS_A_STEP = 40
MOST_PAGES = 1_000  # of a thousand chats each


def connect() -> None:
    """Registers this room's part of a run."""
    add_kind(Kind(LIST, read_list, after="staff"))
    add_kind(Kind(CHATS, read_chats, after=LATER))
    add_removal(Removal("stays", "stays", find_gone_stays, end_stays))
    add_removal(Removal("chats", "stays", find_gone_chats, dismiss_chats))


# --- the list ---------------------------------------------------------------------------------------------------------


def read_list(job: Job) -> bool:
    """Every chat that the platform lists; each page makes the steps that read its chats.

    Beyond 1,000 staff members the platform asks for owners (81017): then the payload holds them in hundreds.
    """
    while not job.out_of_time:
        job.reading()
        place, _bar, cursor = job.step.cursor.partition("|")
        try:
            page = api.fetch_page(cursor, owners=_owners_at(job, int(place or 0)))
        except WecomError as error:
            if error.code != errors.TOO_MANY_OWNERS or job.step.payload:
                raise
            _ask_by_owner(job)
            continue
        if page.next_cursor and (page.next_cursor == cursor or job.step.pages > MOST_PAGES):
            raise UnlikelyAnswer(_("WeCom gives the same page of chats again and again."))
        after = f"{place}|{page.next_cursor}" if page.next_cursor else _next_owners(job, int(place or 0))
        with job.page(rows=len(page.chats), cursor=after):
            _take_list(job, page)
        if not after:
            return True
    return False


def _owners_at(job: Job, place: int) -> list[str] | None:
    return [str(userid) for userid in job.step.payload[place]] if job.step.payload else None


def _next_owners(job: Job, place: int) -> str:
    return f"{place + 1}|" if place + 1 < len(job.step.payload) else ""


def _ask_by_owner(job: Job) -> None:
    """Those who serve customers, and the owners that we know, who may have left (platform.md 21): also those of chats out
    of sight, which would else never be listed again."""
    serving = Staff.objects.present().filter(serves_customers=True).values_list("userid", flat=True)
    owning = GroupChat.objects.perhaps_living().exclude(owner=None).values_list("owner__userid", flat=True)
    userids = sorted({*serving, *owning})
    size = api.MAX_OWNERS_PER_PAGE
    job.step.payload = [userids[at : at + size] for at in range(0, len(userids), size)]
    with job.page(cursor=""):
        pass


def _take_list(job: Job, page: GroupChatPage) -> None:
    chat_ids = list(dict.fromkeys(entry.chat_id for entry in page.chats))
    known = set(GroupChat.objects.filter(chat_id__in=chat_ids).values_list("chat_id", flat=True))
    new = [GroupChat(chat_id=chat_id) for chat_id in chat_ids if chat_id not in known]
    GroupChat.objects.bulk_create(new, ignore_conflicts=True)
    for status, same in _by_status(page.chats):
        rows = GroupChat.objects.filter(chat_id__in=same).exclude(platform_status=status)
        rows.update(platform_status=status, changed_at=Now())
    parts = [chat_ids[at : at + CHATS_A_STEP] for at in range(0, len(chat_ids), CHATS_A_STEP)]
    job.add_steps(CHATS, [(f"{job.step.pages}-{number}", part) for number, part in enumerate(parts)])
    job.drifted(chats_missing=len(new))


def _by_status(entries: Sequence[GroupChatEntry]) -> Iterator[tuple[int, list[str]]]:
    for status in sorted({entry.status for entry in entries}):
        yield status, [entry.chat_id for entry in entries if entry.status == status]


# --- a read of each chat ----------------------------------------------------------------------------------------------


def read_chats(job: Job) -> bool:
    """Reads the chats of the payload; the cursor counts them. Who is missing is noted, not removed yet.

    A chat that lacks somebody who joined a moment ago is read once more at the end: reads lag (platform.md 10).
    """
    while (place := int(job.step.cursor or 0)) < len(job.step.payload):
        if job.out_of_time:
            return False
        started_at, started = job.reading(), clock.now()
        chat_id = str(job.step.payload[place])
        detail = unless_gone(partial(api.fetch, chat_id))
        if detail is None:
            job.step.payload[place] = ""  # not seen: the removals look at it once more
        with job.page(rows=1, cursor=str(place + 1)):
            young = detail is not None and not _take_chat(job, detail, started_at, started)
            if young:
                job.step.payload.append(chat_id)
        if young and place + 1 >= len(set(job.step.payload)):
            raise Again(2.0, reason="reads lag behind events")
    return True


def _take_chat(job: Job, detail: GroupChatDetail, started_at: dt.datetime, started: dt.datetime) -> bool:
    """False when the read can't be judged yet: somebody who joined a moment ago is missing."""
    chat = stays.chat_of(detail.chat_id)
    if chat.is_out_of_sight and not fences.is_late(chat, started_at):
        stays.resume(chat)
        job.drifted(chats_returned=1)
    if chat.first_read_at is None:
        _seed(chat, detail, started)
    absent = _absent(chat, detail)
    if any(clock.is_young(stay.joined_at, stays.READS_LAG, at=started) for stay in absent):
        return False
    whole = dataclasses.replace(detail, members=(*detail.members, *(_as_member(stay) for stay in absent)))
    result = stays.apply_to(chat, whole, started_at=started_at, known_by=Stay.KnownBy.SYNC)
    if result.applied and absent:
        before = chat.shown_at.isoformat() if chat.shown_at else None
        job.step.absent.append([chat.pk, started_at.isoformat(), before, [stay.pk for stay in absent]])
    _announce(job, chat, result.change)
    job.counted(chats=1, members=len(detail.members))
    job.drifted(**result.drift)
    return True


def _absent(chat: GroupChat, detail: GroupChatDetail) -> list[Stay]:
    """Open stays that the list lacks."""
    listed = {member.member_id for member in detail.members}
    present = chat.stays.present().values_list("pk", "member_id")
    return list(Stay.objects.filter(pk__in=[pk for pk, member_id in present if member_id not in listed]))


def _as_member(stay: Stay) -> MemberInfo:
    """An open stay that the list lacks, told as if it were there, so that nothing ends before the removals."""
    return MemberInfo(
        member_id=stay.member_id,
        type=1 if stay.staff_id else 2,
        unionid="",
        joined_at=stay.read_joined_at,
        join_scene=stay.join_scene or 0,
        invited_by=stay.invited_by,
        state=stay.state,
        nickname=stay.nickname,
        name="",
    )


# Everybody of a chat that is read for the first time: they were there before us. Whom events have told of already is left
# to the ledger's own verb, which comes after.
_SEED = """
INSERT INTO groups_stay (chat_id, member_id, customer_id, staff_id, joined_at, read_joined_at, joined_known_by, counted,
                         left_known_by, join_scene, invited_by, state, nickname)
SELECT %(chat)s, p.member_id, c.id, s.id, coalesce(p.joined_at, %(started)s), p.joined_at, 'first_read', false,
       '', nullif(p.join_scene, 0), p.invited_by, p.state, p.nickname
FROM jsonb_to_recordset(%(rows)s) AS p (member_id text, own boolean, joined_at timestamptz, join_scene int,
                                        invited_by text, state text, nickname text)
LEFT JOIN contacts_customer c ON NOT p.own AND c.external_userid = p.member_id
LEFT JOIN contacts_staff s ON p.own AND s.userid = p.member_id
WHERE NOT EXISTS (SELECT 1 FROM groups_stay o WHERE o.chat_id = %(chat)s AND o.member_id = p.member_id)
  AND NOT EXISTS (SELECT 1 FROM groups_stayevidence e WHERE e.chat_id = %(chat)s AND e.member_id = p.member_id)
ON CONFLICT DO NOTHING
"""


def _seed(chat: GroupChat, detail: GroupChatDetail, started: dt.datetime) -> None:
    """Stays of a first read in one statement; the persons are made before where they are missing."""
    members = {member.member_id: member for member in detail.members if member.member_id}
    people.staff_by_userid(key for key, member in members.items() if member.type == stays.STAFF_MEMBER)
    people.meet({key: member.name for key, member in members.items() if member.type != stays.STAFF_MEMBER})
    rows = json.dumps([_seed_row(member) for member in members.values()])
    with connection.cursor() as cursor:
        cursor.execute(_SEED, {"chat": chat.pk, "started": started, "rows": rows})


def _seed_row(member: MemberInfo) -> dict[str, Any]:
    return {
        "member_id": member.member_id,
        "own": member.type == stays.STAFF_MEMBER,
        "joined_at": member.joined_at.isoformat() if member.joined_at else None,
        "join_scene": member.join_scene,
        "invited_by": member.invited_by[:64],
        "state": member.state[:64],
        "nickname": member.nickname[:128],
    }


# --- who is gone ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Gone:
    """Open stays of one chat that its read, begun at `read_at`, lacked; and when the read before it had held them."""

    chat: int
    read_at: dt.datetime
    stays: list[int]
    last_proof: dt.datetime | None


def find_gone_stays(job: Job) -> Found:
    """Stays that their chat's read lacked, unless a later read has judged them since."""
    gone: list[_Gone] = []
    for chat_pk, started_at, before, pks in _absences(job):
        chat = GroupChat.objects.filter(pk=chat_pk, read_at=dt.datetime.fromisoformat(started_at)).first()
        if chat is not None:
            present = list(chat.stays.present().filter(pk__in=pks).values_list("pk", flat=True))
            proof = dt.datetime.fromisoformat(before) if before else None
            gone += [_Gone(chat.pk, dt.datetime.fromisoformat(started_at), present, proof)] if present else []
    return Found(sum(len(item.stays) for item in gone), Stay.objects.present().count(), gone)


def _absences(job: Job) -> Iterator[Any]:
    for step in job.run.steps.filter(kind=CHATS).exclude(absent=[]):
        yield from step.absent


def end_stays(job: Job, found: Found) -> dict[str, int]:
    """Ends them at the moment of being found, unless a later read has judged them since; their leaving came after the
    chat's read before this run's."""
    now = clock.now()
    ended: list[Stay] = []
    for item in found.rows:
        if GroupChat.objects.select_for_update(no_key=True).filter(pk=item.chat, read_at=item.read_at).first() is None:
            continue
        rows = Stay.objects.present().filter(pk__in=item.stays)
        keys = list(rows.values_list("pk", flat=True))
        proof = Greatest(F("joined_at"), Value(item.last_proof)) if item.last_proof else F("joined_at")
        rows.update(
            left_at=Greatest(F("joined_at"), Value(now)),
            left_known_by=Stay.KnownBy.SYNC,
            left_after=Least(proof, Greatest(F("joined_at"), Value(now))),
            changed_at=Now(),
        )
        ended += Stay.objects.filter(pk__in=keys).select_related("chat")
    stays.refresh_people({stay.chat_id for stay in ended})
    for stay in ended:
        _announce(job, stay.chat, stays.Change(left=[stay]))
    return {"members_gone": len(ended)}


def find_gone_chats(job: Job) -> Found:
    """Living chats that no list held and whose read is refused for good. `count`: the stays in them.

    A chat that began after the run may be in no list yet; of one that was never shown no beginning is known, but that it
    was asked for before the run.
    """
    listed = {
        chat_id for payload in job.run.steps.filter(kind=CHATS).values_list("payload", flat=True) for chat_id in payload
    }
    gone: dict[int, dt.datetime] = {}
    older = Q(created_at__lt=job.run.started_at) | Q(created_at=None, read_at__lt=job.run.started_real_at)
    for chat in GroupChat.objects.living().filter(older).order_by("pk"):
        started_at = _gone_at(job, chat.chat_id) if chat.chat_id not in listed else None
        if started_at is not None:
            gone[chat.pk] = started_at
    present = Stay.objects.present()
    return Found(present.filter(chat__in=gone).count(), present.count(), list(gone.items()))


def _gone_at(job: Job, chat_id: str) -> dt.datetime | None:
    """When the read began that was refused for good; None: the chat is there. Which code a chat out of the app's sight
    gets is not documented: an id that is none, a missing permission and a chat that is gone all do."""
    job.keep()
    started_at = job.reading()
    try:
        api.fetch(chat_id)
    except WecomError as error:
        if error.permanent and error.code is not None:
            return started_at
        raise
    return None


def dismiss_chats(job: Job, found: Found) -> dict[str, int]:
    """Ends them as dismissed, at the moment of being found, unless a later read has shown them since."""
    now = clock.now()
    count = 0
    for chat_pk, started_at in found.rows:
        chat = GroupChat.objects.living().select_for_update(no_key=True).filter(pk=chat_pk).first()
        if chat is not None and not fences.is_late(chat, started_at):
            stays.dismiss(chat, now, known_by=GroupChat.DismissedBy.SYNC)
            stays.apply_no_answer(chat, started_at=started_at)
            count += 1
    return {"chats_dismissed": count}


def _announce(job: Job, chat: GroupChat, change: stays.Change) -> None:
    """A first sync announces nothing: everybody in it was there before us."""
    if job.run.first:
        return
    announcements.changed(chat, change, source=Source.SYNC)
