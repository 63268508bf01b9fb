"""PostgreSQL and Valkey out of packages: start, reuse, recovery, neighbours, users."""

import json
import os
import random
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import redis

from scrm.embedded import Postgres, Redis, Services, ports, running, services
from scrm.embedded.account import Account
from scrm.embedded.postgres import wheel
from tests.embedded.conftest import QUICK, ROOT, gone, kill
from tests.processes import eventually

Start = Callable[[Path], Services]
Launch = Callable[..., tuple[subprocess.Popen[str], str]]

pytestmark = pytest.mark.xdist_group("embedded")  # they share `made`
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: only root hands PostgreSQL to another user")


def ask(url: str, query: str) -> tuple[object, ...]:
    connection = psycopg2.connect(url, connect_timeout=5)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(query)
            row = cursor.fetchone() if cursor.description else ()
            assert row is not None
            return tuple(row)
    finally:
        connection.close()


def postmaster(var: Path) -> int:
    return int((Postgres(var / "postgres").data / "postmaster.pid").read_text().splitlines()[0])


def answers(url: str) -> bool:
    port = int(url.rpartition(":")[2].partition("/")[0])
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def test_a_first_start_gives_a_durable_utf8_database_and_a_volatile_redis(checkout: Path) -> None:
    started = services(checkout / "var")
    try:
        settings = "current_setting('fsync'), current_setting('max_connections'), current_setting('timezone')"
        collation = "SELECT datlocprovider::text, datlocale FROM pg_database WHERE datname = 'scrm'"
        assert ask(started.database_url, f"SELECT {settings}") == ("on", "200", "UTC")
        assert ask(started.database_url, collation) == ("b", "C.UTF-8")
        client: Any = redis.Redis.from_url(started.redis_url, decode_responses=True)
        wanted = {"save": "", "appendonly": "no", "maxmemory-policy": "noeviction"}
        assert {name: client.config_get(name)[name] for name in wanted} == wanted
    finally:
        started.stop()
    assert not answers(started.database_url)
    assert not answers(started.redis_url)
    assert running(checkout / "var") is None


def test_nobody_gets_in_without_the_password(made: Path, start: Start) -> None:
    started = start(made)
    port = started.database_url.rpartition(":")[2]
    with pytest.raises(psycopg2.OperationalError, match=r"no password supplied|password authentication failed"):
        psycopg2.connect(f"postgres://scrm:wrong@127.0.0.1:{port}", connect_timeout=5)
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url("redis://127.0.0.1:" + started.redis_url.rpartition(":")[2]).ping()
    notes = [
        made / "postgres/server.json",
        made / "redis/server.json",
        made / "redis/valkey.conf",
    ]
    assert [stat.S_IMODE(note.stat().st_mode) for note in notes] == [0o600] * 3


def test_a_second_start_reuses_the_servers_and_its_end_leaves_them_running(made: Path, launcher: Launch) -> None:
    _, url = launcher(made)
    first = postmaster(made)
    second = services(made, settings=QUICK)
    assert (second.database_url, postmaster(made)) == (url, first)
    second.stop()
    found = running(made)
    assert found is not None
    assert found.database_url == url


def test_ends_with_a_killed_launcher(made: Path, launcher: Launch) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux tells a child that its parent was killed")
    process, url = launcher(made)
    server = postmaster(made)
    kill(process)
    assert gone(server)
    assert not answers(url)


def test_recovers_from_what_a_killed_launcher_left_behind(made: Path, launcher: Launch, start: Start) -> None:
    process, url = launcher(made, "thread")
    ask(url, "CREATE TABLE kept_by_orphan AS SELECT 42 AS answer")
    session = psycopg2.connect(url)  # an idle session must not hold up the end
    orphan = postmaster(made)
    kill(process)
    assert answers(url)
    again = start(made)
    assert gone(orphan)
    assert postmaster(made) != orphan
    assert again.database_url == url
    assert ask(again.database_url, "SELECT answer FROM kept_by_orphan") == (42,)
    session.close()


