"""From a claim back to its callbacks, and when a read that follows an event may be trusted."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from scrm.base.models import Work
from scrm.base.work import Claim
from scrm.wecom.callback.events import Event, parse
from scrm.wecom.models import Callback


@dataclass(frozen=True)
class Incoming:
    """A callback with its event and the work row that wants it handled."""

    work: Work
    callback: Callback
    event: Event


_CALLBACKS = "SELECT * FROM wecom_callback WHERE id = ANY (%s)"  # written out: each job begins with it

# Seconds after its opening at which an event wants its object read.
DelaysOf = Callable[[Incoming], Sequence[float]]


def incoming_of(claim: Claim) -> list[Incoming]:
    """The claim's callbacks in the order in which things happened."""
    works = {work.source_id: work for work in claim.works if work.source_kind == Callback.WORK_SOURCE}
    found = [
        Incoming(works[callback.pk], callback, _dated(callback))
        for callback in Callback.objects.raw(_CALLBACKS, [list(works)])
    ]
    return sorted(found, key=lambda item: (item.event.happened_at or item.callback.received_at, item.callback.pk))


def _dated(callback: Callback) -> Event:
    """The event; where its CreateTime can't be read it happened when it came in."""
    event = parse(callback.raw)
    return event if event.happened_at else replace(event, happened_at=callback.received_domain_at)


def read_is_due(
    items: Iterable[Incoming], *, last_read: dt.datetime | None, now: dt.datetime, delays_of: DelaysOf
) -> bool:
    """True when one of the wanted reads (opening + each delay) has come and no read was made since. Database clock."""
    return any(
        wanted <= now and (last_read is None or last_read < wanted)
        for item in items
        for wanted in _wanted(item, delays_of(item))
    )


def seconds_to_next_read(
    item: Incoming, *, last_read: dt.datetime | None, now: dt.datetime, delays_of: DelaysOf
) -> float | None:
    """How long until the next wanted read; None when all of them have been made. Database clock."""
    for wanted in _wanted(item, delays_of(item)):
        if last_read is None or last_read < wanted:
            return max(0.0, (wanted - now).total_seconds())
    return None


def _wanted(item: Incoming, delays: Sequence[float]) -> list[dt.datetime]:
    return [item.work.created_at + dt.timedelta(seconds=delay) for delay in delays]
