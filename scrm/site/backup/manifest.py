"""What a backup is made of: version, migration state, rows by table, size and checksum of each file."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils.translation import gettext as _

from scrm.site.backup.errors import BackupError

NAME = "manifest.json"
DATABASE, MEDIA = "database.dump", "media.tar"
FORMAT = 1
_CHUNK = 1024 * 1024

Migrations = dict[str, list[str]]  # names by app, in the order of their application

_TABLES = """
SELECT quote_ident(relname) FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> ALL(%s) ORDER BY relname
"""


@dataclass(frozen=True)
class File:
    """One file of the backup: size in bytes, SHA-256 in hexadecimal."""

    bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "File":
        digest = hashlib.sha256()
        with path.open("rb") as content:
            while chunk := content.read(_CHUNK):
                digest.update(chunk)
        return cls(path.stat().st_size, digest.hexdigest())


@dataclass(frozen=True)
class Manifest:
    """`postgres` and `programs` are the major versions of the server and of pg_dump; `rows` counts by quoted table name."""

    version: str
    taken_at: str
    postgres: int
    programs: int
    migrations: Migrations
    rows: dict[str, int]
    files: dict[str, File]

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Raises BackupError where `folder` holds no complete backup that this version can read."""
        try:
            content: dict[str, Any] = json.loads((folder / NAME).read_text("utf-8"))
            if content.pop("format") != FORMAT:
                raise BackupError(_("%(path)s is of a format that this version does not know.") % {"path": folder})
            files = {name: File(**file) for name, file in content.pop("files").items()}
            manifest = cls(**content, files=files)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BackupError(_("%(path)s is no complete backup.") % {"path": folder}) from error
        if set(manifest.files) != {DATABASE, MEDIA}:
            raise BackupError(_("%(path)s is no complete backup.") % {"path": folder})
        return manifest

    def write(self, folder: Path) -> None:
        content = json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, indent=1)
        (folder / NAME).write_text(content + "\n", "utf-8")

    def verify(self, folder: Path) -> None:
        """Raises BackupError when a file is missing or not the one that was written."""
        for name, expected in self.files.items():
            path = folder / name
            if not path.is_file() or File.of(path) != expected:
                raise BackupError(_("%(path)s is damaged: its checksum differs from the manifest's.") % {"path": path})

    def unknown_migrations(self) -> list[str]:
        """Migrations that this version's code does not have: the backup is of a newer one."""
        known: set[tuple[str, str]] = set()
        for key, migration in MigrationLoader(None, ignore_no_migrations=True).disk_migrations.items():
            known |= {key, *((app, name) for app, name in migration.replaces)}
        return sorted(
            f"{app}.{name}" for app, names in self.migrations.items() for name in names if (app, name) not in known
        )


def migration_state() -> Migrations:
    """What is applied in the database."""
    state: Migrations = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations ORDER BY id")
        for app, name in cursor.fetchall():
            state.setdefault(app, []).append(name)
    return state


def count_rows(*, without: tuple[str, ...]) -> dict[str, int]:
    """Rows by table, each partition by itself."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES, [list(without)])
        tables = [name for (name,) in cursor.fetchall()]
        rows = {}
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM public.{table}")  # noqa: S608  quoted by the database
            rows[table] = cursor.fetchone()[0]
    return rows
