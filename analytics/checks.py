"""System checks of the numbers."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError

from analytics import partitions


@register(Tags.database)
def facts_have_partitions(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Runs with `manage.py check --database default` and on migrate."""
    if "default" not in (databases or ()):
        return []
    try:
        stray = partitions.stray_rows()
    except DatabaseError:  # the table comes with the migrations that this check precedes
        return []
    if not stray:
        return []
    hint = "Look at their dates: SELECT DISTINCT day FROM analytics_fact_default. A ledger holds a wrong time."
    return [Warning(f"{stray} facts lie in no month's partition.", hint=hint, id="analytics.W001")]
