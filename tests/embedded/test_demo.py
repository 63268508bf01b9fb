"""The demo: what it accepts and refuses, and one run of it from start to Ctrl-C."""

import contextlib
import datetime as dt
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from redis import Redis, RedisError

from scrm.embedded import processes
from scrm.embedded.children import MARK
from scrm.embedded.ports import free_port
from scrm.embedded.services import running
from scrm.site.demo import database, surroundings
from scrm.site.demo.options import DemoError, Options, check, complete
from scrm.site.demo.story import Story, tell
from tests.embedded.conftest import ROOT, gone
from tests.processes import eventually

NOON = dt.datetime(2026, 3, 1, 12, 0, 30, tzinfo=dt.UTC)
HELD = {"scenario": "beauty", "customers": 3000, "days": 30, "until": "2026-03-01T12:00:00+00:00"}


# --- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "real_platform", "said"),
    [
        (Options(scenario="coffee"), False, "'coffee' does not exist yet. There are: beauty, mother_baby, empty"),
        (Options(scenario="nonsense"), False, "No such scenario: 'nonsense'"),
        (Options(scenario="beauty"), True, "say --scenario empty"),
        (Options(scenario="empty", speed=5), True, "no other speed than 1"),
        (Options(port=0), False, "--port 0 is no port"),
        (Options(customers=0), False, "--customers 0"),
        (Options(days=-1), False, "--days -1"),
        (Options(speed=0), False, "--speed 0"),
        (Options(exit_after=-1), False, "--exit-after"),
    ],
)
def test_refuses_what_cannot_be_with_a_sentence(options: Options, real_platform: bool, said: str) -> None:
    with pytest.raises(DemoError) as refused:
        check(options, real_platform=real_platform)
    assert said in str(refused.value)


def test_fills_blanks_with_defaults_on_an_empty_database() -> None:
    done = complete(Options(), {}, NOON, real_platform=False)
    assert done.played() == HELD
    assert Options.from_json(done.to_json()) == done


def test_has_nobody_in_it_with_a_real_platform() -> None:
    done = complete(Options(), {}, NOON, real_platform=True)
    assert (done.scenario, done.customers, done.days) == ("empty", 0, 0)


def test_goes_on_with_what_the_database_holds() -> None:
    later = complete(Options(customers=3000), HELD, NOON + dt.timedelta(days=2), real_platform=False)
    assert later.played() == HELD


@pytest.mark.parametrize("asked", [Options(scenario="empty"), Options(customers=10), Options(days=3)])
def test_refuses_another_history_than_the_database_holds(asked: Options) -> None:
    with pytest.raises(DemoError, match=r"--customers 3000 --days 30\. Add --fresh"):
        complete(asked, HELD, NOON, real_platform=False)


# --- settings ---------------------------------------------------------------------------------------------------------


def test_secrets_are_made_once_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    made = surroundings.kept_secrets(tmp_path)
    assert surroundings.kept_secrets(tmp_path) == made
    assert stat.S_IMODE((tmp_path / surroundings.SECRETS).stat().st_mode) == 0o600
    assert (len(made["WECOM_CALLBACK_AES_KEY"]), made["WECOM_CALLBACK_AES_KEY"].isalnum()) == (43, True)
    assert made["WECOM_CALLBACK_TOKEN"].isalnum()


def test_domain_time_does_not_run_backwards_between_runs(tmp_path: Path) -> None:
    fast = surroundings.clock(tmp_path, 3600)
    time.sleep(0.1)
    surroundings.keep_clock(tmp_path, fast)
    reached = surroundings.domain_now(fast)
    slow = surroundings.clock(tmp_path, 1)
    ahead = surroundings.domain_now(slow) - reached
    assert dt.timedelta(minutes=-1) < ahead < dt.timedelta(minutes=1)  # the fast clock ran on for a moment
    assert float(slow["CLOCK_OFFSET"]) > 300


def test_a_clock_given_by_the_environment_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOCK_OFFSET", "86400")
    assert surroundings.clock(tmp_path, 1) == {}


def test_notes_what_was_given_and_what_was_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from a file\n")
    monkeypatch.setenv("METRICS_TOKEN", "given")
    monkeypatch.setenv("H5_URLS_FILE", str(secret))
    monkeypatch.delenv("QUIET_HOURS", raising=False)
    noted = surroundings.noted({"SECRET_KEY": "made"}, ["METRICS_TOKEN", "H5_URLS", "QUIET_HOURS"])
    assert noted == {"SECRET_KEY": "made", "METRICS_TOKEN": "given", "H5_URLS": "from a file"}


def test_prepares_again_when_anything_it_depends_on_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    migration, lock = tmp_path / "scrm/base/migrations/0001.py", tmp_path / "requirements/runtime.txt"
    for path in (migration, lock):
        path.parent.mkdir(parents=True)
        path.write_text("1")

    def now(password: str = "p", **played: str) -> str:
        return surroundings.fingerprint(tmp_path, played, {"SECRET_KEY": "s", "DEMO_PASSWORD": password})

    seen = [now(), now(password="q"), now(scenario="beauty")]
    assert now() == seen[0]
    for path in (migration, lock, migration.with_name("0002.py")):
        path.write_text("2")
        seen.append(now())
    assert len(set(seen)) == 6


