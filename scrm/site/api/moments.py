"""Points in time as query parameters."""

import datetime as dt
import re
from typing import Any

from rest_framework import serializers

from scrm.base import clock

_LOST_PLUS = re.compile(r" (\d{2}:?\d{2})$")  # an unescaped + in an address arrives as a blank


class MomentField(serializers.DateTimeField):
    """ISO 8601 with offset; without one it is company time; a date alone is the beginning of that company day."""

    def to_internal_value(self, value: Any) -> dt.datetime:
        if isinstance(value, str):
            value = _LOST_PLUS.sub(r"+\1", value)
            if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
                value = f"{value}T00:00:00"
        try:
            moment = super().to_internal_value(value)
        except OverflowError:  # the first and last day of all, in a zone away from UTC
            self.fail("overflow")
        if moment.year not in clock.YEARS:
            self.fail("overflow")
        return moment.astimezone(clock.zone())
