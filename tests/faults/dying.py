"""A worker that dies at a named place: a fork of this process, ended by SIGKILL, its leases over."""

import os
import signal
from typing import NoReturn

from django.conf import settings
from django.db import connections
from django.db.models.functions import Now

from scrm.base import failpoints
from scrm.base.models import Work
from scrm.base.work import run

LONGEST = 40  # seconds for what leads to the place


def dies(place: str, *lanes: str, leases_end: bool = True) -> None:
    """Works the lanes in a process of its own until it is killed at `place` (`name` or `name:n`)."""
    child = os.fork()
    if child == 0:
        _work_until_killed(place, lanes)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"{place} was not reached"
    assert os.WTERMSIG(status) == signal.SIGKILL, f"the way to {place} took too long"
    if leases_end:
        let_leases_end()


def let_leases_end() -> None:
    """What nobody renews any more is over at once."""
    Work.objects.filter(state="leased").update(lease_until=Now())


def _work_until_killed(place: str, lanes: tuple[str, ...]) -> NoReturn:
    try:
        signal.alarm(LONGEST)
        for connection in connections.all():
            connection.connection = None  # the parent's: two that speak on one both hang
        failpoints._passes = 0
        settings.FAILPOINT = place
        run.run_due(lanes)
    finally:
        os._exit(1)  # the place was not reached; nothing of the parent's is to be closed here
