"""The mirror's lane over callbacks about chats: take the evidence, read the chat until its version fits, compare."""

import datetime as dt
from functools import partial
from itertools import accumulate

from django.conf import settings
from django.db.models import Exists, F, Func, OuterRef, Value
from django.db.models.functions import Now

from contacts.models import Staff
from contacts.renaming import mergings, renamings
from groups import announcements, stays, versions
from groups.models import GroupChat, Stay, StayEvidence
from groups.story import tell
from scrm.base.dbclock import db_now
from scrm.base.failpoints import failpoint
from scrm.base.models.announcement import Source
from scrm.base.work import Claim, lane
from scrm.wecom.api import group_chats as api
from scrm.wecom.callback.reading import Incoming, incoming_of, read_is_due, seconds_to_next_read
from scrm.wecom.callback.routes import route
from scrm.wecom.errors import unless_gone
from scrm.wecom.schemas import GroupChatDetail

CHAT = "mirror:chat"
KINDS = {"add_member": StayEvidence.Kind.JOINED, "del_member": StayEvidence.Kind.LEFT}
AGREE_AFTER = dt.timedelta(seconds=5)  # two reads this far apart that agree are believed


def connect() -> None:
    """Says which events this lane takes."""
    route(
        "change_external_chat",
        lane=CHAT,
        entity=lambda event: f"chat:{event.key('ChatId')}" if event.key("ChatId") else "",
        delay=settings.CHAT_COALESCE_SECONDS,
    )
    renamings.append(_rename_staff)
    mergings.append(_merge_staff)


def _rename_staff(old: str, new: str) -> None:
    Stay.objects.filter(staff__userid=new, member_id=old).update(member_id=new)
    same = StayEvidence.objects.filter(chat=OuterRef("chat"), member_id=new, kind=OuterRef("kind"), at=OuterRef("at"))
    told = StayEvidence.objects.filter(chat__stays__staff__userid=new, member_id=old).exclude(Exists(same))
    StayEvidence.objects.filter(pk__in=list(told.values_list("pk", flat=True))).update(member_id=new)
    Stay.objects.filter(invited_by=old).update(invited_by=new)
    GroupChat.objects.filter(admin_userids__contains=[old]).update(
        admin_userids=Func(F("admin_userids"), Value(old), Value(new), function="array_replace")
    )


def _merge_staff(double: Staff, into: Staff) -> None:
    """Stays that both rows have are the same: the member's own stay. Where a list lacked the old userid and held the new
    one, nobody had left."""
    both = Stay.objects.filter(staff=double, chat__stays__staff=into)
    shared = sorted(set(both.values_list("chat__pk", flat=True)))
    still_there = list(both.present().values_list("chat__pk", flat=True))
    Stay.objects.filter(staff=double, chat__in=shared).delete()
    latest = (
        Stay.objects.filter(staff=into, chat__in=still_there).order_by("chat", "-joined_at", "-pk").distinct("chat")
    )
    Stay.objects.filter(pk__in=latest.values("pk"), left_known_by__in=stays.WEAK).update(
        left_at=None, left_known_by="", left_after=None, changed_at=Now()
    )
    Stay.objects.filter(staff=double).update(staff=into)
    GroupChat.objects.filter(owner=double).update(owner=into)
    stays.refresh_people(shared)


@lane(CHAT, queue="mirror", threads=6, lease=40, back_off=(5.0, 30.0))
def mirror_chat(claim: Claim) -> None:
    """One chat: joins and leaves from the events at once, then reads until the list is as new as the events."""
    items = incoming_of(claim)
    with claim.writing():
        chat, change = _take_evidence(claim.key, items)
    tell(chat, change)
    failpoint("chat.evidence_taken")
    if chat.dismissed_at is not None and not chat.is_out_of_sight:
        claim.done()
        return
    now = db_now()
    unsettled = _unsettled(chat, items)
    if not unsettled:
        versions.heal_by_read(chat)
    if not read_is_due(unsettled, last_read=chat.read_at, now=now, delays_of=_delays_of):
        _settle(claim, chat, items, last_read=chat.read_at)
        return
    detail = unless_gone(partial(api.fetch, claim.key))
    failpoint("chat.read")
    with claim.writing():
        chat = _apply(chat, detail, started_at=now)
        _settle(claim, chat, items, last_read=now)
    failpoint("chat.written")


