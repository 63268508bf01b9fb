"""Celery entries of what we say."""

from campaigns.models import PARTITIONS
from scrm.base import clock
from scrm.celery import app


@app.task(name="campaigns.ensure_partitions")
def ensure_partitions() -> None:
    """Every night: deliveries have their partitions a year ahead, so that no approval has to make one."""
    PARTITIONS.ensure([], today=clock.today())
