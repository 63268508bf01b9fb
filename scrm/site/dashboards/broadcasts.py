"""The block on today's broadcasts: how many recipients are planned, reached, and wait for staff to confirm."""

import datetime as dt
from dataclasses import replace
from typing import Any, Final

from analytics import sendings
from analytics.metrics import METRICS
from analytics.scope import Asker
from campaigns.models import Delivery
from scrm.base import clock
from scrm.site.dashboards import wording
from scrm.site.dashboards.asked import Asked
from scrm.site.dashboards.cards import rows_address

_SHOWN: Final = (Delivery.State.SENT, Delivery.State.WAITING)


def broadcasts(asked: Asked, asker: Asker) -> dict[str, Any]:
    """Of the recipients planned for today, whatever the page's interval: all, sent, waiting; each with its rows."""
    today = clock.today()
    question = replace(asked, start=today, end=today + dt.timedelta(days=1), preset=0)
    found = sendings.progress(start=question.start, end=question.end, filters=question.filters, user=asker)
    planned = sum(found.values())
    address, metric = rows_address(sendings.METRIC, question), METRICS[sendings.METRIC]
    return {
        "definition": metric.definition,
        "figures": [
            {"title": str(metric.title), "value": wording.count(planned), "link": address, "base": ""},
            *(_figure(state, found.get(state, 0), planned, address) for state in _SHOWN),
        ],
        "empty": not planned,
    }


def _figure(state: Delivery.State, number: int, planned: int, address: str) -> dict[str, str]:
    return {
        "title": str(state.label),
        "value": wording.count(number),
        "link": f"{address}&outcome={state.value}" if number else "",
        "base": wording.rate(number / planned) if planned else "",
    }