def _take_evidence(chat_id: str, items: list[Incoming]) -> tuple[GroupChat, stays.Change]:
    chat = stays.chat_of(chat_id)
    told: list[StayEvidence] = []
    for item in items:
        if item.event.change_type == "dismiss" and item.event.happened_at:
            stays.dismiss(chat, item.event.happened_at)
            chat.refresh_from_db()
        elif _proves_life(chat, item):
            stays.resume(chat)
        versions.note_event(chat, item.event)
        told += _evidence(chat, item)
    change = stays.note(chat, told)
    announcements.changed(chat, change, source=Source.CALLBACK)
    return chat, change


def _proves_life(chat: GroupChat, item: Incoming) -> bool:
    """Whether something happened in a chat later than it was taken as dismissed."""
    happened = item.event.happened_at
    return chat.is_out_of_sight and happened is not None and happened > (chat.dismissed_at or happened)


def _evidence(chat: GroupChat, item: Incoming) -> list[StayEvidence]:
    event, kind = item.event, KINDS.get(item.event.text("UpdateDetail"))
    if event.change_type != "update" or kind is None or event.happened_at is None:
        return []
    scene = event.integer("JoinScene" if kind == StayEvidence.Kind.JOINED else "QuitScene")
    return [
        StayEvidence(
            chat=chat,
            member_id=member[:64],
            kind=kind,
            at=event.happened_at,
            scene=scene if kind == StayEvidence.Kind.LEFT else _join_scene(scene),
            version=event.text("CurMemVer")[:64],
            callback_id=item.callback.pk,
        )
        for member in event.changed_members
    ]


def _join_scene(scene: int | None) -> int | None:
    """The event's 0 (invited, directly or by link) is coarser than the list's 1, 2, 3: only the scan is taken over."""
    return scene if scene == 3 else None


def _apply(chat: GroupChat, detail: GroupChatDetail | None, *, started_at: dt.datetime) -> GroupChat:
    if detail is None:  # dismissed, or out of our range: nothing can be compared
        stays.apply_no_answer(chat, started_at=started_at)
    else:
        before = (chat.read_at, chat.member_version)
        result = stays.apply_read(detail, started_at=started_at)
        announcements.changed(chat, result.change, source=Source.CALLBACK)
        tell(chat, result.change)
        chat.agreed = (  # type: ignore[attr-defined]  # for this job only
            before[0] is not None and started_at - before[0] >= AGREE_AFTER and before[1] == detail.member_version
        )
    agreed = getattr(chat, "agreed", False)
    chat.refresh_from_db()
    chat.agreed = agreed  # type: ignore[attr-defined]
    return chat


def _unsettled(chat: GroupChat, items: list[Incoming]) -> list[Incoming]:
    chain = versions.Chain(chat)
    return [item for item in items if not _fits(chat, chain, item)]


def _fits(chat: GroupChat, chain: versions.Chain, item: Incoming) -> bool:
    """The last read is as new as the event, or two reads that agree contradict it."""
    current, last = item.event.text("CurMemVer"), item.event.text("LastMemVer")
    if not current or not chat.member_version:
        return False
    if chain.reaches(chat.member_version, current):
        return True
    return getattr(chat, "agreed", False) and chat.member_version != last


def _settle(claim: Claim, chat: GroupChat, items: list[Incoming], *, last_read: dt.datetime | None) -> None:
    now, chain = db_now(), versions.Chain(chat)
    for item in items:
        wait = seconds_to_next_read(item, last_read=last_read, now=now, delays_of=_delays_of)
        if wait is None or _fits(chat, chain, item):
            claim.done([item.work])  # what never fitted is left to the nightly sync
        else:
            claim.again(wait, [item.work], reason="waits for a newer read", further=True)


def _delays_of(item: Incoming) -> tuple[float, ...]:
    """Seconds after receipt at which a chat is read (platform.md 10): at once, then after each wait.

    Events without versions can't be matched: they are read as contacts are.
    """
    first: float = settings.CHAT_COALESCE_SECONDS
    if not item.event.text("CurMemVer"):
        return (first, *settings.CONTACT_READ_DELAYS)
    return tuple(accumulate((first, *settings.CHAT_REREAD_DELAYS)))
