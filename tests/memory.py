"""How much memory this process has held at most, for tests in which it has to stay flat."""

import re
from pathlib import Path


def most() -> int:
    """Bytes since `forget_most`."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found
    return int(found.group(1)) * 1024


def forget_most() -> None:
    """Counts anew from what is held now."""
    Path("/proc/self/clear_refs").write_text("5")
