"""The chain of member-list versions: what was seen, what is missing, whether a read is older than an event."""

import datetime as dt
from collections.abc import Iterable

from groups.models import ChatGap, ChatVersion, GroupChat
from scrm.base import clock
from scrm.wecom.callback.events import Event

LONGEST_WALK = 200  # links followed back; a read is never older than that


def note_event(chat: GroupChat, event: Event) -> None:
    """Adds an event's versions. A LastMemVer that was never seen is a gap: an event before it is missing so far."""
    last, current = event.text("LastMemVer")[:64], event.text("CurMemVer")[:64]
    if not current:
        return
    known = set(chat.versions.filter(version__in=[last, current]).values_list("version", flat=True))
    gap = bool(last) and last not in known and chat.versions.exists()
    ChatVersion.objects.update_or_create(
        chat=chat, version=current, defaults={"previous": last, "happened_at": event.happened_at}
    )
    ChatGap.objects.filter(chat=chat, version=current, healed_at=None).update(healed_at=clock.now(), healed_by="late")
    if gap:
        ChatGap.objects.get_or_create(chat=chat, version=last, defaults={"found_at": clock.now()})


def note_read(chat: GroupChat, version: str) -> None:
    """Adds the version of an applied read; the list being read anew heals what gaps can be healed."""
    if version:
        ChatVersion.objects.bulk_create([ChatVersion(chat=chat, version=version[:64])], ignore_conflicts=True)
    heal_by_read(chat)


def heal_by_read(chat: GroupChat) -> None:
    """The list has been read at a version behind every gap: what can be known is known."""
    ChatGap.objects.filter(chat=chat, healed_at=None).update(healed_at=clock.now(), healed_by="read")


class Chain:
    """The known links of one chat, newest version → the one before."""

    def __init__(self, chat: GroupChat) -> None:
        rows: Iterable[tuple[str, str, dt.datetime | None]] = chat.versions.order_by("-pk").values_list(
            "version", "previous", "happened_at"
        )[:2000]
        listed = list(rows)
        self._previous = {version: previous for version, previous, _ in listed if previous}
        self._happened = {version: happened for version, _, happened in listed if happened}

    def is_older(self, version: str, than: str) -> bool:
        """True when `version` is known to come before `than`: by the links, else by the times of their events."""
        if not version or not than or version == than:
            return False
        if self._leads_to(than, version):
            return True
        if self._leads_to(version, than):
            return False
        one, other = self._happened.get(version), self._happened.get(than)
        return one is not None and other is not None and one < other

    def reaches(self, version: str, than: str) -> bool:
        """True when `version` is `than` or is known to come after it."""
        return bool(version) and (version == than or self.is_older(than, version))

    def _leads_to(self, newer: str, older: str) -> bool:
        current = newer
        for _ in range(LONGEST_WALK):
            current = self._previous.get(current, "")
            if current == older:
                return True
            if not current:
                return False
        return False
