"""What is done once a night. Beat asks every minute whether it is time, so that a message lost with Redis, or a beat that
was down, costs minutes and not the night; the row of the day keeps two beats from doing it twice."""

import datetime as dt

from scrm.base import clock
from scrm.base.models import Slot

LATE = dt.timedelta(hours=4)  # after that a missed night is left out: the day belongs to people
ON_TIME = dt.timedelta(minutes=15)


def takes(name: str, at: dt.time) -> bool:
    """True for the one caller who is to do it now: from `at` (company time) on, once a day.

    What has never been done here, as in a new installation, waits for its next night.
    """
    now = clock.real_now().astimezone(clock.zone())
    late = now - dt.datetime.combine(now.date(), at, clock.zone())
    if not dt.timedelta() <= late < LATE:
        return False
    new = late > ON_TIME and not Slot.objects.filter(name=name).exists()
    _slot, made = Slot.objects.get_or_create(name=name, day=now.date())
    return made and not new
