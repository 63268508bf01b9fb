"""Named places where a test may kill the process: `FAILPOINT=name:n` sends SIGKILL at the n-th pass."""

import os
import signal
import threading

from django.conf import settings

_passes = 0
_lock = threading.Lock()


def failpoint(name: str) -> None:
    """Does nothing unless the setting FAILPOINT names this place."""
    wanted: str = settings.FAILPOINT
    if not wanted or wanted.partition(":")[0] != name:
        return
    global _passes
    with _lock:
        _passes += 1
        due = _passes == int(wanted.partition(":")[2] or 1)
    if due:
        os.kill(os.getpid(), signal.SIGKILL)
