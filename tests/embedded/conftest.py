"""Folders and launchers for the embedded services."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scrm.embedded import Postgres, Redis, Services, services

# Quick, and yet what is committed survives the end of the server.
QUICK = {"fsync": "off"}

ROOT = Path(__file__).resolve().parent.parent.parent

# Runs the services of a folder until it is ended. `thread` starts them outside the main thread: so nothing ends
# them when the launcher is killed, as on systems that have no such means.
LAUNCHER = """
import sys, threading, time
from pathlib import Path
from scrm.embedded import services
def start():
    print(services(Path(sys.argv[1]), settings={"fsync": "off"}).database_url, flush=True)
if "thread" in sys.argv:
    threading.Thread(target=start).start()
else:
    start()
time.sleep(600)
"""


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A folder that everybody may enter, like a checkout under /srv."""
    folder = Path(tempfile.mkdtemp(prefix="scrm-checkout-"))
    folder.chmod(0o755)
    yield folder
    for lock in folder.rglob("services.lock"):
        Services(Postgres(lock.parent / "postgres"), Redis(lock.parent / "redis")).remove()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A `var` whose data exist already: making them is what takes long."""
    folder = Path(tempfile.mkdtemp(prefix="scrm-checkout-"))
    folder.chmod(0o755)
    made = services(folder / "var", settings=QUICK)
    made.stop()
    yield folder / "var"
    made.remove()
    shutil.rmtree(folder)


@pytest.fixture
def start() -> Iterator[Callable[[Path], Services]]:
    """Starts the services of a `var` in this process; they end with the test."""
    started: list[Services] = []

    def start_one(var: Path) -> Services:
        started.append(services(var, settings=QUICK))
        return started[-1]

    yield start_one
    for one in started:
        one.stop()


@pytest.fixture
def launcher() -> Iterator[Callable[..., tuple[subprocess.Popen[str], str]]]:
    """Starts the services of a `var` in a process of its own. Returns it and the address of the database."""
    running: list[subprocess.Popen[str]] = []

    def launch(var: Path, *arguments: str) -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-c", LAUNCHER, str(var), *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        running.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield launch
    for process in running:
        process.kill()
        process.wait()


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def gone(pid: int, seconds: float = 10.0) -> bool:
    """Whether a process ends within this time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").exists() and ") Z" in Path(f"/proc/{pid}/stat").read_text():
            return True
        time.sleep(0.05)
    return False
