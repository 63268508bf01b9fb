"""What this room says has happened: stays that began and ended."""

from groups.models import GroupChat
from groups.stays import Change
from scrm.base.announcing import Happening, announce
from scrm.base.models.announcement import Source


def changed(chat: GroupChat, change: Change, *, source: Source) -> None:
    """What has changed in one chat; who was there when it was first read has not joined."""
    joined = (Happening(chat.entity, stay.joined_at, {"stay": stay.pk}) for stay in change.joined if stay.counted)
    left = (Happening(chat.entity, stay.left_at, {"stay": stay.pk}) for stay in change.left if stay.left_at)
    announce("stay.began", joined, source=source)
    announce("stay.ended", left, source=source)
