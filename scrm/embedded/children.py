"""Child processes under supervision: each in a session of its own, started again when it dies, ended with its brood.

Every child carries `MARK` in its environment, so that whatever a killed supervisor left behind is found again.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from scrm.embedded import processes
from scrm.embedded.lifeline import on_our_death

MARK: Final = "SCRM_SUPERVISED"
QUICK_SECONDS: Final = 5.0  # a child that lives shorter than this has failed to start
PAUSES: Final = (0.0, 1.0, 3.0, 6.0)  # seconds before the next start, by quick deaths in a row


@dataclass
class Child:
    """One supervised process. `command` is what it runs, `log` where its output goes (appended)."""

    name: str
    command: Sequence[str]
    log: Path
    patience: float = 10.0  # seconds from the first signal to SIGKILL
    end_signal: signal.Signals = signal.SIGTERM
    quick_deaths: int = 0
    deaths: int = 0
    process: subprocess.Popen[bytes] | None = None
    _started: float = 0.0
    _not_before: float = 0.0

    def start(self, environment: Mapping[str, str], folder: Path) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                env=environment,
                start_new_session=True,
                preexec_fn=on_our_death(signal.SIGTERM),
            )
        self._started = time.monotonic()

    def dead(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def bury(self) -> None:
        """After a death: ends what the process left behind and sets the moment of the next start."""
        if self.process is None:
            return
        end_session(self.process.pid, patience=2.0)
        self.process = None
        self.deaths += 1
        quick = time.monotonic() - self._started < QUICK_SECONDS
        self.quick_deaths = self.quick_deaths + 1 if quick else 0
        self._not_before = time.monotonic() + PAUSES[min(self.quick_deaths, len(PAUSES) - 1)]

    def due(self) -> bool:
        return self.process is None and time.monotonic() >= self._not_before

    def last_words(self, lines: int = 12) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


@dataclass
class Children:
    """A family of children with one environment and working folder."""

    environment: Mapping[str, str]
    folder: Path
    mark: str
    members: list[Child] = field(default_factory=list)

    def start(self, *children: Child) -> None:
        for child in children:
            self.members.append(child)
            self._start(child)

    def look(self, on_death: Callable[[Child], None]) -> None:
        """One round of supervision: buries the dead, calls `on_death` for each, starts those that are due."""
        for child in self.members:
            if child.process is not None and child.dead():
                on_death(child)
                child.bury()
            if child.due():
                self._start(child)

    def stop(self) -> None:
        """Ends all at once and waits; the impatient end is SIGKILL."""
        living = [child for child in self.members if not child.dead()]
        for child in living:
            assert child.process is not None
            processes.send(child.process.pid, child.end_signal)
        begun = time.monotonic()
        for child in living:
            assert child.process is not None
            left = max(0.1, child.patience - (time.monotonic() - begun))
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(left)
            end_session(child.process.pid, patience=1.0)
            child.process.wait()
        self.members.clear()

    def _start(self, child: Child) -> None:
        child.start({**self.environment, MARK: self.mark}, self.folder)


def end_session(leader: int, *, patience: float) -> None:
    """Ends all processes of the session that `leader` began; SIGKILL after `patience` seconds."""
    _end_all(lambda: [pid for pid in processes.everybody() if _sid(pid) == leader], patience)


def end_marked(mark: str, *, patience: float = 8.0) -> int:
    """Ends every process that carries `MARK=mark`: what a killed supervisor left behind. Returns how many."""
    return _end_all(
        lambda: [pid for pid in processes.everybody() if processes.carries(pid, f"{MARK}={mark}")], patience
    )


def _end_all(find: Callable[[], list[int]], patience: float) -> int:
    """SIGTERM to what `find` finds, SIGKILL to what is left after `patience` seconds. Returns how many were found."""

    def others() -> list[int]:
        return [pid for pid in find() if pid != os.getpid() and processes.started(pid)]

    found = others()
    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 2.0)):
        for pid in others():
            processes.send(pid, number)
        until = time.monotonic() + seconds
        while others() and time.monotonic() < until:
            time.sleep(0.05)
    return len(found)


def _sid(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0
