"""Celery entries of what we say."""

import datetime as dt

from campaigns.models import PARTITIONS
from scrm.base import clock, nightly
from scrm.celery import app


@app.task(name="campaigns.ensure_partitions")
def ensure_partitions() -> None:
    """Every night: deliveries have their partitions a year ahead, so that no approval has to make one."""
    if nightly.takes("partitions", dt.time(2, 40)):
        PARTITIONS.ensure([], today=clock.today())
