"""Celery entries of the base room."""

from scrm.base.work import pump
from scrm.celery import app


@app.task(name="base.ring_lane")
def ring_lane(lane: str) -> None:
    """Somebody wrote work for `lane`: wakes its pump in this process."""
    pump.wake(lane)
