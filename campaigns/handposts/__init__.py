"""Manual posts: made for chosen chats, told to their owners when they are due, ticked by them."""

from campaigns.handposts.making import Checked, cancel, check, is_second_click, keep, make, remind
from campaigns.handposts.ticking import tick

__all__ = ["Checked", "cancel", "check", "connect", "is_second_click", "keep", "make", "remind", "tick"]


def connect() -> None:
    """Registers the lane, and what a merged staff row takes along."""
    from campaigns.handposts import telling

    telling.connect()
