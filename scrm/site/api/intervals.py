"""`from` and `to`: company days, the end exclusive."""

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from scrm.base import clock

MOST_DAYS = 3660


class Day(serializers.DateField):
    def to_internal_value(self, value: Any) -> dt.date:
        day: dt.date = super().to_internal_value(value)
        if day.year not in clock.YEARS:
            raise serializers.ValidationError(_("This day is out of reach."), code="out_of_range")
        return day


def interval_fields() -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    """The two fields; `from` is a word of Python, therefore they are added by name."""
    return {
        "from": Day(required=False, help_text="First company day; default 29 days ago."),
        "to": Day(required=False, help_text="Company day after the last; default tomorrow."),
    }


def interval(asked: dict[str, Any]) -> tuple[dt.date, dt.date]:
    """[from, to) with the defaults. Raises ValidationError where it is empty or too long."""
    today = clock.today()
    start: dt.date = asked.get("from", today - dt.timedelta(days=29))
    end: dt.date = asked.get("to", today + dt.timedelta(days=1))
    if start >= end:
        raise ValidationError({"to": [_("`to` is exclusive and must be later than `from`.")]})
    if (end - start).days > MOST_DAYS:
        raise ValidationError({"from": [_("At most %(most)d days at once.") % {"most": MOST_DAYS}]})
    return start, end
