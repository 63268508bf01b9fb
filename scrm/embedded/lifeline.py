"""Children that don't outlive us, even when we are killed: the kernel sends them a signal (Linux only).

Elsewhere, and for children started outside the main thread, the next start ends what was left behind.
"""

import ctypes
import signal
import sys
import threading
from collections.abc import Callable
from typing import Final

PR_SET_PDEATHSIG: Final = 1


def on_our_death(number: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn` for subprocess: the child gets this signal when we die.

    To the kernel "we" are the starting thread, so only the main thread, which lives as long as the process, may ask.
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return None
    libc = ctypes.CDLL(None)

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(number))

    return ask
