"""Pumps of a lane with poison in it: `python -m tests.faults.poisoned`. Run under supervision, for it dies."""

import os
import resource
import sys
import threading
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scrm.settings")
django.setup()

from scrm.base.work import Claim, claim, lane, pump  # noqa: E402  settings must be loaded first

LANE = "test:poison"
JOB_SECONDS = 0.4  # what a call to the platform takes


@lane(LANE, queue="export", lease=2, threads=8, poll=0.1, back_off=(0.1, 0.1))
def handle(job: Claim) -> None:
    """Does what the entity is called."""
    kind = job.key.partition("-")[0]
    time.sleep(JOB_SECONDS)
    if kind == "abort":
        os.abort()
    if kind == "raise":
        raise ValueError("poison")
    if kind == "eat":
        bytearray(8 * 1024**3)


def main() -> None:
    if "together" in sys.argv:
        claim._SUSPECTS_APART = 0.0
    limit = 4 * 1024**3
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    pump.start(["export"], "poisoned")
    threading.Event().wait()


if __name__ == "__main__":
    main()
