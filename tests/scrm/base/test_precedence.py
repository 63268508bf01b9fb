"""A worker of slow families gives way; one that serves an urgent family too does not."""

import subprocess
import sys
from pathlib import Path

import pytest

from scrm.base.precedence import NICE
from scrm.base.work.lanes import QUEUES

SAYS = """
import os, sys, threading
from scrm.base.precedence import give_way
before = os.nice(0)
give_way(sys.argv[1:])
started = threading.Thread(target=lambda: print(os.nice(0) - before))
started.start()
started.join()
autogroup = open("/proc/self/autogroup").read() if os.path.exists("/proc/self/autogroup") else ""
print((autogroup.split() or ["none"])[-1])
"""
AUTOGROUPS = Path("/proc/self/autogroup").exists()


@pytest.mark.parametrize(
    ("queues", "nice"),
    [(["sync", "rollup", "export"], 10), (["mirror"], 8), (["welcome"], 0), (["sync", "welcome"], 0)],
)
@pytest.mark.parametrize("leads", [True, False])
def test_the_most_urgent_family_decides(queues: list[str], nice: int, leads: bool) -> None:
    """The session's own nice is touched only by who leads it: others live there."""
    own = "0" if leads and AUTOGROUPS else _session_nice()
    said = subprocess.run(
        [sys.executable, "-c", SAYS, *queues], capture_output=True, text=True, check=True, start_new_session=leads
    ).stdout.split()
    assert said == [str(nice), str(nice) if leads and AUTOGROUPS and nice else own]


def test_every_family_has_its_place() -> None:
    assert set(NICE) == set(QUEUES)


def _session_nice() -> str:
    """ "none" without autogroups, and for a session older than the kernel's first of them (containers have such)."""
    said = Path("/proc/self/autogroup").read_text("ascii") if AUTOGROUPS else ""
    return (said.split() or ["none"])[-1]
