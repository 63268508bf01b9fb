"""PostgreSQL's own client programs, and how they reach our database."""

import contextlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from django.db import connection
from django.utils.translation import gettext as _

from scrm.embedded.errors import ServiceError
from scrm.embedded.postgres import wheel
from scrm.site.backup.errors import BackupError

NEEDED: Final = ("pg_dump", "pg_restore", "psql")
# libpq's environment variables for the options that an address of the database may carry
_OPTIONS: Final = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}


@dataclass(frozen=True)
class Programs:
    """One folder with all three programs, of one major version."""

    folder: Path
    major: int

    def command(self, name: str, *words: str) -> list[str]:
        return [str(self.folder / name), *words]


def find(least: int) -> Programs:
    """The oldest programs from major version `least` on: they refuse what is newer than themselves."""
    found = [programs for folder in _folders() if (programs := _look(folder)) and programs.major >= least]
    if not found:
        raise BackupError(
            _("pg_dump, pg_restore and psql of PostgreSQL %(major)d or newer are needed: install postgresql-client.")
            % {"major": least}
        )
    return min(found, key=lambda programs: programs.major)


def server() -> int:
    """Major version of our server."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0]) // 10_000


def environment() -> dict[str, str]:
    """For a program that works on our database. The password is not among its arguments, where others could read it."""
    given = connection.settings_dict
    options: dict[str, object] = given.get("OPTIONS") or {}
    values: dict[str, object] = {
        "PGHOST": given["HOST"],
        "PGPORT": given["PORT"],
        "PGUSER": given["USER"],
        "PGPASSWORD": given["PASSWORD"],
        "PGDATABASE": given["NAME"],
        **{variable: options.get(name) for name, variable in _OPTIONS.items()},
    }
    ours = {name: str(value) for name, value in values.items() if value}
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {
        **kept,
        **ours,
        "LC_ALL": "C",
        "PGAPPNAME": "scrm-backup",
        "PGCONNECT_TIMEOUT": "10",
        "PGOPTIONS": "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c lock_timeout=60000",
    }


def reason(said: str) -> str:
    """The first line that names an error; the lines after it may quote rows of the database."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return next((line for line in lines if re.search(r"\b(error|ERROR|FATAL)\b", line)), lines[-1] if lines else "")


def _folders() -> list[Path]:
    """Debian's folders by version, the search path, the embedded server's."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    folders += [Path(folder) for folder in os.get_exec_path() if folder]
    with contextlib.suppress(ServiceError):  # not installed, which is usual in production
        folders.append(wheel() / "bin")
    return folders


@cache
def _look(folder: Path) -> Programs | None:
    if not all(shutil.which(name, path=str(folder)) for name in NEEDED):
        return None
    said = subprocess.run([str(folder / "pg_dump"), "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"\) (\d+)", said)
    return Programs(folder, int(version.group(1))) if version else None
