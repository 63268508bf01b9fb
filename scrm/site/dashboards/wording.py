"""Numbers in words: what stands on a card, how it changed, and whether that is good."""

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from analytics.metrics import METRICS
from analytics.query import Point

MINUS: Final = "−"
NOTHING: Final = "–"
QUIET_SHARE: Final = 0.10  # changes below this share, or these points of a rate, stay grey (mock/notes.md)
QUIET_POINTS: Final = 0.001


@dataclass(frozen=True)
class Change:
    """A change in words; `tone`: c-up good, c-dn bad, c-mu neither."""

    text: str
    tone: str


def count(value: float | None) -> str:
    if value is None:
        return NOTHING
    text = f"{abs(round(value)):,}"
    return f"{MINUS}{text}" if round(value) < 0 else text


def signed(value: float | None) -> str:
    return f"+{count(value)}" if value is not None and round(value) > 0 else count(value)


def rate(value: float | None) -> str:
    return NOTHING if value is None else f"{value * 100:.1f}%"


def lasting(seconds: float | None) -> str:
    """A duration in the unit that people would say."""
    if seconds is None:
        return NOTHING
    for size, words in ((86400, _("%(n)s days")), (3600, _("%(n)s hours")), (60, _("%(n)s min"))):
        if seconds >= size * 1.5:
            return words % {"n": f"{seconds / size:.1f}".removesuffix(".0")}
    return _("%(n)s s") % {"n": f"{seconds:.1f}".removesuffix(".0")}


def shown(point: Point, metric: str) -> str:
    """A metric's value as people read it."""
    kind = METRICS[metric].kind
    if kind == "R" and METRICS[metric].unit:
        return NOTHING if point.value is None else f"{point.value:,.1f}"
    if kind == "R":
        return rate(point.value)
    if kind == "P":
        return lasting(point.value / 1000 if point.value is not None else None)
    return count(point.value)


def why_null(reason: str) -> str:
    """What stands under a missing value."""
    return {
        "no_base": _("nothing to divide by yet"),
        "before_connection": _("before the connection"),
        "immature": _("window not over yet"),
        "needs_archive": _("needs the message archive"),
    }.get(reason, "")


def change(now: float | None, before: float | None, *, good: int, points: bool = False) -> Change | None:
    """How a value moved; None where there is nothing to compare."""
    if now is None or before is None or (not points and before == 0):
        return None
    moved = now - before
    if points:
        text = _("%(n)s points") % {"n": _signed_float(moved * 100)}
        quiet = abs(moved) < QUIET_POINTS
    else:
        text = f"{_signed_float(moved / abs(before) * 100)}%"
        quiet = abs(moved) < abs(before) * QUIET_SHARE
    tone = "c-mu" if quiet or not good else "c-up" if (moved > 0) == (good > 0) else "c-dn"
    return Change(text, tone)


def _signed_float(value: float) -> str:
    text = f"{abs(value):,.1f}"
    if text == "0.0":
        return text
    return f"+{text}" if value > 0 else f"{MINUS}{text}"