# --- database ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def database_url() -> Iterator[str]:
    """The address of a database that does not exist."""
    base, _, _ = os.environ["SERVICES_DATABASE_URL"].rpartition("/")
    url = f"{base}/demo_{os.getpid()}"
    yield url
    run(f"{base}/postgres", f"DROP DATABASE IF EXISTS demo_{os.getpid()} WITH (FORCE)")


def run(url: str, statement: str) -> Any:
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else None
    finally:
        connection.close()


def test_makes_a_database_that_does_not_exist_and_knows_it_again(database_url: str) -> None:
    assert database.recognise(database_url, ours=False) == {}
    assert database.recognise(database_url, ours=False) == {"maker": database.MAKER}
    database.write_note(database_url, HELD)
    assert database.recognise(database_url, ours=False) == {"maker": database.MAKER, **HELD}


def test_refuses_a_database_that_it_did_not_make(database_url: str) -> None:
    run(database_url.rpartition("/")[0] + "/postgres", f"CREATE DATABASE {database.name_of(database_url)}")
    run(database_url, "CREATE TABLE precious (id int)")
    with pytest.raises(DemoError, match="did not make this database"):
        database.recognise(database_url, ours=False)
    assert run(database_url, "SELECT to_regclass('precious')::text") == [("precious",)]


def test_begins_anew_when_the_history_was_never_completed(database_url: str) -> None:
    database.recognise(database_url, ours=False)
    run(database_url, "CREATE TABLE half (id int)")
    database.write_note(database_url, {"unfinished": True})
    assert database.recognise(database_url, ours=False) == {}
    assert run(database_url, "SELECT to_regclass('half')") == [(None,)]


def test_says_that_a_database_server_is_away() -> None:
    with pytest.raises(DemoError, match="DATABASE_URL: the database can't be reached"):
        database.recognise("postgres://nobody@127.0.0.1:1/nowhere", ours=False)


# --- story ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("14:21:30  曹慧璐 meets 宠粉官03", "14:21:30  曹慧璐 meets 宠粉官03"),
        (
            "2026-03-01T04:00:00Z [info     ] 小林 was greeted [story] seconds=0.6",
            "12:00:30    小林 was greeted  (seconds=0.6)",
        ),
        ("2026-03-01T04:00:00Z [info     ] 小林 was greeted [story]", "12:00:30    小林 was greeted"),
        ("2026-03-01T04:00:00Z [warning  ] Not Found: /x [django.request]", None),
        ("Traceback (most recent call last):", None),
    ],
)
def test_tells_what_happens_to_people_and_nothing_else(line: str, told: str | None) -> None:
    assert tell(line, NOON) == told


def test_follows_a_log_from_its_present_end_on_and_waits_for_whole_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("10:00:00  before\n")
    story = Story(lambda: NOON)
    story.follow(log)
    with log.open("a") as file:
        file.write("10:00:01  one\n10:00:02  ha")
        file.flush()
        assert list(story.new_lines()) == ["10:00:01  one"]
        file.write("lf\n")
        file.flush()
        assert list(story.new_lines()) == ["10:00:02  half"]
    assert list(story.new_lines()) == []


# --- planning ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("scenario", "planned"), [("", False), ("beauty", True)])
def test_only_the_demo_plans_broadcasts_by_itself(scenario: str, planned: bool) -> None:
    asked = "from scrm.celery import app; print(*sorted(item['task'] for item in app.conf.beat_schedule.values()))"
    done = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=ROOT,
        env={**os.environ, "DEMO_SCENARIO": scenario},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("scrm.site.plan_demo" in done.stdout) is planned


# --- the whole demo ---------------------------------------------------------------------------------------------------


