"""Backup and restore, carried out: everything is lost and comes back; what must be refused changes nothing."""

import datetime as dt
import io
import itertools
import json
import re
import shutil
import stat
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import translation

from analytics.models import PARTITIONS, Fact
from campaigns.models import WelcomeRule
from contacts.models import Customer
from groups.models import GroupChat
from scrm.base import clock
from scrm.base.models import AuditRecord, Work
from scrm.site import backup
from scrm.site.backup import programs
from scrm.site.backup.manifest import File
from scrm.wecom.models import Callback

DAYS = (
    dt.date(2026, 2, 22),
    dt.date(2026, 3, 14),
    dt.date(2009, 1, 1),
)  # two months, and one for the default partition
PICTURE = b"\x89PNG spring"
KEY = "a-session-that-is-logged-in"


@pytest.fixture(autouse=True)
def quiet(settings: Any, tmp_path: Path) -> Iterator[None]:
    """Nothing may go out while a backup is restored; uploads live in a folder of the test."""
    settings.SENDING = "off"
    settings.MEDIA_ROOT = tmp_path / "var" / "media"
    with translation.override("en"):
        yield


@pytest.fixture
def picture(settings: Any) -> Path:
    """Something that was uploaded."""
    path: Path = settings.MEDIA_ROOT / "pictures" / "spring.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(PICTURE)
    return path


