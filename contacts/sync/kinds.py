"""The registry of what a full sync does: kinds of steps, and removals. Higher rooms add theirs in `AppConfig.ready`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from contacts.models import SyncRun

if TYPE_CHECKING:
    from contacts.sync.job import Job

START = ""  # planned when a run begins
LATER = None  # its steps are added by another kind's


class UnlikelyAnswer(Exception):
    """The platform shows so little that taking it for the truth would be wrong; the text says where to look."""


@dataclass(frozen=True)
class Part:
    """A step to be: its key within the kind, and what it works on."""

    key: str = ""
    payload: Sequence[object] = ()


def one_part(run: SyncRun) -> list[Part]:
    """The plan of kinds that are one step."""
    return [Part()]


@dataclass(frozen=True)
class Kind:
    """A kind of step. `work` does some pages and says whether the step is finished.

    `after`: the kind whose steps must all have ended well before this one is planned; START or LATER.
    """

    name: str
    work: Callable[["Job"], bool]
    after: str | None = START
    plan: Callable[[SyncRun], list[Part]] = one_part


@dataclass(frozen=True)
class Found:
    """What a removal would take: `count` out of `total` of its kind, and the rows, for `apply`.

    `wait`: seconds until the answer is certain (reads lag); 0 when it is.
    """

    count: int
    total: int
    rows: list[Any] = field(default_factory=list)
    wait: float = 0.0


@dataclass(frozen=True)
class Removal:
    """Something that a run may take away once everything has been read.

    `ledger` names what `count` and `total` are of: removals of one ledger are judged together. `find` only looks (it may
    call the platform); `apply` writes inside the caller's transaction and returns drift counts.
    """

    name: str
    ledger: str
    find: Callable[["Job"], Found]
    apply: Callable[["Job", Found], dict[str, int]]


kinds: dict[str, Kind] = {}
removals: dict[str, Removal] = {}


def add_kind(kind: Kind) -> None:
    """Makes the kind part of every run from now on."""
    kinds[kind.name] = kind


def add_removal(removal: Removal) -> None:
    """Makes the removal part of every run from now on."""
    removals[removal.name] = removal
