"""Who gives way while processors are short: a worker of slow families lets those go first whose work can't wait."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

NICE = {"welcome": 0, "sending": 2, "mirror": 8, "sync": 10, "rollup": 10, "export": 10}


def give_way(queues: Iterable[str]) -> None:
    """Makes this thread, and those that it starts from now on, as nice as the most urgent of `queues` allows.

    Linux shares processors between sessions first (autogroups) and looks at nice values within one only: a process that
    leads a session of its own makes that as nice too. Between containers `cpu_shares` decides.
    """
    nice = min((NICE[queue] for queue in queues), default=0)
    os.nice(nice)
    if nice and os.getsid(0) == os.getpid():
        with suppress(OSError):  # a kernel without autogroups
            Path("/proc/self/autogroup").write_text(str(nice), "ascii")
