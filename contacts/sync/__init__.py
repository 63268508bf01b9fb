"""The full sync: reads everything that the platform shows us, heals the ledgers and measures how far they had drifted.

A run is a row, its steps are durable work: they go on where they stood after a crash, are tried again one by one, and run
side by side. Order: departments → staff → customers of each staff member and chats → removals; tags at any time.
Removing more than 2 % waits for a person.
"""

from contacts.sync import book, contacts, ending, removing
from contacts.sync.kinds import LATER, START, Kind, Removal, add_kind, add_removal
from contacts.sync.run import NotHeld, Progress, accept_removals, progress, run_inline, start

__all__ = ["NotHeld", "Progress", "accept_removals", "connect", "progress", "run_inline", "start"]


def connect() -> None:
    """Registers this room's part of a run."""
    add_kind(Kind("departments", book.read_departments, after=START))
    add_kind(Kind("tags", book.read_tags, after=START))
    add_kind(Kind("staff", book.read_staff, after="departments", plan=book.plan_staff))
    add_kind(Kind("contacts", contacts.read_contacts, after="staff", plan=contacts.plan_contacts))
    add_kind(Kind("removals", removing.remove, after=LATER))
    add_removal(Removal("staff", "follows", ending.find_gone_staff, ending.let_staff_go))
    add_removal(Removal("follows", "follows", ending.find_gone_follows, ending.end_follows))
