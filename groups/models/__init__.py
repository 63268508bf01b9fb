"""Tables of chats."""

from groups.models.chat import ChatGap, ChatVersion, GroupChat
from groups.models.stay import Stay, StayEvidence

__all__ = ["ChatGap", "ChatVersion", "GroupChat", "Stay", "StayEvidence"]
