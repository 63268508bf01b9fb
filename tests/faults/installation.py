"""An installation of its own that a fault may break: PostgreSQL with its durable defaults, Redis, the stand-in, processes.

Faults strike from outside, by signal or by a server's own command. Waiting is always for something that can be seen.
"""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import psycopg2

from scrm.embedded import Postgres, Redis
from scrm.embedded.account import account
from scrm.standin.server import StandIn
from tests import processes
from tests.conftest import KEPT
from tests.corp import Corp

Record = Callable[[str, object], None]  # pytest's `record_property`: the summary of the run shows it
PATIENCE: Final = 5.0  # seconds that the platform waits for an answer


# Four rows fill a page.
_FILL = """
INSERT INTO wecom_callback (digest, app, received_domain_at, event, change_type, entity, welcome_code, raw)
SELECT sha256(n::text::bytea), 'customer', now(), '', '', 'filling', '',
       (SELECT string_agg(md5(n::text || part::text), '') FROM generate_series(1, 58) part)
FROM generate_series(1, 8192) n
"""


class Installation:
    """Built once, emptied before each test. `environment` is what its processes get."""

    def __init__(self, folder: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.postgres = Postgres(folder / "postgres", settings=settings)
        self.redis = Redis(folder / "redis")
        self.environment: dict[str, str] = {}

    def start(self) -> None:
        self.environment = {"DATABASE_URL": self.postgres.start(), "REDIS_URL": self.redis.start()}
        command = [sys.executable, "manage.py", "migrate", "-v0", "--skip-checks"]
        subprocess.run(command, cwd=processes.ROOT, env={**os.environ, **self.environment}, check=True)
        self.rows("CREATE SCHEMA made; CREATE TABLE made.rule AS TABLE campaigns_welcomerule")

    def remove(self) -> None:
        self.redis.remove()
        self.postgres.remove()

    def ready(self) -> None:
        """Both services run, nothing is left of the test before."""
        self.postgres.start()
        self.redis.start()
        names = [name for (name,) in self.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        self.rows(f"TRUNCATE {', '.join(set(names) - KEPT)} RESTART IDENTITY")
        self.rows("INSERT INTO campaigns_welcomerule TABLE made.rule")

    def rows(self, statement: str, *given: Any) -> list[tuple[Any, ...]]:
        """What a statement finds; it is committed."""
        writing = "-c default_transaction_read_only=off"
        connection = psycopg2.connect(self.postgres.url, connect_timeout=10, options=writing)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, given or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def stored(self) -> set[str]:
        """The entities of the inbox."""
        return {entity for (entity,) in self.rows("SELECT entity FROM wecom_callback")}

    @contextmanager
    def standin(self, **more: Any) -> Iterator[Corp]:
        """The platform, with two staff members of ours."""
        server = StandIn(**corp_settings(), **more)
        server.start()
        self.environment["WECOM_API_URL"] = server.url
        try:
            yield Corp(server)
        finally:
            server.stop()

    @contextmanager
    def web(self, application: str = "scrm.wsgi:application", **environment: str) -> Iterator["Web"]:
        """One web server process that answers."""
        port = processes.free_port()
        with self.process(processes.granian(port, application), **environment) as child:
            processes.wait_for(f"http://127.0.0.1:{port}/healthz")
            yield Web(port, child)

    def worker(self, queues: str, **environment: str) -> AbstractContextManager["subprocess.Popen[bytes]"]:
        return self.process(processes.worker(queues), **environment)

    def process(self, command: list[str], **environment: str) -> AbstractContextManager["subprocess.Popen[bytes]"]:
        return processes.process(command, {**self.environment, **environment})

    # --- faults ------------------------------------------------------------------------------------------------------

    def crash_postgres(self) -> None:
        """`immediate`: no checkpoint, no flush. `postgres.start()` brings it back at its address."""
        process = self.postgres._process
        assert process is not None
        process.send_signal(signal.SIGQUIT)
        process.wait(20)

    def cut_sessions(self) -> None:
        """All sessions but this one; what is set for new ones holds from now on."""
        self.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IS NOT NULL AND pid <> pg_backend_pid()"
        )

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """No file grows beyond its size of now (a limit of the kernel on the server's processes; needs no rights).

        The inbox fills its table to the brim first: 16 MiB, what a segment of the write-ahead log has from the start.
        """
        self.rows(_FILL)
        ((size,),) = self.rows("SELECT pg_relation_size('wecom_callback')")
        process = self.postgres._process
        assert process is not None
        self._limit_files(max(size, 16 * 1024 * 1024))
        try:
            yield
        finally:
            self._limit_files("unlimited")

    def _limit_files(self, most: int | str) -> None:
        """As the server's own user, who may do this to its own processes."""
        process = self.postgres._process
        assert process is not None
        for pid in [process.pid, *children(process.pid)]:
            command = ["prlimit", "--pid", str(pid), f"--fsize={most}:unlimited"]
            subprocess.run(command, cwd="/", check=False, **account().popen())

    @contextmanager
    def frozen_postgres(self) -> Iterator[None]:
        """It takes connections, and answers nothing."""
        process = self.postgres._process
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)  # first: it starts no more children
        family = [process.pid, *children(process.pid)]
        with _stopped(*family):
            yield

    @contextmanager
    def frozen_redis(self) -> Iterator[None]:
        process = self.redis._process
        assert process is not None
        with _stopped(process.pid):
            yield

    def kill_redis(self) -> None:
        """As if its machine had lost its power. `redis.start()` brings it back, empty, at its address."""
        process = self.redis._process
        assert process is not None
        process.kill()
        process.wait(10)

    def redis_command(self, *words: str) -> Any:
        import redis

        client = redis.Redis.from_url(self.redis.url)
        try:
            return client.execute_command(*words)  # type: ignore[no-untyped-call]
        finally:
            client.close()


