"""Domain time: the time that customers, staff and company days live in.

All processes and the stand-in share it: `CLOCK_OFFSET` seconds are added, and from the unix second `CLOCK_ANCHOR` on it
runs `CLOCK_SPEED` times as fast. Protocol time (leases, codes, tokens, back-off) is the database's or the process's own.
"""

import datetime as dt
import time
from zoneinfo import ZoneInfo

from django.conf import settings

YEARS = range(1970, 3000)  # of dates that people ask for; beyond, sums with days leave the calendar
MOST_SKEW = dt.timedelta(minutes=15)  # between the platform's clock and ours


def now() -> dt.datetime:
    """The present moment of the domain, aware, in UTC."""
    return of_real(real_now())


def of_real(moment: dt.datetime) -> dt.datetime:
    """The moment of the domain at which the machine's or the database's clock shows `moment`."""
    real = moment.timestamp()
    anchor: float = settings.CLOCK_ANCHOR
    if settings.CLOCK_SPEED != 1 and anchor and real > anchor:
        real = anchor + (real - anchor) * settings.CLOCK_SPEED
    return dt.datetime.fromtimestamp(real + settings.CLOCK_OFFSET, dt.UTC)


def zone() -> ZoneInfo:
    """The company's time zone."""
    return ZoneInfo(settings.COMPANY_TIME_ZONE)


def today() -> dt.date:
    """The company's present day."""
    return now().astimezone(zone()).date()


def day_of(moment: dt.datetime) -> dt.date:
    """The company day that `moment` belongs to."""
    return moment.astimezone(zone()).date()


def day_start(day: dt.date) -> dt.datetime:
    """The first moment of a company day, in UTC."""
    return dt.datetime.combine(day, dt.time(), zone()).astimezone(dt.UTC)


def from_unix(seconds: int | float) -> dt.datetime:
    """A platform time stamp as an aware UTC datetime."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def real_now() -> dt.datetime:
    """The machine's clock, for protocol times only."""
    return dt.datetime.fromtimestamp(time.time(), dt.UTC)


def real_seconds(span: dt.timedelta) -> float:
    """Seconds of the machine's clock that a span of domain time takes."""
    return span.total_seconds() / (settings.CLOCK_SPEED or 1)


def span(seconds: float) -> dt.timedelta:
    """The span of domain time that so many seconds of the machine's clock make; the other way round."""
    return dt.timedelta(seconds=seconds * (settings.CLOCK_SPEED or 1))


def is_young(moment: dt.datetime, seconds: float, *, at: dt.datetime) -> bool:
    """Whether `moment`, as the platform dates it, lies less than so many real seconds before `at`: what is read then may
    not know of it yet. A date too far ahead for a wrong clock is a wrong date, and says nothing."""
    return at - span(seconds) < moment <= at + MOST_SKEW
