"""Tables of what we say."""

from campaigns.models.broadcast import OPEN_STATES, Broadcast
from campaigns.models.delivery import PARTITIONS, Delivery
from campaigns.models.dispatch import FINAL_COUNTS, Dispatch, Reminder
from campaigns.models.handpost import HandPost, HandPostTick
from campaigns.models.welcome import Welcome, WelcomeAttachment, WelcomeRule

__all__ = [
    "FINAL_COUNTS",
    "OPEN_STATES",
    "PARTITIONS",
    "Broadcast",
    "Delivery",
    "Dispatch",
    "HandPost",
    "HandPostTick",
    "Reminder",
    "Welcome",
    "WelcomeAttachment",
    "WelcomeRule",
]
