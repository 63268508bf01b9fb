"""What processes have used so far, as Linux counts it."""

import os
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")


def cpu(pid: int) -> float:
    """Seconds of processor time of a living process and its living children."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / _TICKS
    return own + sum(cpu(child) for child in _children(pid))


def precise_cpu(pid: int) -> float:
    """Seconds of processor time of the main thread of a living process, to the microsecond."""
    return int(Path(f"/proc/{pid}/schedstat").read_text("ascii").split()[0]) / 1e9


def memory(pid: int) -> int:
    """The bytes of memory that a process has now."""
    return _status(pid, "VmRSS")


def most_memory(pid: int) -> int:
    """The most bytes of memory that a process has had."""
    return _status(pid, "VmHWM")


def _status(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for item in listed for child in item.read_text("ascii").split()]
