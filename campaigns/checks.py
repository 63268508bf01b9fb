"""System checks of what we say."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError

from campaigns.models import PARTITIONS


@register(Tags.database)
def deliveries_have_partitions(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Runs with `manage.py check --database default` and on migrate."""
    if "default" not in (databases or ()):
        return []
    try:
        stray = PARTITIONS.stray_rows()
    except DatabaseError:  # the table comes with the migrations that this check precedes
        return []
    if not stray:
        return []
    hint = "Look at their dates: SELECT DISTINCT plan_date FROM campaigns_delivery_default. The clock was wrong."
    return [Warning(f"{stray} deliveries lie in no month's partition.", hint=hint, id="campaigns.W001")]
