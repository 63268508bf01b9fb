"""When a demo may begin and when it must end: one per checkout, until the first signal."""

import contextlib
import fcntl
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from scrm.embedded import notes
from scrm.embedded.services import DEMO_NOTE
from scrm.site.demo.options import DemoError


@contextlib.contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """Set by the first SIGINT, SIGTERM or SIGHUP; more of them change nothing."""
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def only_one(var: Path) -> Iterator[None]:
    """One demo per checkout; the lock goes with the process, also with a killed one."""
    with (var / "demo.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            port = notes.read(var / DEMO_NOTE).get("port", "?")
            raise DemoError(f"A demo already runs in this checkout, at port {port}: end it first.") from None
        yield
