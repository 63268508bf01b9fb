"""The rules of when and how often: WeCom's receive rule, our own cap, quiet hours."""

import calendar
import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings

from scrm.base import clock

BEIJING = ZoneInfo("Asia/Shanghai")  # the platform counts by its own days (platform.md 1)
CAP_DAYS = 7


@dataclass(frozen=True)
class ReceiveRule:
    """How many broadcasts one customer or chat may receive from `start` (inclusive) to `end`."""

    most: int
    start: dt.datetime
    end: dt.datetime


def receive_rule(moment: dt.datetime) -> ReceiveRule:
    """The platform's rule for the period that `moment` lies in: setting RECEIVE_RULE, Beijing time (platform.md 1).

    `month_total`: as many as the month has days; `week_7`: 7 from Monday to Sunday; `day_1`: one a day.
    """
    day = moment.astimezone(BEIJING).date()
    if settings.RECEIVE_RULE == "day_1":
        return _rule(1, day, 1)
    if settings.RECEIVE_RULE == "week_7":
        return _rule(7, day - dt.timedelta(days=day.weekday()), 7)
    days = calendar.monthrange(day.year, day.month)[1]
    return _rule(days, day.replace(day=1), days)


def _rule(most: int, first: dt.date, days: int) -> ReceiveRule:
    start = dt.datetime.combine(first, dt.time(), BEIJING)
    return ReceiveRule(most, start.astimezone(dt.UTC), (start + dt.timedelta(days=days)).astimezone(dt.UTC))


def quiet_until(moment: dt.datetime) -> dt.datetime | None:
    """When the quiet hours that `moment` lies in end; None outside of them. Setting QUIET_HOURS, company time."""
    if settings.QUIET_HOURS == "none":
        return None
    begin, end = (dt.time.fromisoformat(word) for word in settings.QUIET_HOURS.split("-"))
    local = moment.astimezone(clock.zone())
    now = local.time()
    over_midnight = begin > end
    inside = (now >= begin or now < end) if over_midnight else begin <= now < end
    if not inside:
        return None
    day = local.date() + dt.timedelta(days=1 if over_midnight and now >= begin else 0)
    return dt.datetime.combine(day, end, clock.zone()).astimezone(dt.UTC)


def end_of_day(moment: dt.datetime) -> dt.datetime:
    """The end of the company day of `moment`: by then a broadcast is to be confirmed unless somebody says otherwise."""
    return clock.day_start(clock.day_of(moment) + dt.timedelta(days=1))
