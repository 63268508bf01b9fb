"""System checks of the numbers."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, register

from analytics.models import PARTITIONS


@register(Tags.database)
def facts_have_partitions(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Each fact lies in its month."""
    return PARTITIONS.check(databases, "facts", "A ledger holds a wrong time.", "analytics.W001")
