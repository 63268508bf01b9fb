"""System checks of what we say."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, register

from campaigns.models import PARTITIONS


@register(Tags.database)
def deliveries_have_partitions(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Each delivery lies in its month."""
    return PARTITIONS.check(databases, "deliveries", "The clock was wrong.", "campaigns.W001")
