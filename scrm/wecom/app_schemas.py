"""What the platform tells us of our app and of the codes that it has made, as small frozen dataclasses."""

from dataclasses import dataclass
from typing import Self

from scrm.wecom.schemas import Raw, inner, items, number, text, words


@dataclass(frozen=True, slots=True)
class AppInfo:
    """Our app. `domain`: the trusted one, host with port; None where the answer has no such field. `staff`,
    `departments` and `tags` count what was put into its visible range by name."""

    name: str
    closed: bool
    domain: str | None
    staff: int
    departments: int
    tags: int

    @classmethod
    def from_wecom(cls, raw: Raw) -> Self:
        """From `agent/get`."""
        return cls(
            name=text(raw, "name"),
            closed=number(raw, "close") == 1,
            domain=text(raw, "redirect_domain") if "redirect_domain" in raw else None,
            staff=len(items(inner(raw, "allow_userinfos"), "user")),
            departments=len(items(inner(raw, "allow_partys"), "partyid")),
            tags=len(items(inner(raw, "allow_tags"), "tagid")),
        )


@dataclass(frozen=True, slots=True)
class ContactWayInfo:
    """A code with which customers add staff (wecom-api.md §7.1)."""

    config_id: str
    state: str
    remark: str
    userids: tuple[str, ...]

    @classmethod
    def from_wecom(cls, raw: Raw) -> Self:
        """From `get_contact_way`."""
        return cls(text(raw, "config_id"), text(raw, "state"), text(raw, "remark"), words(raw, "user"))


@dataclass(frozen=True, slots=True)
class ContactWayPage:
    """Config ids; an empty `next_cursor` is the end."""

    config_ids: tuple[str, ...]
    next_cursor: str
