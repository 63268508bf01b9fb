"""What became of the welcomes of an interval, outcome by outcome."""

import datetime as dt

from analytics.populations import Count, facts
from analytics.query import WHOLE, ask, fetch
from analytics.rows import Rows, union
from analytics.scope import Asker, Filters
from scrm.base.models import User

METRIC = "welcomes_due"


def outcomes(*, start: dt.date, end: dt.date, filters: Filters = WHOLE, user: User | Asker) -> dict[str, int]:
    """Outcome → welcomes due that had it; their sum is `welcomes_due`."""
    question = ask(METRIC, start=start, end=end, filters=filters, user=user)
    if question.null:
        return {}
    population = facts("welcomes")
    text = f"SELECT p.detail, count(*) FROM ({population.sql()}) p GROUP BY 1"  # noqa: S608  our own file
    return dict(fetch(text, question.span.values(population)))


def outcome_rows(outcome: str, *, start: dt.date, end: dt.date, filters: Filters = WHOLE, user: User | Asker) -> Rows:
    """The welcomes that had this outcome."""
    question = ask(METRIC, start=start, end=end, filters=filters, user=user)
    counts = () if question.null else (Count(facts("welcomes", outcome)),)
    return union(counts, question.span)
