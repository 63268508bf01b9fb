"""The life of one customer with us, newest first. Higher rooms register what they know of it."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from contacts.models import Channel, Customer, Follow
from scrm.base.models import User

CAUSES = ("broadcast", "sop", "activity", "handover")

Key = tuple[int, str]


@dataclass(frozen=True)
class Cause:
    """What of ours brought a happening about: one of CAUSES and its id."""

    kind: str
    id: str


@dataclass(frozen=True)
class Entry:
    """One happening. `ref` is unique among all entries of a customer, such as `follow:12:added`.

    `state` is what the platform said about the source; `channel` is filled in from it. `detail` is JSON-able.
    """

    occurred_at: dt.datetime
    kind: str
    ref: str
    userid: str = ""
    chat_id: str = ""
    state: str = ""
    channel: Channel | None = None
    cause: Cause | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """Orders entries: by time in microseconds, then by `ref`."""
        return int(self.occurred_at.timestamp() * 1_000_000), self.ref

    @property
    def title(self) -> str | Promise:
        """The kind in words."""
        return _titles.get(self.kind, self.kind)


Source = Callable[[Customer, User], Iterable[Entry]]

_sources: list[Source] = []
_titles: dict[str, str | Promise] = {}


def register(source: Source, titles: Mapping[str, str | Promise]) -> None:
    """Adds a source of entries; `titles` names its kinds. A source yields only what the user may see."""
    if source not in _sources:
        _sources.append(source)
        _titles.update(titles)


def of(customer: Customer, *, user: User) -> list[Entry]:
    """All that the user may know of this customer, newest first."""
    entries = [entry for source in _sources for entry in source(customer, user)]
    states = {entry.state for entry in entries} - {""}
    channels = {channel.state: channel for channel in Channel.objects.filter(state__in=states)}
    named = (replace(entry, channel=channels.get(entry.state)) for entry in entries)
    return sorted(named, key=lambda entry: entry.key, reverse=True)


def read_key(values: tuple[Any, ...]) -> Key:
    """An entry's key out of a cursor. Raises ValueError."""
    if len(values) != 2 or not isinstance(values[0], int) or not isinstance(values[1], str):
        raise ValueError(values)
    return values[0], values[1]


def follows(customer: Customer, user: User) -> Iterable[Entry]:
    """Friendships that began and ended."""
    periods = Follow.objects.visible_to(user).filter(customer=customer).select_related("staff")
    for follow in periods:
        yield Entry(
            follow.added_at, "added", f"follow:{follow.pk}:added", userid=follow.staff.userid, state=follow.state,
            detail={
                "add_way": follow.add_way, "state": follow.state or None, "half": follow.half,
                "by_transfer": follow.by_transfer, "known_by": follow.added_known_by,
            },
        )  # fmt: skip
        if follow.ended_at:
            yield Entry(
                follow.ended_at, "ended", f"follow:{follow.pk}:ended", userid=follow.staff.userid, state=follow.state,
                detail={"ended_by": follow.ended_by, "known_by": follow.ended_known_by},
            )  # fmt: skip


register(follows, {"added": _("Became friends"), "ended": _("Friendship ended")})
