"""Taking a backup: beside running processes, as of one moment."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from scrm.base import audit, clock
from scrm.site.backup import media, programs
from scrm.site.backup.errors import BackupError
from scrm.site.backup.manifest import DATABASE, MEDIA, File, Manifest, count_rows, migration_state

# Sessions are left out: whoever has one is logged in. After a restore everybody logs in again.
WITHOUT_ROWS: Final = ("django_session",)
_NAME = re.compile(r"scrm-\d{8}T\d{6}Z-[\w.]+")
_HALF: Final = ".partial"


def take(folder: Path) -> Path:
    """Writes a backup below `folder` and returns its own folder, complete or not there. Raises BackupError."""
    name = f"scrm-{clock.real_now():%Y%m%dT%H%M%SZ}-{settings.VERSION}"
    whole, half = folder / name, folder / f"{name}{_HALF}"
    with _only_for_us():
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            half.mkdir(mode=0o700)
            _fill(half)
            _make_durable(half)
            half.rename(whole)
            _sync(folder)
        except BaseException as error:
            shutil.rmtree(half, ignore_errors=True)
            if isinstance(error, OSError):
                raise BackupError(
                    _("The backup can't be written to %(path)s: %(why)s.") % {"path": folder, "why": error.strerror}
                ) from error
            raise
    audit.record("backup.take", user=None, subject=name)
    return whole


def discard_old(folder: Path, keep: int) -> list[Path]:
    """Deletes all but the `keep` newest backups of `folder`, and what broke off before them; returns what went."""
    found = sorted(path for path in folder.iterdir() if path.is_dir() and _NAME.fullmatch(path.name))
    whole = [path for path in found if path.suffix != _HALF]
    oldest_kept = whole[-max(1, keep) :][0]
    old = found[: found.index(oldest_kept)]
    for path in old:
        shutil.rmtree(path)
    return old


def _fill(folder: Path) -> None:
    server = programs.server()
    tools = programs.find(server)
    with _snapshot() as snapshot:
        # First, so that nothing which happens meanwhile can take the snapshot from the program.
        _dump(tools, snapshot, folder / DATABASE)
        migrations, rows = migration_state(), count_rows(without=WITHOUT_ROWS)
    media.pack(folder / MEDIA)
    files = {name: File.of(folder / name) for name in (DATABASE, MEDIA)}
    taken_at = clock.real_now().isoformat(timespec="seconds")
    Manifest(settings.VERSION, taken_at, server, tools.major, migrations, rows, files).write(folder)


@contextmanager
def _snapshot() -> Iterator[str]:
    """One moment of the database, for this transaction and for pg_dump."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SELECT pg_export_snapshot()")
        yield cursor.fetchone()[0]


def _dump(tools: programs.Programs, snapshot: str, path: Path) -> None:
    words = ["--format=custom", "--no-owner", "--no-privileges", "--no-password", "--lock-wait-timeout=60s"]
    words += [f"--snapshot={snapshot}", f"--file={path}"]
    words += [f"--exclude-table-data={table}" for table in WITHOUT_ROWS]
    done = subprocess.run(
        tools.command("pg_dump", *words), env=programs.environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BackupError(_("pg_dump failed: %(why)s") % {"why": programs.reason(done.stderr)})


@contextmanager
def _only_for_us() -> Iterator[None]:
    """Files that are made in the block belong to this user alone (0600, folders 0700)."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _make_durable(folder: Path) -> None:
    for path in folder.iterdir():
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
