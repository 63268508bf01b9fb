"""Celery entries of the numbers."""

from analytics import fill
from scrm.celery import app


@app.task(name="analytics.fill_dirty_days")
def fill_dirty_days() -> None:
    """Every five seconds: takes over what changed in the ledgers."""
    fill.fill_dirty()
