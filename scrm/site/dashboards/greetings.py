"""The welcome block: how many were greeted, how fast, and why the others were not."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from analytics import welcomes
from analytics.metrics import METRICS
from analytics.scope import Asker
from campaigns.models import Welcome
from scrm.site.dashboards import wording
from scrm.site.dashboards.asked import Asked
from scrm.site.dashboards.cards import rows_address, total

_TONES = {
    "sent": "",
    "refused": "gh",
    "sending": "lt",
    "expired": "warn",
    "stopped": "warn",
    "no_rule": "warn",
}  # others: bad


def greetings(asked: Asked, asker: Asker) -> dict[str, Any]:
    """Rates with their bases, and every outcome with its welcomes."""
    span = {"start": asked.start, "end": asked.end}
    found = welcomes.outcomes(**span, filters=asked.filters, user=asker)
    due = sum(found.values())
    figures = [_figure(name, asked, asker) for name in ("welcome_rate", "welcome_coverage", "welcome_p99")]
    return {
        "figures": figures,
        "due": wording.count(due),
        "due_link": rows_address("welcomes_due", asked),
        "outcomes": [_outcome(name, found[name], due, asked) for name in Welcome.Outcome.values if found.get(name)],
        "empty": not due,
    }


def _figure(name: str, asked: Asked, asker: Asker) -> dict[str, str]:
    point = total(name, asked, asker)
    base = (
        _("%(a)s of %(b)s") % {"a": wording.count(point.numerator), "b": wording.count(point.denominator)}
        if point.value is not None and point.numerator is not None
        else _("of %(n)s welcomes") % {"n": wording.count(point.denominator)}
        if point.value is not None
        else wording.why_null(point.null_reason)
    )
    return {
        "title": str(METRICS[name].title),
        "definition": str(METRICS[name].definition),
        "value": wording.shown(point, name),
        "base": base,
        "link": rows_address(name, asked) if point.value is not None else "",
    }


def _outcome(outcome: str, number: int, due: int, asked: Asked) -> dict[str, Any]:
    return {
        "title": str(Welcome.Outcome(outcome).label),
        "number": wording.count(number),
        "share": wording.rate(number / due),
        "width": round(100 * number / due, 2),
        "tone": _TONES.get(outcome, "bad"),
        "link": f"{reverse('dashboards:rows', args=['welcomes_due'])}?{asked.rows()}&outcome={outcome}",
    }
