"""The platform's world and ours, in the same words: after the last fault and the last sync they are equal."""

from collections import Counter
from typing import Any

from django.db.models.functions import Coalesce

from campaigns.models import Delivery, Dispatch, Reminder, Welcome
from contacts.models import Department, Follow, Notice, Staff, Tag
from groups.models import GroupChat
from tests.corp import Corp


def theirs(corp: Corp) -> dict[str, Any]:
    """What is so at the platform now. Friends who deleted us are none, half ones are told apart."""
    world = corp.standin.world
    return {
        "departments": {row.id: (row.name, row.parentid) for row in world.book.departments.values()},
        "staff": {row.userid: row.name for row in world.book.staff.values()},
        "tags": {tag.id: tag.name for group in world.tags.seen() for tag in group.tags},
        "friends": {
            (follow.userid, person.external_userid, follow.half)
            for person in world.contacts.customers.values()
            for follow in person.follows
            if not follow.one_way
        },
        "chats": {
            chat.chat_id: (chat.name, chat.owner, frozenset(chat.members))
            for chat in world.chats.chats.values()
            if not chat.dismissed
        },
    }


def ours() -> dict[str, Any]:
    """What our ledgers say of the same."""
    open_now = Follow.objects.open().values_list("staff__userid", "customer__external_userid", "half")
    return {
        "departments": {row.pk: (row.name, row.parent_id) for row in Department.objects.present()},
        "staff": dict(Staff.objects.present().values_list("userid", "name")),
        "tags": dict(Tag.objects.filter(deleted_at=None).values_list("tag_id", "name")),
        "friends": set(open_now),
        "chats": {
            chat.chat_id: (chat.name, chat.owner and chat.owner.userid, frozenset(chat.stays.present().values_list("member_id", flat=True)))
            for chat in GroupChat.objects.living().select_related("owner")
        },
    }  # fmt: skip


def nobody_twice_nobody_missing(corp: Corp) -> None:
    """What the platform carried out for us is what we say that it did, each once."""
    effects = _effects(corp)
    assert max(effects.values(), default=1) == 1, [effect for effect, count in effects.items() if count > 1]
    perhaps = _perhaps(corp)
    assert set(effects) - perhaps == _surely() - perhaps


def _effects(corp: Corp) -> Counter[tuple[str, ...]]:
    """Everything that a person noticed, by who and what."""
    ledger = corp.standin.ledger
    found: Counter[tuple[str, ...]] = Counter()
    found.update(("welcome", row["external_userid"], row["code"]) for row in ledger.of("welcome"))
    found.update(("task", row["msgid"], who) for row in ledger.of("broadcast") for who in row["recipients"])
    found.update(("cancelled", row["msgid"]) for row in ledger.of("cancellation"))
    found.update(_reminders(Counter(row["msgid"] for row in ledger.of("reminder"))))
    found.update(("notice", _words(row["content"]), who) for row in ledger.of("app_message") for who in row["received"])
    return found


def _surely() -> set[tuple[str, ...]]:
    tasks = Dispatch.objects.exclude(msgid="")
    deliveries = Delivery.objects.exclude(state="excluded").exclude(reason="not_taken").exclude(dispatch__msgid="")
    recipient = Coalesce("customer__external_userid", "chat__chat_id")
    return {
        *(("welcome", row.external_userid, row.code) for row in Welcome.objects.filter(outcome="sent")),
        *(("task", msgid, who) for msgid, who in deliveries.values_list("dispatch__msgid", recipient)),
        *(("cancelled", msgid) for msgid in tasks.exclude(cancel_asked_at=None).values_list("msgid", flat=True)),
        *_reminders(_asked("sent")),
        *(("notice", *key) for key in _notices("sent")),
    }


def _perhaps(corp: Corp) -> set[tuple[str, ...]]:
    """What nobody can ask the platform about: it says so itself, and is not tried again; and whom it had not taken into a
    task, when that answer was lost and nobody confirmed."""
    return {
        *(("task", row["msgid"], who) for row in corp.standin.ledger.of("broadcast") for who in row["fail_list"]),
        *_reminders(_asked("unknown"), after=_asked("sent")),
        *(("notice", *key) for key in _notices("unknown")),
    }


def _asked(state: str) -> Counter[str]:
    return Counter(Reminder.objects.filter(state=state).values_list("dispatch__msgid", flat=True))


def _reminders(counts: Counter[str], after: Counter[str] | None = None) -> list[tuple[str, ...]]:
    """A task is reminded of up to three times, so each has its number."""
    first = after or Counter()
    return [
        ("reminder", msgid, str(first[msgid] + number)) for msgid, count in counts.items() for number in range(count)
    ]


def _words(card: dict[str, Any]) -> str:
    return f"{card['title']} {card['description']}"


def _notices(state: str) -> set[tuple[str, str]]:
    return {
        (f"{row.title} {row.description}", row.staff.userid)
        for row in Notice.objects.filter(state=state).select_related("staff")
    }
