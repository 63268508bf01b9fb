"""Processes seen from outside: who lives, since when, started how; and ending them with patience.

A pid alone proves nothing, it may have been given away again; therefore a process is always
noted as pid plus start time.
"""

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc/self/stat")


@dataclass(frozen=True)
class Identity:
    """One process for good: `started` is the system's start mark, an opaque text."""

    pid: int
    started: str

    def alive(self) -> bool:
        return self.started != "" and started(self.pid) == self.started

    def noted(self) -> list[int | str]:
        """The form for a note: [pid, start mark]."""
        return [self.pid, self.started]


def from_note(value: object) -> Identity:
    """The identity that a note holds; a dead one when the value is no such thing."""
    match value:
        case [int(pid), str(mark)]:
            return Identity(pid, mark)
    return Identity(0, "")


def identity(pid: int) -> Identity:
    """The identity of a living process; one with an empty start mark counts as dead."""
    return Identity(pid, started(pid))


def started(pid: int) -> str:
    """The system's start mark of a process, empty when it is gone or only waits to be reaped."""
    if not PROC.exists():
        return _ps(pid, "lstart=")
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, UnicodeDecodeError):
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def command_line(pid: int) -> str:
    """The command line of a process, words parted by spaces; empty when it is gone."""
    if not PROC.exists():
        return _ps(pid, "command=")
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return raw.replace(b"\0", b" ").decode("utf-8", "surrogateescape").strip()


def everybody() -> list[int]:
    """The pids of all processes."""
    if PROC.exists():
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    said = subprocess.run(["ps", "-axo", "pid="], capture_output=True, text=True, check=False).stdout
    return [int(pid) for pid in said.split()]


def carries(pid: int, assignment: str) -> bool:
    """Whether the process was started with `NAME=value` in its environment; False when we may not know."""
    if not PROC.exists():
        said = subprocess.run(
            ["ps", "-wwE", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return assignment in said.stdout.split()
    try:
        return assignment.encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def end(pid: int, *signals: tuple[signal.Signals, float]) -> bool:
    """Sends each signal in turn and waits its seconds for the process to go; True when it is gone."""
    mark = started(pid)
    for number, patience in signals:
        if not send(pid, number):
            return True
        if wait_gone(pid, mark, patience):
            return True
    return started(pid) != mark


def send(pid: int, number: signal.Signals) -> bool:
    """False when there is no such process any more."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def wait_gone(pid: int, mark: str, patience: float) -> bool:
    until = time.monotonic() + patience
    while started(pid) == mark and mark:
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def _ps(pid: int, column: str) -> str:
    """macOS has no /proc."""
    said = subprocess.run(
        ["ps", "-ww", "-o", f"stat=,{column}", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    state, _, value = said.partition(" ")
    return "" if state.startswith("Z") else value.strip()