@pytest.fixture
def shop(committed: None, picture: Path) -> Iterator[None]:
    """Customers, a callback with its work, facts in three partitions, somebody who is logged in. No session but ours."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    Customer.objects.bulk_create(
        [Customer(external_userid=f"wm{number}", name=f"小林{number}") for number in range(50)]
    )
    callback = Callback.objects.create(
        digest=b"\x00\xff" * 16,
        event="change_external_contact",
        raw="<xml>\n\\.\t</xml>",
        received_domain_at=clock.now(),
    )
    Work.objects.create(source_kind="callback", source_id=callback.pk, lane="mirror:contact", entity="contact:wm1")
    PARTITIONS.ensure(DAYS, today=DAYS[1])
    for count, day in enumerate(DAYS, 1):
        Fact.objects.bulk_create([Fact(day=day, at=clock.now(), stat="adds", value=7) for _ in range(count)])
    Session.objects.create(session_key=KEY, session_data="x", expire_date=clock.real_now() + dt.timedelta(hours=1))
    yield
    if "contacts_customer" not in connection.introspection.table_names():  # a test has failed: not the next one too
        call_command("migrate", verbosity=0)


@pytest.fixture
def taken(shop: None, tmp_path: Path) -> Path:
    """A backup of the shop."""
    return Path(run("backup", str(tmp_path / "backups")).splitlines()[-1])


def run(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def refused(*words: str) -> str:
    with pytest.raises(CommandError) as refusal:
        run("restore", *words)
    return str(refusal.value)


def counts() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in (Customer, Callback, Work, Fact, WelcomeRule)}


def facts_by_table() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text, count(*) FROM analytics_fact GROUP BY 1")
        return dict(cursor.fetchall())


SCHEMA = """
SELECT 'column', attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull,
       pg_get_expr(adbin, adrelid)
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p')
UNION ALL SELECT 'index', tablename, indexname, indexdef, NULL, NULL FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), NULL, NULL
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
UNION ALL SELECT 'partition', inhparent::regclass::text, inhrelid::regclass::text, pg_get_expr(relpartbound, oid), NULL, NULL
FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE relkind = 'r'
UNION ALL SELECT 'sequence', sequencename, last_value::text, NULL, NULL, NULL FROM pg_sequences WHERE schemaname = 'public'
"""


def schema() -> set[tuple[Any, ...]]:
    """Columns, indexes, constraints, partitions, and how far the sequences are."""
    with connection.cursor() as cursor:
        cursor.execute(SCHEMA)
        return {tuple(_plain(value) for value in row) for row in cursor.fetchall()}


def _plain(value: Any) -> Any:
    """PostgreSQL writes a condition with more casts when it has read it from its own dump; they mean the same."""
    return re.sub(r"[()\[\]]|::(text|character varying)", "", value) if isinstance(value, str) else value


def lose_everything() -> None:
    """A new machine: no uploads, a database that is there and empty."""
    shutil.rmtree(settings.MEDIA_ROOT)
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE")
        cursor.execute("CREATE SCHEMA public")


def changed(folder: Path, **values: Any) -> None:
    """Writes other values into the manifest."""
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


# --- the whole way ----------------------------------------------------------------------------------------------------


def test_what_was_lost_comes_back(taken: Path, picture: Path) -> None:
    before = counts()
    assert before == {"Customer": 50, "Callback": 1, "Work": 1, "Fact": 6, "WelcomeRule": 1}
    lose_everything()

    said = run("restore", str(taken))

    assert said.startswith("Restored: ")
    assert "migrate" not in said
    assert counts() == before
    assert facts_by_table() == {"analytics_fact_202602": 1, "analytics_fact_202603": 2, "analytics_fact_default": 3}
    assert Customer.objects.get(external_userid="wm7").name == "小林7"
    callback = Callback.objects.get()
    assert (bytes(callback.digest), callback.raw) == (b"\x00\xff" * 16, "<xml>\n\\.\t</xml>")
    assert picture.read_bytes() == PICTURE
    assert list(AuditRecord.objects.values_list("deed", "subject")) == [("backup.restore", taken.name)]


def test_the_schema_comes_back_as_it_was(taken: Path) -> None:
    """Partitions, indexes and keys too, of every table that there is."""
    before = {row for row in schema() if row[1] != "base_auditrecord_id_seq"}  # the backup itself is noted there
    assert {row[0] for row in before} == {"column", "index", "constraint", "partition", "sequence"}
    lose_everything()

    run("restore", str(taken))

    assert {row for row in schema() if row[1] != "base_auditrecord_id_seq"} == before


def test_ids_go_on_and_partitions_take_rows_after_a_restore(taken: Path) -> None:
    highest = Customer.objects.order_by("-pk")[0].pk
    lose_everything()
    run("restore", str(taken))

    assert Customer.objects.create(external_userid="wm-new").pk == highest + 1
    Fact.objects.create(day=DAYS[0], at=clock.now(), stat="adds")
    assert facts_by_table()["analytics_fact_202602"] == 2


def test_replacing_leaves_nothing_of_what_was_there(taken: Path, picture: Path) -> None:
    """Also not what the backup does not know: a table of a newer version, a file uploaded since."""
    Customer.objects.create(external_userid="wm-since")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE newer (id int); CREATE VIEW newest AS SELECT * FROM newer")
    (picture.parent / "since.png").write_bytes(b"x")

    run("restore", str(taken), "--replace")

    assert not Customer.objects.filter(external_userid="wm-since").exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('newer'), to_regclass('newest')")
        assert cursor.fetchone() == (None, None)
    assert [path.name for path in picture.parent.iterdir()] == ["spring.png"]


def test_a_backup_of_an_older_version_says_that_migrate_follows(taken: Path, settings: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    older = Path(run("backup", str(taken.parent / "older")).splitlines()[-1])

    said = run("restore", str(older), "--replace")

    assert said.splitlines()[-1] == "The backup is of an older version: now run migrate."
    run("migrate", "sessions", "--fake", "--verbosity", "0")


# --- what a backup holds ----------------------------------------------------------------------------------------------


def test_only_its_owner_can_read_a_backup(taken: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in taken.iterdir()}

    assert modes == {"database.dump": 0o600, "media.tar": 0o600, "manifest.json": 0o600}
    assert stat.S_IMODE(taken.stat().st_mode) == stat.S_IMODE(taken.parent.stat().st_mode) == 0o700


def test_the_manifest_says_what_the_backup_is(taken: Path, settings: Any) -> None:
    manifest = json.loads((taken / "manifest.json").read_text())

    assert (manifest["format"], manifest["version"]) == (1, settings.VERSION)
    assert manifest["migrations"]["contacts"][0] == "0001_first_tables"
    assert (manifest["rows"]["contacts_customer"], manifest["rows"]["analytics_fact_202603"]) == (50, 2)
    assert manifest["files"]["media.tar"]["sha256"] == File.of(taken / "media.tar").sha256


def test_neither_secrets_nor_sessions_are_in_a_backup(taken: Path, settings: Any) -> None:
    secrets = [settings.SECRET_KEY, settings.WECOM_SECRET, settings.WECOM_CALLBACK_AES_KEY]
    secrets += [str(connection.settings_dict["PASSWORD"]), KEY]
    held = b"".join(path.read_bytes() for path in taken.iterdir())
    assert [secret for secret in secrets if secret.encode() in held] == []

    lose_everything()
    run("restore", str(taken))
    assert not Session.objects.exists()


def test_a_backup_is_of_one_moment_though_others_write(shop: None, tmp_path: Path) -> None:
    """Each transaction writes two rows of two tables; the restore itself compares rows with what the manifest says."""
    stop, started = threading.Event(), threading.Event()

    def write() -> None:
        for number in itertools.count():
            if stop.is_set():
                break
            with transaction.atomic():
                Customer.objects.create(external_userid=f"wm-busy{number}")
                GroupChat.objects.create(chat_id=f"wr-busy{number}")
            started.set()
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    started.wait(10)
    try:
        made = run("backup", str(tmp_path / "backups")).splitlines()[-1]
    finally:
        stop.set()
        writer.join()
    run("restore", made, "--replace")

    pairs = Customer.objects.filter(external_userid__startswith="wm-busy").count()
    assert pairs == GroupChat.objects.filter(chat_id__startswith="wr-busy").count() > 0
    assert not AuditRecord.objects.filter(deed="backup.take").exists()


def test_a_backup_is_noted_in_the_trail(taken: Path) -> None:
    noted = AuditRecord.objects.get()
    assert (noted.deed, noted.subject, noted.user) == ("backup.take", taken.name, None)


def test_the_newest_backups_are_kept(shop: None, tmp_path: Path) -> None:
    """What a killed backup has left goes with the whole ones of its time; a younger half may be under way."""
    old = ["scrm-20260101T000000Z-0.0.9", "scrm-20260101T120000Z-0.0.9.partial"]
    young = ["scrm-20260102T000000Z-0.0.9", "scrm-20260103T000000Z-0.1.0.partial", "of somebody else"]
    for name in (*old, *young):
        (tmp_path / name).mkdir()

    said = run("backup", str(tmp_path), "--keep", "2").splitlines()

    assert said[:-1] == [f"deleted {tmp_path / name}" for name in old]
    assert {path.name for path in tmp_path.iterdir()} == {*young, Path(said[-1]).name, "var"}


def test_a_backup_that_fails_leaves_nothing_half(shop: None, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")

    with pytest.raises(CommandError) as failure:
        run("backup", str(tmp_path / "taken"))

    assert "can't be written" in str(failure.value)
    assert not AuditRecord.objects.exists()


def test_programs_older_than_the_server_are_not_taken() -> None:
    """PATH may lead to older ones: pg_dump refuses a server newer than itself."""
    assert programs.find(18).major >= 18
    with pytest.raises(backup.BackupError) as missing:
        programs.find(99)
    assert "PostgreSQL 99" in str(missing.value) and "postgresql-client" in str(missing.value)


# --- what is refused, and changes nothing -----------------------------------------------------------------------------


def test_a_database_that_holds_something_is_not_overwritten_unasked(taken: Path) -> None:
    Customer.objects.create(external_userid="wm-since")

    assert "--replace" in refused(str(taken))
    assert Customer.objects.count() == 51


def test_uploads_are_not_overwritten_unasked(taken: Path, picture: Path) -> None:
    lose_everything()
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"since")

    assert "--replace" in refused(str(taken))
    assert picture.read_bytes() == b"since"
    run("restore", str(taken), "--replace")
    assert picture.read_bytes() == PICTURE


def test_a_newer_schema_is_refused(taken: Path) -> None:
    migrations = json.loads((taken / "manifest.json").read_text())["migrations"]
    changed(
        taken, migrations={**migrations, "contacts": [*migrations["contacts"], "0099_of_tomorrow"]}, version="0.9.0"
    )

    said = refused(str(taken), "--replace")

    assert "0.9.0" in said and "contacts.0099_of_tomorrow" in said


@pytest.mark.parametrize("name", ["database.dump", "media.tar"])
def test_a_damaged_file_is_refused(taken: Path, name: str) -> None:
    content = bytearray((taken / name).read_bytes())
    content[len(content) // 2] ^= 1
    (taken / name).write_bytes(content)

    assert name in refused(str(taken), "--replace")
    assert Customer.objects.count() == 50


def test_half_a_backup_is_refused(taken: Path) -> None:
    (taken / "manifest.json").unlink()

    assert "no complete backup" in refused(str(taken), "--replace")


def test_restoring_is_refused_while_sending_is_on(taken: Path, settings: Any) -> None:
    settings.SENDING = "allowlist"

    assert "SENDING=off" in refused(str(taken), "--replace")


def test_restoring_is_refused_beside_running_processes(taken: Path) -> None:
    given = connection.settings_dict
    other = psycopg2.connect(
        host=given["HOST"], port=given["PORT"], user=given["USER"], password=given["PASSWORD"], dbname=given["NAME"],
        application_name="a worker",
    )  # fmt: skip
    try:
        assert "a worker" in refused(str(taken), "--replace")
    finally:
        other.close()


def test_a_restore_that_fails_in_the_middle_changes_nothing(taken: Path, picture: Path) -> None:
    """The dump breaks off, though its checksum is right: by then the tables were dropped and half filled."""
    dump = taken / "database.dump"
    dump.write_bytes(dump.read_bytes()[:-200])
    files = json.loads((taken / "manifest.json").read_text())["files"]
    fresh = File.of(dump)
    changed(taken, files={**files, "database.dump": {"bytes": fresh.bytes, "sha256": fresh.sha256}})
    Customer.objects.create(external_userid="wm-since")
    picture.write_bytes(b"since")

    assert refused(str(taken), "--replace").startswith("Nothing was restored: ")

    assert Customer.objects.count() == 51
    assert picture.read_bytes() == b"since"
    assert [path.name for path in picture.parents[2].iterdir()] == ["media"]


def test_a_restore_that_lacks_rows_changes_nothing(taken: Path) -> None:
    rows = json.loads((taken / "manifest.json").read_text())["rows"]
    changed(taken, rows={**rows, "contacts_customer": 51})
    Customer.objects.create(external_userid="wm-since")

    assert "rows are missing" in refused(str(taken), "--replace")
    assert Customer.objects.filter(external_userid="wm-since").exists()


def test_a_path_in_the_archive_cannot_lead_out_of_the_uploads(taken: Path, tmp_path: Path) -> None:
    with tarfile.open(taken / "media.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("../../escaped"), io.BytesIO())
    files = json.loads((taken / "manifest.json").read_text())["files"]
    fresh = File.of(taken / "media.tar")
    changed(taken, files={**files, "media.tar": {"bytes": fresh.bytes, "sha256": fresh.sha256}})

    with pytest.raises(backup.BackupError):
        backup.restore(taken, replace=True)

    assert not (tmp_path / "escaped").exists()
    assert Customer.objects.count() == 50
