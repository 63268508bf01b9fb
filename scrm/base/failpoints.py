"""Named places where a test may kill the process: `FAILPOINT=name:n` sends SIGKILL at the n-th pass."""

import os
import signal
import threading

from django.conf import settings

_passes = 0
_lock = threading.Lock()


def failpoint(name: str) -> None:
    """Does nothing unless the setting FAILPOINT names this place."""
    if not settings.FAILPOINT:
        return
    wanted, passes = _wanted(settings.FAILPOINT)
    if wanted != name:
        return
    global _passes
    with _lock:
        _passes += 1
        due = _passes == passes
    if due:
        os.kill(os.getpid(), signal.SIGKILL)


def _wanted(text: str) -> tuple[str, int]:
    """`inbox.after_commit:9` → that place, the ninth pass; without a number the first. Names may hold colons."""
    name, _, number = text.rpartition(":")
    return (name, int(number)) if name and number.isdigit() else (text, 1)