def test_recovers_from_a_killed_server_whose_pid_belongs_to_somebody_else_now(made: Path, start: Start) -> None:
    first = start(made)
    ask(first.database_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(postmaster(made), 9)
    first.stop()
    note = first.postgres.data / "postmaster.pid"
    lines = note.read_text().splitlines()
    note.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    again = start(made)
    assert ask(again.database_url, "SELECT answer FROM kept") == (42,)


def test_checkouts_live_side_by_side(checkout: Path, start: Start) -> None:
    one, other = start(checkout / "one" / "var"), start(checkout / "other" / "var")
    ask(one.database_url, "CREATE TABLE mine (id int)")
    redis.Redis.from_url(one.redis_url).set("mine", 1)
    assert ask(other.database_url, "SELECT to_regclass('mine')") == (None,)
    assert redis.Redis.from_url(other.redis_url).get("mine") is None
    other.stop()
    assert running(checkout / "one" / "var") is not None


@as_root
def test_root_below_a_closed_folder_keeps_programs_and_data_outside(checkout: Path, start: Start) -> None:
    closed = checkout / "closed"
    (closed / "var").mkdir(parents=True)
    closed.chmod(0o700)
    before = {path: path.stat().st_mode for path in (checkout, closed, closed / "var")}
    started = start(closed / "var")
    ask(started.database_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    home = Path(json.loads((closed / "var/postgres/place.json").read_text())["home"])
    assert home.parent == Path("/var/tmp")
    assert started.postgres.data == home / "data"
    assert (started.postgres.data.owner(), home.owner()) == ("nobody", "root")
    assert {path: path.stat().st_mode for path in before} == before
    started.stop()
    assert ask(start(closed / "var").database_url, "SELECT answer FROM kept") == (42,)
    started.remove()
    assert not home.exists()


@as_root
def test_what_is_in_the_way_outside_is_left_alone(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from scrm.embedded import ServiceError, account

    closed, elsewhere = checkout / "closed", checkout / "tmp"
    closed.mkdir(mode=0o700)
    elsewhere.mkdir(mode=0o777)
    monkeypatch.setattr(account, "PERSISTENT_TEMP", elsewhere)
    postgres = Postgres(closed / "var" / "postgres", settings=QUICK)
    foreign = elsewhere / "foreign"
    foreign.mkdir()
    (foreign / "letter").touch()
    account.outside_of(postgres.folder).symlink_to(foreign)
    with pytest.raises(ServiceError, match="not ours"):
        postgres.start()
    assert (foreign / "letter").exists()


@as_root
def test_works_for_a_normal_user(checkout: Path) -> None:
    if not Account("nobody").can(str(wheel() / "bin" / "initdb"), "--version"):
        pytest.skip("the packages of this checkout can't be reached by other users")
    var = checkout / "var"
    var.mkdir()
    Account("nobody").own(var)
    # The interpreter may be out of that user's reach too; therefore everything is imported before the change.
    code = (
        "import encodings.idna, os, pathlib, pwd, sys, psycopg2\n"
        "from scrm.embedded import services\n"
        "user = pwd.getpwnam('nobody')\n"
        "os.setgroups([]); os.setgid(user.pw_gid); os.setuid(user.pw_uid)\n"
        "started = services(pathlib.Path(sys.argv[1]), settings={'fsync': 'off'})\n"
        "psycopg2.connect(started.database_url).close()\n"
        "print(started.postgres.data, started.postgres.data.stat().st_uid == user.pw_uid)\n"
        "started.stop()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(var)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.returncode) == (f"{var / 'postgres' / 'data'} True\n", 0), done.stderr


def test_redis_answers_at_the_same_address_after_it_was_killed(checkout: Path) -> None:
    server = Redis(checkout / "redis")
    url = server.start()
    try:
        client: Any = redis.Redis.from_url(url)
        pid = int(client.info("server")["process_id"])
        os.kill(pid, 9)
        eventually(server.died)
        assert server.start() == url
        assert client.ping()
        assert not server.died()
    finally:
        server.remove()


def test_who_is_seeded_alike_chooses_other_ports() -> None:
    """As the workers of a random test run are, each test anew."""
    chosen = []
    for _ in range(2):
        random.seed(1)
        chosen.append([ports.free_port() for _ in range(4)])

    assert chosen[0] != chosen[1]
