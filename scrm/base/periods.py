"""Periods out of evidence: friendships and stays in chats are computed from everything that is known about them.

The result depends on the set of evidence only, not on the order in which it arrived; a repeat changes nothing.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Ref = TypeVar("Ref")

# An event and the platform's list may date the same start some seconds apart.
TOLERANCE = dt.timedelta(seconds=60)


@dataclass(frozen=True)
class Mark(Generic[Ref]):
    """A begin or an end; `ref` is the caller's evidence for it.

    A weak end was concluded from a comparison: it ends what began before it, never what begins in the same second.
    """

    at: dt.datetime
    ref: Ref
    weak: bool = False


@dataclass
class Period(Generic[Ref]):
    """From `start` to `end` (None: open). `listed_at`: the start that the platform's list tells, if it does."""

    start: dt.datetime
    begins: list[Mark[Ref]] = field(default_factory=list)
    listed_at: dt.datetime | None = None
    end: dt.datetime | None = None
    ended: Mark[Ref] | None = None


def fold(
    begins: Iterable[Mark[Ref]], ends: Iterable[Mark[Ref]], listed: Iterable[dt.datetime], *, listed_restarts: bool
) -> list[Period[Ref]]:
    """Periods in order of time; only the last may be open.

    `begins` and `ends` come from events; `listed` are starts that reads of the platform tell. A begin while open goes on
    with the open period. With `listed_restarts` (stays) a listed start proves a period of its own, and an end that nothing
    began is a period of no length: somebody left who had come unseen. Without (friendships) a listed start only opens the
    first: presence in a list never reopens an ended friendship (platform.md 17).
    """
    end_marks = sorted(ends, key=lambda mark: mark.at)
    begin_marks = sorted(begins, key=lambda mark: mark.at)
    starts = sorted(set(listed))
    listed_of = _matched(starts, begin_marks, end_marks, None if listed_restarts else TOLERANCE)
    unmatched = [start for start in starts if start not in listed_of.values()]
    result: list[Period[Ref]] = []
    for moment in _moments(begin_marks, end_marks, unmatched):
        _apply(result, moment, listed_of, listed_restarts)
    return result


@dataclass
class _Moment(Generic[Ref]):
    at: dt.datetime
    begins: list[Mark[Ref]] = field(default_factory=list)
    ends: list[Mark[Ref]] = field(default_factory=list)
    listed: bool = False


def _matched(
    starts: list[dt.datetime], begins: list[Mark[Ref]], ends: list[Mark[Ref]], within: dt.timedelta | None
) -> dict[dt.datetime, dt.datetime]:
    """Time of a begin → the listed start of the same period: the nearest pairs first, with no end between the two."""
    pairs = [
        (abs(mark.at - start), mark.at, start)
        for start in starts
        for mark in begins
        if (within is None or abs(mark.at - start) <= within) and not _parted(mark.at, start, ends)
    ]
    found: dict[dt.datetime, dt.datetime] = {}
    for _, begun, start in sorted(pairs):
        if begun not in found and start not in found.values():
            found[begun] = start
    return found


def _parted(one: dt.datetime, other: dt.datetime, ends: list[Mark[Ref]]) -> bool:
    first, second = min(one, other), max(one, other)
    return any(first < mark.at < second for mark in ends)


def _moments(begins: list[Mark[Ref]], ends: list[Mark[Ref]], listed: list[dt.datetime]) -> list[_Moment[Ref]]:
    found: dict[dt.datetime, _Moment[Ref]] = {}
    for mark in begins:
        found.setdefault(mark.at, _Moment(mark.at)).begins.append(mark)
    for mark in ends:
        found.setdefault(mark.at, _Moment(mark.at)).ends.append(mark)
    for start in listed:
        found.setdefault(start, _Moment(start)).listed = True
    return [found[at] for at in sorted(found)]


def _apply(
    periods: list[Period[Ref]], moment: _Moment[Ref], listed_of: dict[dt.datetime, dt.datetime], listed_restarts: bool
) -> None:
    """Within one second an open period ends before the next begins; otherwise what begins may also end."""
    was_open = _open(periods) is not None
    if was_open:
        _close(periods, moment.at, moment.ends)
    for mark in moment.begins:
        _begin(periods, mark, listed_of.get(mark.at), listed_restarts)
    if moment.listed:
        _list(periods, moment.at, listed_restarts)
    if not was_open:
        proven = [mark for mark in moment.ends if not mark.weak]
        if proven and listed_restarts and _open(periods) is None:
            periods.append(Period(moment.at))
        _close(periods, moment.at, proven)


def _open(periods: list[Period[Ref]]) -> Period[Ref] | None:
    return periods[-1] if periods and periods[-1].end is None else None


def _close(periods: list[Period[Ref]], at: dt.datetime, ends: list[Mark[Ref]]) -> None:
    current = _open(periods)
    if current is not None and ends:
        current.end = max(at, current.start)
        current.ended = min(ends, key=lambda mark: mark.weak)  # what an event proves goes before a conclusion


def _begin(periods: list[Period[Ref]], mark: Mark[Ref], listed_at: dt.datetime | None, listed_restarts: bool) -> None:
    start = listed_at or mark.at
    current = _open(periods)
    if current is not None and not (listed_restarts and listed_at and listed_at - current.start > TOLERANCE):
        current.begins.append(mark)
        current.listed_at = current.listed_at or listed_at
        return
    if current is not None:
        current.end = start
    if periods and periods[-1].end is not None:
        start = max(start, periods[-1].end)
    periods.append(Period(start, [mark], listed_at))


def _list(periods: list[Period[Ref]], start: dt.datetime, listed_restarts: bool) -> None:
    current = _open(periods)
    if current is None and (listed_restarts or not periods):
        periods.append(Period(start, listed_at=start))
    elif current is not None and listed_restarts and start - current.start > TOLERANCE:
        current.end = start
        periods.append(Period(start, listed_at=start))
