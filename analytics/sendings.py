"""How far the broadcasts of an interval have come, state by state."""

import datetime as dt

from django.db.models import Max

from analytics.populations import Count, deliveries
from analytics.query import WHOLE, ask, fetch
from analytics.rows import Rows, union
from analytics.scope import Asker, Filters
from campaigns.models import Dispatch
from scrm.base import clock
from scrm.base.models import User

METRIC = "deliveries_planned"


def progress(*, start: dt.date, end: dt.date, filters: Filters = WHOLE, user: User | Asker) -> dict[str, int]:
    """State as users read it → deliveries planned for these days that are in it; their sum is `deliveries_planned`."""
    question = ask(METRIC, start=start, end=end, filters=filters, user=user)
    if question.null:
        return {}
    population = deliveries()
    text = f"SELECT p.detail, count(*) FROM ({population.sql()}) p GROUP BY 1"  # noqa: S608  our own file
    return dict(fetch(text, question.span.values(population)))


def progress_rows(state: str, *, start: dt.date, end: dt.date, filters: Filters = WHOLE, user: User | Asker) -> Rows:
    """The deliveries in this state."""
    question = ask(METRIC, start=start, end=end, filters=filters, user=user)
    counts = () if question.null else (Count(deliveries(state)),)
    return union(counts, question.span)


def last_change(day: dt.date) -> dt.datetime | None:
    """When a task of the broadcasts planned for this day last changed, the database's clock."""
    start, end = clock.day_start(day), clock.day_start(day + dt.timedelta(days=1))
    tasks = Dispatch.objects.filter(broadcast__create_at__gte=start, broadcast__create_at__lt=end)
    at: dt.datetime | None = tasks.aggregate(at=Max("changed_at"))["at"]
    return at
