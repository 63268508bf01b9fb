"""The registry of lanes. A lane belongs to a queue family: welcome, mirror, sending, sync, rollup, export."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrm.base.work.claim import Claim

QUEUES = ("welcome", "mirror", "sending", "sync", "rollup", "export")
BEAT = "beat"  # what rings the rhythms; seen among the heartbeats of the queues


class Again(Exception):
    """Raised by a handler: not done yet, which is no failure. The rows wait `seconds` and are tried again."""

    def __init__(self, seconds: float, reason: str = "") -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.reason = reason


Handler = Callable[["Claim"], None]


@dataclass(frozen=True)
class Lane:
    """A kind of work: who does it, how long a worker holds it, how it waits between failed attempts (seconds).

    A pump renews the leases of jobs in hand, so `lease` is how long a dead worker's job stays unnoticed.
    """

    name: str
    queue: str
    handler: Handler
    lease: float = 60.0
    threads: int = 2
    poll: float = 1.0
    back_off: tuple[float, ...] = (2.0, 10.0)

    @property
    def max_attempts(self) -> int:
        return len(self.back_off) + 1


lanes: dict[str, Lane] = {}


def lane(
    name: str,
    *,
    queue: str,
    lease: float = 60.0,
    threads: int = 2,
    poll: float = 1.0,
    back_off: tuple[float, ...] = (2.0, 10.0),
) -> Callable[[Handler], Handler]:
    """Registers the decorated function as the handler of lane `name`. Called on import from `AppConfig.ready`."""
    if queue not in QUEUES:
        raise ValueError(f"{queue} is no queue family")

    def register(handler: Handler) -> Handler:
        lanes[name] = Lane(name, queue, handler, lease, threads, poll, back_off)
        return handler

    return register


def lanes_of_queue(queue: str) -> list[Lane]:
    """The lanes that a worker of `queue` serves."""
    return [item for item in lanes.values() if item.queue == queue]