@dataclass
class RunningDemo:
    """A demo in a process group of its own, over a fresh DATA_DIR."""

    process: subprocess.Popen[bytes]
    var: Path
    port: int
    output: Path

    @property
    def said(self) -> str:
        return self.output.read_text()

    def family(self) -> dict[int, str]:
        """Living processes that the demo started, with their command lines."""
        mark = f"{MARK}={self.var}"
        return {pid: processes.command_line(pid) for pid in processes.everybody() if processes.carries(pid, mark)}

    def one(self, words: str) -> int:
        found = [pid for pid, command in self.family().items() if words in command]
        return min(found) if found else 0

    def ready(self) -> bool:
        assert self.process.poll() is None, self.said
        return "ready after" in self.said

    def postmaster(self) -> int:
        """The parent of whoever answers; it may run under an account of its own. 0: nobody answers."""
        services = running(self.var)
        if services is None:
            return 0
        try:
            with contextlib.closing(psycopg2.connect(services.postgres.url, connect_timeout=2)) as connection:
                stat_of = Path(f"/proc/{connection.info.backend_pid}/stat").read_text()
        except (psycopg2.OperationalError, FileNotFoundError):
            return 0
        return int(stat_of.rpartition(")")[2].split()[1])

    def redis(self) -> int:
        services = running(self.var)
        if services is None:
            return 0
        with contextlib.suppress(RedisError), contextlib.closing(Redis.from_url(services.redis.url)) as client:
            told: Any = client.info("server")
            return int(told["process_id"])
        return 0

    def is_in_service(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz") as answer:
            return bool(answer.status == 200 and json.load(answer)["redis"] == "ok")
        return False

    def answers(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz") as answer:
            return bool(answer.status == 200)
        return False


def clean_environment(var: Path) -> dict[str, str]:
    """The environment without what this test run set for itself."""
    mine = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SENDING", "WECOM_", "CONTACT_", "CHAT_", "SERVICES_")
    given = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
    return {**given, "DATA_DIR": str(var), "DEMO_PASSWORD": "open sesame"}


@pytest.fixture
def demo(checkout: Path) -> Iterator[RunningDemo]:
    var, port, output = checkout / "var", free_port(), checkout / "output"
    command = [sys.executable, "manage.py", "demo", "--scenario", "empty", "--port", str(port)]
    with output.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=ROOT, env=clean_environment(var), stdout=file, stderr=file, start_new_session=True
        )
    running = RunningDemo(process, var, port, output)
    yield running
    process.kill()
    process.wait()
    eventually(lambda: not running.family())


@pytest.mark.faults
def test_runs_heals_and_ends(demo: RunningDemo) -> None:
    eventually(demo.ready, 60)
    assert "user admin, password open sesame" in demo.said
    assert f"http://127.0.0.1:{demo.port}/" in demo.said

    other = subprocess.run(
        [
            sys.executable,
            "manage.py",
            "shell",
            "-c",
            "from django.conf import settings as s; print(s.SENDING, s.PUBLIC_URL)",
        ],
        cwd=ROOT,
        env={name: value for name, value in clean_environment(demo.var).items() if name != "DEMO_PASSWORD"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.splitlines()[-1] == f"on http://127.0.0.1:{demo.port}"

    web, worker = demo.one("granian"), demo.one("-Q welcome")
    orphans = [pid for pid, command in demo.family().items() if "granian" in command and pid != web]
    for pid in (web, worker):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: demo.one("-Q welcome") not in (0, worker), 10)
    eventually(demo.answers, 10)
    assert orphans
    assert all(gone(pid, 1) for pid in orphans)

    family = list(demo.family())
    os.killpg(demo.process.pid, signal.SIGINT)
    assert demo.process.wait(30) == 0
    assert all(gone(pid, 0.1) for pid in family)
    assert not (demo.var / "demo.env.json").exists()


@pytest.mark.faults
@pytest.mark.timeout(300)
def test_whatever_dies_is_started_again(demo: RunningDemo) -> None:
    """The demo says so, another process takes the place, all is in service again."""
    eventually(demo.ready, 60)
    workers = sorted({command.partition("-Q ")[2].split()[0] for command in demo.family().values() if "-Q " in command})
    kinds: dict[str, Callable[[], int]] = {
        "Postgres": demo.postmaster,
        "Redis": demo.redis,
        "stand-in": lambda: demo.one("scrm.standin"),
        "beat": lambda: demo.one(" beat "),
        **{queues: lambda queues=queues: demo.one(f"-Q {queues}") for queues in workers},  # type: ignore[misc]
    }
    assert len(kinds) >= 7
    for kind, process_of in kinds.items():
        before, told = process_of(), demo.said.count("is started again")
        assert before, kind

        os.kill(before, signal.SIGKILL)

        eventually(lambda: process_of() not in (0, before), 30)  # noqa: B023  seen at once
        eventually(lambda: demo.said.count("is started again") > told, 5)  # noqa: B023
        eventually(demo.is_in_service, 60)
        assert gone(before, 1), kind
    assert demo.process.poll() is None


@pytest.mark.faults
def test_leaves_nothing_behind_when_killed_and_starts_again(demo: RunningDemo) -> None:
    eventually(demo.ready, 60)
    family = list(demo.family())
    demo.process.kill()
    demo.process.wait()
    assert all(gone(pid, 20) for pid in family)
    again = subprocess.run(
        [sys.executable, "manage.py", "demo", "--port", str(demo.port), "--exit-after", "1"],
        cwd=ROOT,
        env=clean_environment(demo.var),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert "ready after" in again.stdout


def test_says_that_the_port_is_taken(checkout: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = subprocess.run(
            [sys.executable, "manage.py", "demo", "--port", str(port)],
            cwd=ROOT,
            env=clean_environment(checkout / "var"),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert said.returncode == 1
    assert f"Port {port} is in use: give another, for example --port {port + 10}." in said.stderr
