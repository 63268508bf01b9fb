"""Broadcasts: tasks that members confirm by hand, and what became of each recipient."""

import calendar
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum
from typing import Any

from tests.otherplatform.corp import Corp, Follow
from tests.otherplatform.errors import Refusal

BEIJING = timezone(timedelta(hours=8))
TEXT_BYTES = 4000
ATTACHMENTS = 9
CUSTOMERS = 10_000
CHATS = 2000
REMINDERS = 3


class Sent(IntEnum):
    NOT_YET = 0
    DONE = 1
    NO_FRIEND = 2
    OVER_QUOTA = 3


@dataclass
class Broadcast:
    msgid: str
    chat_type: str
    created: int
    content: dict[str, Any]
    audience: dict[str, list[str]]
    """Recipients by the member who is to send."""
    creator: str = ""
    """Empty for what the API made; then it is the company's (create_type 0)."""
    confirmed: dict[str, int] = field(default_factory=dict)
    """When each member confirmed."""
    results: dict[tuple[str, str], Sent] = field(default_factory=dict)
    cancelled: bool = False
    reminders: list[int] = field(default_factory=list)
    readings: int = 0


class Broadcasts:
    """Every broadcast of a company, and the deliveries of each recipient."""

    def __init__(self, corp: Corp) -> None:
        self.corp = corp
        self.all: dict[str, Broadcast] = {}
        self.deliveries: dict[str, list[tuple[str, int]]] = defaultdict(list)
        """By recipient: msgid and time of everything that arrived."""

    def create(self, request: dict[str, Any]) -> tuple[Broadcast, list[str]]:
        """add_msg_template: the broadcast, and the recipients whom it leaves out."""
        chat_type = str(request.get("chat_type") or "single")
        content = checked_content(request)
        audience, failed = self._chats(request) if chat_type == "group" else self._customers(request)
        if not any(audience.values()):
            raise Refusal(41048)
        msgid = f"msg{next(self.corp.numbers):029d}"
        made = Broadcast(msgid, chat_type, self.corp.now(), content, audience)
        self.all[msgid] = made
        return made, failed

    def send_privately(self, userid: str, *recipients: str, chat_type: str = "single") -> str:
        """A member's own broadcast, which counts against the recipients' quota."""
        msgid = f"msg{next(self.corp.numbers):029d}"
        self.all[msgid] = Broadcast(
            msgid,
            chat_type,
            self.corp.now(),
            {"text": {"content": "自己发的"}},
            {userid: list(recipients)},
            creator=userid,
        )
        self.confirm(msgid, userid)
        return msgid

    def confirm(self, msgid: str, userid: str) -> None:
        """The member presses send: each recipient gets it, or does not, for a reason."""
        broadcast = self.all[msgid]
        if broadcast.cancelled or userid in broadcast.confirmed:
            raise AssertionError(f"{userid} has nothing to confirm in {msgid}")
        now = self.corp.now()
        broadcast.confirmed[userid] = now
        for recipient in broadcast.audience[userid]:
            outcome = self._outcome(broadcast, userid, recipient)
            broadcast.results[userid, recipient] = outcome
            if outcome == Sent.DONE:
                self.deliveries[recipient].append((msgid, now))

    def cancel(self, msgid: object) -> None:
        self.existing(msgid, active=True).cancelled = True

    def remind(self, msgid: object) -> None:
        broadcast = self.existing(msgid, active=True)
        day_ago = self.corp.now() - 86_400
        broadcast.reminders = [each for each in broadcast.reminders if each > day_ago]
        if len(broadcast.reminders) >= REMINDERS:
            raise Refusal(41094)
        broadcast.reminders.append(self.corp.now())

    def existing(self, msgid: object, active: bool = False) -> Broadcast:
        if not msgid:
            raise Refusal(41046)
        found = self.all.get(str(msgid))
        if found is None:
            raise Refusal(41047)
        if active and found.cancelled:
            raise Refusal(41093)
        return found

    def being_read(self, msgid: object) -> Broadcast:
        """For a reading of tasks or results, which comes too early at first."""
        found = self.existing(msgid)
        found.readings += 1
        if found.readings <= self.corp.quirks.dispatching_reads:
            raise Refusal(41063)
        return found

    def _chats(self, request: dict[str, Any]) -> tuple[dict[str, list[str]], list[str]]:
        sender = str(request.get("sender") or "")
        self._check_sender(sender)
        chosen = _strings(request, "chat_id_list", CHATS)
        own = [
            each.chat_id for each in self.corp.truth.chats.values() if each.owner == sender and each.dismissed is None
        ]
        for each in chosen:
            if each not in own:
                raise Refusal(90501)
        return {sender: chosen or own}, []

    def _customers(self, request: dict[str, Any]) -> tuple[dict[str, list[str]], list[str]]:
        sender = str(request.get("sender") or "")
        wanted = _strings(request, "external_userid", CUSTOMERS)
        if not sender and not wanted and not request.get("tag_filter"):
            raise Refusal(40063)
        if sender:
            self._check_sender(sender)
        candidates: dict[str, Follow] = {}
        for follow in self.corp.truth.listed(sender):
            if not follow.half and _has_tags(follow, request.get("tag_filter")):
                # Without a sender the platform picks; here, whoever added them last.
                held = candidates.get(follow.external_userid)
                if held is None or held.since <= follow.since:
                    candidates[follow.external_userid] = follow
        recipients = wanted or list(candidates)
        audience: dict[str, list[str]] = defaultdict(list)
        for each in recipients:
            if each in candidates and each not in audience[candidates[each].userid]:
                audience[candidates[each].userid].append(each)
        return dict(audience), [each for each in recipients if each not in candidates]

    def _check_sender(self, userid: str) -> None:
        member = self.corp.truth.members.get(userid)
        if member is None or not member.serves_customers:
            raise Refusal(40003)

    def _outcome(self, broadcast: Broadcast, userid: str, recipient: str) -> Sent:
        truth = self.corp.truth
        if broadcast.chat_type == "group":
            if truth.chats[recipient].dismissed is not None:
                return Sent.NO_FRIEND
        elif not any(each.is_open for each in truth.listed(userid, recipient)):
            return Sent.NO_FRIEND
        return Sent.OVER_QUOTA if self._is_over_quota(recipient) else Sent.DONE

    def _is_over_quota(self, recipient: str) -> bool:
        """platform.md 1: company-made and member-made together, in Beijing time."""
        now = datetime.fromtimestamp(self.corp.now(), UTC).astimezone(BEIJING)
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        month = today.replace(day=1)
        week = today - timedelta(days=today.weekday())
        begin, cap = {
            "month_total": (month, calendar.monthrange(now.year, now.month)[1]),
            "week_7": (week, 7),
            "day_1": (today, 1),
        }[self.corp.quirks.receive_rule]
        arrived = [at for _, at in self.deliveries[recipient] if at >= begin.timestamp()]
        return len(arrived) >= cap


def checked_content(request: dict[str, Any]) -> dict[str, Any]:
    text = request.get("text") or {}
    attachments = request.get("attachments") or []
    if not isinstance(text, dict) or not isinstance(attachments, list):
        raise Refusal(40058)
    words = str(text.get("content") or "")
    if not words and not attachments:
        raise Refusal(40063)
    if len(words.encode()) > TEXT_BYTES:
        raise Refusal(45002)
    if len(attachments) > ATTACHMENTS:
        raise Refusal(41064)
    for each in attachments:
        if not isinstance(each, dict) or each.get("msgtype") not in each:
            raise Refusal(40058)
    return {"text": text, "attachments": attachments}


def _strings(request: dict[str, Any], name: str, cap: int) -> list[str]:
    given = request.get(name) or []
    if not isinstance(given, list) or len(given) > cap:
        raise Refusal(40058)
    return [str(each) for each in given]


def _has_tags(follow: Follow, tag_filter: object) -> bool:
    """Any tag of each list; every list of the filter."""
    if not isinstance(tag_filter, dict):
        return True
    return all(set(group["tag_list"]) & set(follow.tag_ids) for group in tag_filter["group_list"])
