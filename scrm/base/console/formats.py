"""How the console writes times, numbers, states and links. Missing values are –, never 0."""

import datetime as dt

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from scrm.base import clock

NONE = "–"
_DAY = dt.timedelta(days=1)


def moment(value: dt.datetime | None) -> str:
    """`2026-11-22 14:08:00` in the company's zone."""
    return f"{value.astimezone(clock.zone()):%Y-%m-%d %H:%M:%S}" if value else NONE


def when(value: dt.datetime | None) -> SafeString:
    """The moment in one piece, for columns."""
    return format_html("<time>{}</time>", moment(value))


def ago(value: dt.datetime | None, *, real: bool = False) -> SafeString:
    """Relative within a day (the exact moment as a tooltip), else the moment. `real`: of the machine's clock."""
    if value is None:
        return SafeString(NONE)
    exact = moment(value)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', value.isoformat(), exact, _relative(value, real) or exact
    )


def _relative(value: dt.datetime, real: bool) -> str:
    age = (clock.real_now() if real else clock.now()) - value
    if not -dt.timedelta(minutes=1) < age < _DAY:
        return ""
    minutes = int(age.total_seconds() // 60)
    if minutes < 1:
        return _("just now")
    if minutes < 60:
        return ngettext("%(n)d minute ago", "%(n)d minutes ago", minutes) % {"n": minutes}
    return ngettext("%(n)d hour ago", "%(n)d hours ago", minutes // 60) % {"n": minutes // 60}


def lasting(seconds: float | None) -> str:
    """A span in one word: `45 秒`, `12 分钟`, `3.5 小时`."""
    if seconds is None:
        return NONE
    if seconds < 90:
        return _("%(n)s s") % {"n": f"{seconds:.0f}"}
    if seconds < 5400:
        return _("%(n)s min") % {"n": f"{seconds / 60:.0f}"}
    return _("%(n)s h") % {"n": f"{seconds / 3600:.1f}"}


def number(value: float | None) -> str:
    """`12,345`; – for none."""
    return NONE if value is None else f"{value:,}"


def signed(value: float | None) -> str:
    """`+863`, `−12`, `0`."""
    if value is None:
        return NONE
    return f"+{value:,}" if value > 0 else f"{value:,}".replace("-", "−")


def percent(value: float | None, digits: int = 1) -> str:
    """A fraction as per cent: `99.3%`; – for none."""
    return NONE if value is None else f"{value * 100:.{digits}f}%"


def figure(value: float | None, link: str = "") -> SafeString:
    """A number for a right-aligned column, leading to its rows where `link` is given."""
    if value is not None and link:
        return format_html('<a class="c-num c-link" href="{}">{}</a>', link, number(value))
    return format_html('<span class="c-num">{}</span>', number(value))


def tag(text: str | Promise, kind: str = "") -> SafeString:
    """A mark; `kind` ok | warn | bad | pri colours it, plain ones are grey: only states are coloured."""
    return format_html('<span class="c-tag {}">{}</span>', kind, text)


def bar(value: int, whole: int, kind: str = "") -> SafeString:
    """`134 / 200` with a bar under it."""
    share = min(100.0, 100 * value / whole) if whole else 0.0
    return format_html(
        '<span class="c-fill"><span class="c-num">{} / {}</span>'
        '<span class="c-bar t"><i class="{}" style="width:{}%"></i></span></span>',
        number(value), number(whole), kind, f"{share:.1f}",
    )  # fmt: skip


def page_of(instance: object, text: str = "") -> SafeString:
    """A link to the console page of a row."""
    return format_html('<a class="c-link" href="{}">{}</a>', address_of(instance), text or str(instance))


def address_of(instance: object) -> str:
    """The console address of a row."""
    meta = instance._meta  # type: ignore[attr-defined]
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[instance.pk])  # type: ignore[attr-defined]
