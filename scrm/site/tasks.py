"""Celery entries of the face: the nightly rhythms, and the demo's."""

import os

from contacts import sync
from scrm.celery import app
from scrm.site import prune as pruning


@app.task(name="scrm.site.start_nightly_sync")
def start_nightly_sync() -> None:
    """Every night: a full sync heals what callbacks have missed and measures it. Its steps are work of their own."""
    sync.start()


@app.task(name="scrm.site.prune")
def prune() -> None:
    """Every night, and again at once while more is left: deletes what has been kept long enough."""
    if not pruning.prune():
        prune.apply_async(queue="rollup", countdown=5)


@app.task(name="scrm.site.plan_demo")
def plan_demo() -> None:
    """While a demo runs: keeps the broadcasts of today and tomorrow planned, and today's manual posts alive."""
    from scrm.site.demo import handposts, planning  # only the demo's workers carry them

    scenario = os.environ.get("DEMO_SCENARIO", "")
    planning.plan(scenario)
    handposts.live(scenario)
