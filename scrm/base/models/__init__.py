"""Tables of the base room."""

from scrm.base.models.announcement import Announcement
from scrm.base.models.audit import AuditRecord
from scrm.base.models.slot import Slot
from scrm.base.models.token import ApiToken
from scrm.base.models.user import User
from scrm.base.models.work import Heartbeat, Work

__all__ = ["Announcement", "ApiToken", "AuditRecord", "Heartbeat", "Slot", "User", "Work"]
