"""Early plugin: real PostgreSQL and Valkey for the run, one database per worker cloned from a migrated template.

It must act before Django's settings are read, therefore it is loaded with `-p` and not a conftest.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg2
import pytest

from scrm.embedded import Postgres, Redis, Services
from scrm.embedded.services import FAST

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = "scrm_template"
ENVIRONMENT = {
    "SECRET_KEY": "a-key-for-tests-only-a-key-for-tests-only-a-key-for-tests",
    "WECOM_CORP_ID": "ww1234567890abcdef",
    "WECOM_AGENT_ID": "1000002",
    "WECOM_SECRET": "secret-for-tests-secret-for-tests-secret-00",
    "WECOM_CALLBACK_TOKEN": "TokenForTests",
    "WECOM_CALLBACK_AES_KEY": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    "SENDING": "on",
    "CONTACT_READ_DELAYS": "0",
    "CHAT_COALESCE_SECONDS": "0",
    # a browser that is open in this process keeps an event loop running, which Django would take for async code
    "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
}

_services: Services | None = None
_folder: tempfile.TemporaryDirectory[str] | None = None


def _worker() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "")


def _start() -> None:
    """The controller's part: services, template."""
    global _services, _folder
    _folder = tempfile.TemporaryDirectory(prefix="scrm-tests-", ignore_cleanup_errors=True)
    folder = Path(_folder.name)
    folder.chmod(0o755)
    _services = Services(Postgres(folder / "postgres", settings=FAST), Redis(folder / "redis"))
    database, redis = _services.postgres.start(), _services.redis.start()
    os.environ.update(ENVIRONMENT)
    os.environ.update(SERVICES_DATABASE_URL=database, SERVICES_REDIS_URL=redis, DATA_DIR=str(folder / "var"))
    _sql(f"CREATE DATABASE {TEMPLATE}")
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0", "--skip-checks"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": _named(TEMPLATE), "REDIS_URL": redis},
        check=True,
    )


def _named(database: str) -> str:
    return os.environ["SERVICES_DATABASE_URL"].rpartition("/")[0] + f"/{database}"


def _sql(statement: str) -> None:
    connection = psycopg2.connect(os.environ["SERVICES_DATABASE_URL"])
    try:
        connection.autocommit = True
        connection.cursor().execute(statement)
    finally:
        connection.close()


def clone(name: str) -> str:
    """A fresh copy of the migrated template. Returns its address."""
    _sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    for _ in range(20):
        try:
            _sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
            break
        except psycopg2.errors.ObjectInUse:
            continue
    return _named(name)


if _worker():
    os.environ["DATABASE_URL"] = clone(f"test_{_worker()}")
    os.environ["REDIS_URL"] = os.environ["SERVICES_REDIS_URL"].rpartition("/")[0] + f"/{1 + int(_worker()[2:])}"
elif not any(flag in sys.argv for flag in ("--help", "-h", "--version", "--markers", "--fixtures")):
    _start()
    os.environ["DATABASE_URL"] = clone("test_main")
    os.environ["REDIS_URL"] = os.environ["SERVICES_REDIS_URL"]


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the services with the run."""
    if _services is not None and not _worker():
        _services.remove()
        if _folder is not None:
            _folder.cleanup()
