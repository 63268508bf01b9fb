"""What the embedded servers have in common: started once for a checkout, reused while their launcher lives, ended by it."""

import shutil
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path

from scrm.embedded import notes, processes


class Server(ABC):
    """One server on the loopback, for the checkout whose `folder` this is. Port, password and launcher are noted there.

    `start()` is idempotent: a server that a living launcher runs is reused and left running by `stop()`;
    one that a killed launcher left behind is ended first.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The address, password included."""

    @abstractmethod
    def alive(self) -> bool:
        """True when this folder's server is up and answers."""

    @abstractmethod
    def _launch(self) -> str:
        """Starts a server where none runs; returns its address. Raises ServiceError."""

    @abstractmethod
    def _pid(self) -> int | None:
        """Of the server that runs for this folder, whoever started it."""

    @abstractmethod
    def _end(self, pid: int) -> None:
        """Ends it with patience."""

    def died(self) -> bool:
        """True when this object started the server and it ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def start(self) -> str:
        """Starts or reuses the server; returns its address. Raises ServiceError."""
        if self._process is not None and self._process.poll() is None:
            return self.url
        if self.alive() and processes.from_note(self._note().get("launcher")).alive():
            return self.url
        self._end_orphan()
        self.folder.mkdir(parents=True, exist_ok=True)
        return self._launch()

    def stop(self) -> None:
        """Ends the server if this object started it."""
        if self._process is None:
            return
        self._end(self._process.pid)
        self._process.wait(10)
        self._process = None

    def remove(self) -> None:
        """Ends the server and removes its folder."""
        self.stop()
        self._end_orphan()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _note(self) -> dict[str, object]:
        return notes.read(self.folder / "server.json")

    def _write_note(self, note: dict[str, object]) -> None:
        notes.write(self.folder / "server.json", note)

    def _end_orphan(self) -> None:
        pid = self._pid()
        if pid is not None:
            self._end(pid)
