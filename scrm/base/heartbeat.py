"""The file by which a health check sees that a process without a port lives."""

from pathlib import Path

from django.conf import settings


def touch() -> None:
    """Says "alive now": gives HEARTBEAT_FILE the present time. Without that setting nothing happens."""
    if settings.HEARTBEAT_FILE:
        Path(settings.HEARTBEAT_FILE).touch()
