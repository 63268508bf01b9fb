"""Restoring a backup: the database in one transaction, all of it or nothing; then the uploaded files."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO, Final

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from scrm.base import audit
from scrm.site.backup import media, programs
from scrm.site.backup.errors import BackupError
from scrm.site.backup.manifest import DATABASE, MEDIA, Manifest

# Everything of ours goes, also what the backup does not know; extensions stay, and sequences of columns go with
# their table.
_EMPTY: Final = """
DO $$ DECLARE statement text; BEGIN
    FOR statement IN
        SELECT format('DROP %s IF EXISTS public.%I CASCADE', CASE relkind
                   WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, relname)
        FROM pg_class c
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
          AND NOT EXISTS (SELECT 1 FROM pg_depend d
                          WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                            AND (d.deptype = 'e' OR relkind = 'S' AND d.deptype IN ('a', 'i')))
        UNION ALL
        SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure)
        FROM pg_proc p
        WHERE pronamespace = 'public'::regnamespace
          AND NOT EXISTS (SELECT 1 FROM pg_depend d
                          WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
        UNION ALL
        SELECT format('DROP TYPE IF EXISTS public.%I CASCADE', typname)
        FROM pg_type t
        WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')
          AND NOT EXISTS (SELECT 1 FROM pg_depend d
                          WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
    LOOP EXECUTE statement; END LOOP;
END $$;
"""
_COUNTED: Final = """
DO $$ BEGIN
    IF (SELECT count(*) FROM public.{table}) <> {rows} THEN RAISE EXCEPTION 'rows are missing in a table'; END IF;
END $$;
"""
_TABLES: Final = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
_SESSIONS: Final = """
SELECT DISTINCT coalesce(nullif(application_name, ''), usename) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' ORDER BY 1
"""


def restore(folder: Path, *, replace: bool = False) -> Manifest:
    """Brings the backup back. Raises BackupError, with database and files as they were.

    Refused are: a damaged backup, one of a newer schema, a database or uploads that hold something (without `replace`),
    other sessions in the database, and sending that is not off: what the backup has still to send may be sent long since.
    """
    manifest = Manifest.read(folder)
    _refuse(manifest, replace=replace)
    manifest.verify(folder)
    tools = programs.find(max(manifest.programs, programs.server()))
    connection.close()
    fresh = media.unpack(folder / MEDIA)
    try:
        _run(tools, manifest, folder / DATABASE)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    media.put_in_place(fresh)
    _finish(folder, manifest)
    return manifest


def _refuse(manifest: Manifest, *, replace: bool) -> None:
    if unknown := manifest.unknown_migrations():
        raise BackupError(
            _("The backup is of a newer version (%(version)s) with the migration %(name)s: install that version first.")
            % {"version": manifest.version, "name": unknown[0]}
        )
    if settings.SENDING != "off":
        raise BackupError(_("Set SENDING=off first: what the backup has still to send may have been sent long since."))
    if others := _other_sessions():
        raise BackupError(
            _("Others are connected to the database (%(names)s): stop web server, workers and beat first.")
            % {"names": ", ".join(others)}
        )
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        if not replace and (cursor.fetchone()[0] or media.has_files()):
            raise BackupError(_("Database or uploads are not empty. --replace deletes what they hold."))


def _other_sessions() -> list[str]:
    """Who else is connected; whoever is just leaving gets two seconds."""
    until = time.monotonic() + 2.0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_SESSIONS)
            names = [name for (name,) in cursor.fetchall()]
            if not names or time.monotonic() > until:
                return names
            time.sleep(0.1)


def _run(tools: programs.Programs, manifest: Manifest, dump: Path) -> None:
    """pg_restore writes SQL, psql runs it between our BEGIN and COMMIT. COMMIT is said only when all of it was written."""
    words = ["--no-owner", "--no-privileges", "--no-comments", "--file=-", str(dump)]
    with tempfile.TemporaryFile("w+") as said:
        writer = subprocess.Popen(
            tools.command("pg_restore", *words), env=programs.environment(), stdout=subprocess.PIPE, stderr=said
        )
        runner = subprocess.Popen(
            tools.command("psql", "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1"),
            env=programs.environment(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said,
        )  # fmt: skip
        complete = _feed(writer, runner, manifest)
        if runner.wait() or not complete:
            said.seek(0)
            raise BackupError(_("Nothing was restored: %(why)s") % {"why": programs.reason(said.read())})


def _feed(writer: "subprocess.Popen[bytes]", runner: "subprocess.Popen[bytes]", manifest: Manifest) -> bool:
    assert writer.stdout and runner.stdin
    try:
        with runner.stdin as script, writer.stdout as sql:
            _say(script, "BEGIN;", _EMPTY)
            shutil.copyfileobj(sql, script, 1024 * 1024)
            if writer.wait():
                return False  # without COMMIT the transaction ends as if it had never been
            _say(script, *(_COUNTED.format(table=table, rows=rows) for table, rows in manifest.rows.items()), "COMMIT;")
    except BrokenPipeError:  # psql has met an error and says so itself
        return False
    finally:
        if writer.poll() is None:
            writer.terminate()
        writer.wait()
    return True


def _say(script: IO[bytes], *statements: str) -> None:
    script.write("\n".join(statements).encode() + b"\n")


def _finish(folder: Path, manifest: Manifest) -> None:
    """Statistics for the planner, which no backup holds; the trail says what was done where its table is the present one."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    if not missing_migrations():
        audit.record("backup.restore", user=None, subject=folder.name, taken_at=manifest.taken_at)


def missing_migrations() -> bool:
    """Whether `migrate` has something to do."""
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
