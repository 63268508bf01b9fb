"""Celery entries of the face: the nightly rhythms, and the demo's."""

import datetime as dt
import os

from django.db import transaction

from contacts import sync
from scrm.base import nightly
from scrm.celery import app
from scrm.site import prune as pruning


@app.task(name="scrm.site.start_nightly_sync")
def start_nightly_sync() -> None:
    """Every night: a full sync heals what callbacks have missed and measures it. Its steps are work of their own."""
    with transaction.atomic():  # a worker that dies here leaves the night to the next minute
        if nightly.takes("sync", dt.time(3, 10)):
            sync.start()


@app.task(name="scrm.site.prune")
def prune() -> None:
    """Every night: deletes what has been kept long enough."""
    if nightly.takes("prune", dt.time(4, 20)):
        prune_on()


@app.task(name="scrm.site.prune_on", queue="rollup")
def prune_on() -> None:
    """Again at once while more is left."""
    if not pruning.prune():
        prune_on.apply_async(countdown=5)


@app.task(name="scrm.site.plan_demo")
def plan_demo() -> None:
    """While a demo runs: keeps the broadcasts of today and tomorrow planned, and today's manual posts alive."""
    from scrm.site.demo import handposts, planning  # only the demo's workers carry them

    scenario = os.environ.get("DEMO_SCENARIO", "")
    planning.plan(scenario)
    handposts.live(scenario)
