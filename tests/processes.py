"""Real processes for journeys and crash tests: the web server and workers as a deployment runs them."""

import itertools
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from scrm.embedded.ports import free_port as free_port

_numbers = itertools.count()
ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def process(arguments: list[str], environment: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """One process of ours with the test's database and Redis; ended at the end of the block."""
    child = subprocess.Popen(
        arguments,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield child
    finally:
        end(child)


def end(child: "subprocess.Popen[bytes]") -> None:
    """Ends a process and whatever it has started."""
    if child.poll() is None:
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(15)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, 9)
    child.wait(5)


def granian(port: int, application: str = "scrm.wsgi:application", threads: int = 1024) -> list[str]:
    """The web server as the README starts it, one process, on `port`."""
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1", "--blocking-threads", str(threads), "--no-access-log", application,
    ]  # fmt: skip


def worker(queues: str) -> list[str]:
    """A worker of these queues as the README starts it."""
    return [
        sys.executable, "-m", "celery", "-A", "scrm", "worker", "-Q", queues, "--pool", "threads", "-c", "2",
        "-n", f"{queues.replace(',', '-')}-{os.getpid()}-{next(_numbers)}@%h", "--without-gossip", "--without-mingle",
    ]  # fmt: skip


def beat() -> list[str]:
    """Beat as the README starts it, with a schedule that nobody has written yet."""
    return [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "scrm",
        "beat",
        "--pidfile=",
        "--schedule",
        f"{tempfile.mkdtemp(prefix='scrm-beat-')}/schedule",
    ]


def kill(child: "subprocess.Popen[bytes]") -> None:
    """SIGKILL to a process and whatever it has started, as when a supervisor buries it."""
    os.killpg(child.pid, 9)
    child.wait(5)


def work_once(*lanes: str) -> list[str]:
    """A process that does what is due in these lanes and ends."""
    code = f"import django; django.setup(); from scrm.base.work import run; run.run_due({list(lanes)!r})"
    return [sys.executable, "-c", code]


def wait_for(url: str, seconds: float = 40.0) -> None:
    """Returns when the address answers at all."""

    def answers() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    eventually(answers, seconds, f"{url} did not answer")


def eventually(condition: Callable[[], object], seconds: float = 30.0, why: str = "it did not happen in time") -> float:
    """Waits until the condition holds; returns the seconds that it took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, why
        time.sleep(0.05)
    return time.monotonic() - begun