class Web:
    """A web server process, as the platform and people meet it."""

    def __init__(self, port: int, child: "subprocess.Popen[bytes] | None" = None) -> None:
        self.port = port
        self.child = child

    def get(self, path: str, seconds: float = 30.0) -> tuple[int, str]:
        """Status and text of a page; status 0 when nothing came in time."""
        return answer_of(f"http://127.0.0.1:{self.port}{path}", None, seconds)

    def post(self, corp: Corp, xml: bytes, seconds: float = PATIENCE) -> int:
        """One try of one event: the status that the platform gets, 0 for none within its patience."""
        signed = corp.standin.callbacks.signed(xml)
        url = f"http://127.0.0.1:{self.port}/wecom/callback/?{urlencode(signed.query)}"
        return answer_of(url, signed.body, seconds)[0]


def answer_of(url: str, body: bytes | None, seconds: float) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=seconds) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except OSError:
        return 0, ""


def edited(name: str) -> bytes:
    """The event that a customer's remarks were edited; entity `contact:<name>`."""
    return (
        f"<xml><CreateTime>1795000000</CreateTime><Event>change_external_contact</Event>"
        f"<ChangeType>edit_external_contact</ChangeType><UserID>wanglei</UserID>"
        f"<ExternalUserID>{name}</ExternalUserID></xml>"
    ).encode()


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def _stopped(*pids: int) -> Iterator[None]:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def seen(what: Callable[[], Any], seconds: float = 20.0, why: str = "") -> float:
    """Waits until `what()` is true; returns the seconds that it took. A database that is away is no answer yet."""

    def found() -> bool:
        try:
            return bool(what())
        except psycopg2.OperationalError:
            return False

    return processes.eventually(found, seconds, why or f"not seen within {seconds} s")


def corp_settings() -> dict[str, Any]:
    return {
        "corp_id": os.environ["WECOM_CORP_ID"],
        "secret": os.environ["WECOM_SECRET"],
        "callback_token": os.environ["WECOM_CALLBACK_TOKEN"],
        "aes_key": os.environ["WECOM_CALLBACK_AES_KEY"],
    }
