"""The console's formats in templates."""

import datetime as dt
from typing import Any

from django import template
from django.utils.safestring import SafeString

from scrm.base.console import formats

register = template.Library()

register.filter("moment", formats.moment)
register.filter("number", formats.number)
register.filter("signed", formats.signed)
register.filter("percent", formats.percent)
register.filter("lasting", formats.lasting)
register.filter("address_of", formats.address_of)


@register.filter
def ago(value: dt.datetime | None) -> SafeString:
    """Relative to the domain clock."""
    return formats.ago(value)


@register.filter
def ago_real(value: dt.datetime | None) -> SafeString:
    """Relative to the machine's clock."""
    return formats.ago(value, real=True)


@register.filter
def of(value: Any, whole: Any) -> str:
    """A share in per cent for a bar's width: `{{ people|of:200 }}`."""
    return f"{min(100.0, 100 * float(value or 0) / float(whole)):.1f}" if whole else "0"


@register.filter
def budget(value: int, whole: int) -> SafeString:
    """`1,200 / 7,000` over a bar that turns orange at 80 % and red when nothing is left."""
    kind = "bad" if value >= whole else "warn" if value >= 0.8 * whole else ""
    return formats.bar(value, whole, kind)
