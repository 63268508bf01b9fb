"""Which lanes take which event. Higher rooms register their lanes here in `AppConfig.ready`."""

from collections.abc import Callable
from dataclasses import dataclass

from scrm.wecom.callback.events import Event

Entity = Callable[[Event], str]


@dataclass(frozen=True)
class Route:
    """Events of a kind go to `lane` under the entity that `entity` names (empty: not for this lane).

    `delay` seconds pass before the work is due, so that events of one entity are done together.
    """

    kind: str
    lane: str
    entity: Entity
    change_types: frozenset[str] | None = None
    delay: float = 0.0

    def takes(self, event: Event) -> bool:
        return event.kind == self.kind and (self.change_types is None or event.change_type in self.change_types)


@dataclass(frozen=True)
class Job:
    """One lane's share of an event."""

    lane: str
    entity: str
    delay: float


_routes: list[Route] = []


def route(kind: str, *, lane: str, entity: Entity, change_types: set[str] | None = None, delay: float = 0.0) -> None:
    """Registers a lane for events of `kind` (and, if given, of these change types)."""
    _routes.append(Route(kind, lane, entity, frozenset(change_types) if change_types else None, delay))


def jobs_of(event: Event) -> list[Job]:
    """The jobs that `event` makes, mirror lanes first; none for kinds that nobody takes."""
    found = []
    for item in _routes:
        if item.takes(event):
            entity = item.entity(event)
            if entity:
                found.append(Job(item.lane, entity[:160], item.delay))
    return found


def known_kinds() -> list[tuple[str, frozenset[str] | None]]:
    """Every registered (kind, change types), for the documentation and its test."""
    return [(item.kind, item.change_types) for item in _routes]
