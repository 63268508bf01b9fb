"""Every named place where a process may die, by the scene of `test_killed` (or `test_crashes`) that leads there.

`tests/architecture/test_failpoints.py` compares them with the code: a new place without a test fails.
"""

INBOX = ("inbox.before_commit", "inbox.after_commit")
WELCOME = ("welcome.claimed", "welcome.written", "welcome.sent", "welcome.recorded")
CONTACT = ("mirror:contact.claimed", "contact.evidence_taken", "contact.read", "contact.written")
CHAT = ("mirror:chat.claimed", "chat.evidence_taken", "chat.read", "chat.written")
STAFF = ("mirror:staff.claimed", "staff.read", "staff.written")
DEPARTMENTS = ("mirror:department.claimed", "departments.read", "departments.written")
TAGS = ("mirror:tags.claimed", "tags.read", "tags.written")
UNROUTED = ("inbox.claimed",)
SEND = ("send.claimed", "send.written", "send.answered", "send.recorded")
LOOK_UP = ("send.lost", "send.looked", "send.not_found")
RESULTS = (
    "results.claimed", "results.task_read", "results.confirmed", "results.page_read", "results.page_written",
    "results.settled",
)  # fmt: skip
TAKE_BACK = ("results.cancelled", "results.cancel_noted")
REMIND = ("remind.claimed", "remind.written", "remind.called", "remind.recorded")
NOTICE = ("notice.claimed", "notice.sending", "notice.called", "notice.recorded")
HANDPOST = ("handpost.claimed",)
KINDS = ("departments", "tags", "staff", "contacts", "chat_list", "chats", "removals")
SYNC = (
    "sync.claimed", "sync.step_worked", "sync.step_ended",
    *(f"sync.{kind}.{place}" for kind in KINDS for place in ("reading", "page_read", "page_written")),
)  # fmt: skip
TOKEN = ("token.locked", "token.fetched", "token.stored")

ALL = {
    *INBOX, *WELCOME, *CONTACT, *CHAT, *STAFF, *DEPARTMENTS, *TAGS, *UNROUTED, *SEND, *LOOK_UP, *RESULTS, *TAKE_BACK,
    *REMIND, *NOTICE, *HANDPOST, *SYNC, *TOKEN,
}  # fmt: skip
