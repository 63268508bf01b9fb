"""`manage.py drain`: waits until everything that is due has been done."""

import time
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from analytics import fill
from campaigns.models import Dispatch
from campaigns.sending.rules import quiet_until
from scrm.base import clock
from scrm.wecom import brake

# Work due within this time is waited for: events of one chat wait for each other, and the first read that follows an
# event comes some seconds later. What is put off longer is printed.
SOON = 5.0

_OPEN = """
SELECT lane,
       count(*) FILTER (WHERE state = 'leased' OR not_before <= clock_timestamp() + make_interval(secs => %s)),
       count(*) FILTER (WHERE state = 'waiting' AND not_before > clock_timestamp() + make_interval(secs => %s)),
       min(extract(epoch FROM not_before - clock_timestamp()))
           FILTER (WHERE state = 'waiting' AND not_before > clock_timestamp() + make_interval(secs => %s))
FROM base_work WHERE state IN ('waiting', 'leased') GROUP BY lane ORDER BY lane
"""
_QUARANTINED = "SELECT lane, count(*) FROM base_work WHERE state = 'quarantined' GROUP BY lane ORDER BY lane"


@dataclass(frozen=True)
class Left:
    """What is open now: due and put-off rows by lane, seconds to the next put-off one, quarantined ones, dirty days;
    dispatches to be created by now, and tasks that staff have not confirmed."""

    due: dict[str, int]
    later: dict[str, tuple[int, float]]
    quarantined: dict[str, int]
    dirty: bool
    unsent: int
    unconfirmed: int

    @property
    def drained(self) -> bool:
        return not self.due and not self.dirty and not self.unsent

    def lines(self) -> list[str]:
        """One line for each thing that is left."""
        lines = [f"due or in hand: {lane} {count}" for lane, count in self.due.items()]
        lines += ["dirty days: yes"] if self.dirty else []
        lines += [f"due and unsent: dispatches {self.unsent}"] if self.unsent else []
        lines += [f"not confirmed by staff: tasks {self.unconfirmed}"] if self.unconfirmed else []
        lines += [f"put off: {lane} {count}, next in {next_:.0f} s" for lane, (count, next_) in self.later.items()]
        return lines + [f"quarantined: {lane} {count}" for lane, count in self.quarantined.items()]


class Command(BaseCommand):
    """Waits, then prints what is left."""

    help = (
        "Waits until no work is due or in hand, every due dispatch is sent and every number is up to date."
        " Exit 1 when that takes too long."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The option of contract.md."""
        parser.add_argument("--timeout", type=float, default=120.0, metavar="SECONDS", help="default 120")

    def handle(self, *args: Any, **options: Any) -> None:
        """Numbers are filled here too, so that waiting does not depend on beat."""
        end = time.monotonic() + options["timeout"]
        left = look()
        while not left.drained and time.monotonic() < end:
            if left.dirty and not left.due:
                fill.fill_dirty()
            time.sleep(0.2)
            left = look()
        for line in left.lines():
            self.stdout.write(line)
        if not left.drained:
            raise SystemExit(1)
        self.stdout.write("Nothing is due.")


def look() -> Left:
    """What is open now."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [SOON] * 3)
        rows = cursor.fetchall()
        cursor.execute(_QUARANTINED)
        quarantined = dict(cursor.fetchall())
    due = {lane: count for lane, count, _, _ in rows if count}
    later = {lane: (count, float(next_ or 0)) for lane, _, count, next_ in rows if count}
    return Left(
        due, later, quarantined, dirty=not fill.is_clean(), unsent=_unsent(),
        unconfirmed=Dispatch.objects.waiting().count(),
    )  # fmt: skip


def _unsent() -> int:
    """Due dispatches that are not sent. Those that the brake or the quiet hours hold are put off, as their work is."""
    due = Dispatch.objects.due(clock.now())
    held = brake.position() in {"off", "stopped"} or quiet_until(clock.now()) is not None
    return due.exclude(state=Dispatch.State.PLANNED).count() if held else due.count()
