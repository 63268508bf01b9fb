"""docker-compose.yml and Dockerfile are true to the code: commands, queues, settings, secrets, versions."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from scrm.base.work.lanes import QUEUES
from scrm.celery import app
from scrm.env import SETTINGS
from tests.processes import ROOT, eventually, free_port, granian, process, wait_for, worker

BIN = Path(sys.executable).parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
WORKERS = {name: service for name, service in OURS.items() if " worker " in service.get("command", "")}
IN_ENV = dict(
    line.split("=", 1) for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line and line[0] != "#"
)
SECRETS = {
    "SECRET_KEY", "DATABASE_PASSWORD", "WECOM_SECRET", "WECOM_CALLBACK_TOKEN", "WECOM_CALLBACK_AES_KEY", "METRICS_TOKEN"
}  # fmt: skip
FOR_TESTS = {"FAILPOINT", "CLOCK_OFFSET", "CLOCK_SPEED", "CLOCK_ANCHOR"}
VALUES = {
    "secret_key": "fQ8-2kzLw0aTn6RvXb1yHs9dJm4pGc7eUi3oKt5ZqVxWjBlNf-yR7",
    "postgres_password": "a password / with : signs",
    "wecom_secret": "secret-of-the-app-secret-of-the-app-0000000",
    "wecom_callback_token": "TokenOfTheApp",
    "wecom_callback_aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    "metrics_token": "",
}


def environment(service: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in service.get("environment", {}).items()}


def words(service: dict[str, Any]) -> list[str]:
    """The service's command as the container gets it; the image's own where it names none."""
    command = service.get("command") or re.findall(r'"([^"]*)"', DOCKERFILE.rpartition("CMD")[2])
    return shlex.split(command) if isinstance(command, str) else list(command)


@pytest.fixture
def deployed(tmp_path: Path) -> dict[str, str]:
    """The environment that a service of ours has: .env, the compose file's own, secrets from files."""
    for name, value in VALUES.items():
        (tmp_path / name).write_text(f"{value}\n")
    given = {
        **IN_ENV,
        "WECOM_CORP_ID": "ww1234567890abcdef",
        "WECOM_AGENT_ID": "1000002",
        **environment(SERVICES["web"]),
    }
    placed = {name: value.replace("/run/secrets", str(tmp_path)) for name, value in given.items()}
    return {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path / "var"), **placed}


# --- what the files name is there -------------------------------------------------------------------------------------


def test_every_command_exists() -> None:
    for name, service in OURS.items():
        command = words(service)
        if command[0] == "python":
            assert command[1] == "manage.py" and command[2] in get_commands(), name
        else:
            assert (BIN / command[0]).exists(), name


@cache
def help_of(*program: str) -> str:
    return subprocess.run(
        [str(BIN / program[0]), *program[1:], "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


@pytest.mark.parametrize("name", OURS)
def test_the_programs_know_the_options_that_they_are_given(name: str) -> None:
    command = words(OURS[name])
    program = command[:3] if command[0] == "python" else [command[0], *([command[3]] if command[0] == "celery" else [])]
    said = help_of(*program)

    options = {word.partition("=")[0] for word in command if word.startswith("-") and word not in {"-A"}}
    assert {option for option in options if not re.search(rf"{option}\b", said)} == set()


def test_the_application_and_the_celery_app_are_those_that_are_named() -> None:
    assert words(SERVICES["web"])[-1] == "scrm.wsgi:application"
    assert (ROOT / "scrm" / "wsgi.py").is_file()
    for service in (*WORKERS.values(), SERVICES["beat"]):
        assert words(service)[1:3] == ["-A", app.main]


def test_every_queue_has_one_worker_and_sending_one_of_its_own() -> None:
    served = {name: words(service)[words(service).index("-Q") + 1].split(",") for name, service in WORKERS.items()}

    assert sorted(queue for queues in served.values() for queue in queues) == sorted(QUEUES)
    assert [queues for queues in served.values() if "sending" in queues or "welcome" in queues] == [
        ["welcome"],
        ["sending"],
    ]
    beat = {str(item["options"]["queue"]) for item in app.conf.beat_schedule.values()}
    assert beat <= set(QUEUES)


def test_there_is_one_beat() -> None:
    assert [name for name, service in OURS.items() if "beat" in words(service)] == ["beat"]


def test_every_setting_that_is_named_exists() -> None:
    named = {name.removesuffix("_FILE") if name != "HEARTBEAT_FILE" else name for name in environment(SERVICES["web"])}

    assert named | set(IN_ENV) <= set(SETTINGS)


def test_every_setting_that_a_corp_needs_is_passed_through() -> None:
    """From .env comes whatever stands there; what has no default must be asked for by the example or be a secret."""
    empty = {name for name, item in SETTINGS.items() if not item.default}
    given = environment(SERVICES["web"])

    assert empty - FOR_TESTS - set(given) - set(IN_ENV) - SECRETS == set()
    for name, service in OURS.items():
        assert service["env_file"] == ".env", name
        assert environment(service) == given, name
    assert not set(given) & set(IN_ENV), "what the compose file gives can't be changed in .env"


def test_secrets_come_from_files_and_nowhere_else() -> None:
    given = environment(SERVICES["web"])
    for name in SECRETS:
        assert name not in given and name not in IN_ENV
        file = given[f"{name}_FILE"]
        secret = file.removeprefix("/run/secrets/")
        assert COMPOSE["secrets"][secret] == {"file": f"./secrets/{secret}"}
        assert all(secret in service["secrets"] for service in OURS.values())
    assert SERVICES["postgres"]["environment"]["POSTGRES_PASSWORD_FILE"] == given["DATABASE_PASSWORD_FILE"]
    assert set(COMPOSE["secrets"]) == set(VALUES)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {".env", "secrets", "backups", "var"} <= set(ignored)


# --- how the services are kept ----------------------------------------------------------------------------------------


def test_services_are_watched_and_started_again() -> None:
    for name, service in SERVICES.items():
        if name in {"migrate", "backup"}:
            continue
        assert service["restart"] == "unless-stopped", name
        assert service["healthcheck"]["test"][0] == "CMD", name
    assert (SERVICES["migrate"]["restart"], SERVICES["backup"]["restart"]) == ("on-failure", "no")


def test_migrations_run_once_before_everything_else() -> None:
    assert words(SERVICES["migrate"])[1:3] == ["manage.py", "migrate"]
    for name, service in OURS.items():
        if name != "migrate":
            assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}, name
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


def test_what_must_last_lies_in_volumes_and_redis_has_none() -> None:
    assert "postgres:/var/lib/postgresql/data" in SERVICES["postgres"]["volumes"]
    assert all("data:/app/var" in service["volumes"] for service in OURS.values())
    assert set(COMPOSE["volumes"]) == {"postgres", "data"}
    assert "volumes" not in SERVICES["redis"]


def test_our_processes_run_without_privileges() -> None:
    lines = DOCKERFILE.splitlines()
    user = next(number for number, line in enumerate(lines) if line.startswith("USER "))
    assert lines[user] == "USER scrm" and not any(
        line.startswith(("RUN", "COPY", "USER")) for line in lines[user + 1 :]
    )
    for name, service in OURS.items():
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
        assert "ports" not in service or service["ports"] == ["127.0.0.1:8000:8000"], name
    assert "ports" not in SERVICES["postgres"] and "ports" not in SERVICES["redis"]


def test_the_image_has_the_database_programs_of_the_servers_version() -> None:
    client = re.search(r"postgresql-client-(\d+)", DOCKERFILE)

    assert client and SERVICES["postgres"]["image"] == f"postgres:{client.group(1)}"


# --- tried ------------------------------------------------------------------------------------------------------------


def test_the_settings_of_the_compose_file_pass_the_deployment_checks(deployed: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT, env=deployed, capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_password_of_the_database_comes_from_its_file(deployed: dict[str, str]) -> None:
    code = (
        "from django.conf import settings; given = settings.DATABASES['default'];"
        " print(given['USER'], given['HOST'], given['NAME'], given['PASSWORD'], sep='|')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
        env={**deployed, "DJANGO_SETTINGS_MODULE": "scrm.settings"},
    )  # fmt: skip

    assert done.stdout.strip() == f"scrm|postgres|scrm|{VALUES['postgres_password']}"


@pytest.fixture
def web(committed: None, deployed: dict[str, str]) -> Iterator[dict[str, str]]:
    """A web server with a deployment's settings on the test's database; yields its environment."""
    port = free_port()
    given = {
        **deployed, "PORT": str(port),
        "DATABASE_URL": os.environ["DATABASE_URL"], "REDIS_URL": os.environ["REDIS_URL"],
    }  # fmt: skip
    with process(granian(port), given):
        wait_for(f"http://127.0.0.1:{port}/healthz")
        yield given


def checked(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = words({"command": SERVICES["web"]["healthcheck"]["test"][1:]})
    return subprocess.run(
        [sys.executable, *command[1:]],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_the_health_check_of_the_web_server_sees_it(web: dict[str, str]) -> None:
    assert checked(web).returncode == 0

    gone = checked({**web, "PORT": str(free_port())})
    assert gone.returncode == 1 and "not ready" in gone.stderr


def alive(file: Path) -> bool:
    command = [word.replace("/tmp/heartbeat", str(file)) for word in SERVICES["sending"]["healthcheck"]["test"][1:]]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not shutil.which("find"), reason="find is missing")
def test_the_health_check_of_a_worker_sees_it_live_and_die(committed: None, tmp_path: Path) -> None:
    file = tmp_path / "heartbeat"
    assert not alive(file)

    with process(worker("sending"), {"HEARTBEAT_FILE": str(file)}):
        eventually(file.exists, 40)
        assert alive(file)
    minute_ago = time.time() - 60
    os.utime(file, (minute_ago, minute_ago))
    assert not alive(file)


def test_the_health_check_of_beat_sees_it(committed: None, tmp_path: Path) -> None:
    file = tmp_path / "heartbeat"
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "scrm",
        "beat",
        "--pidfile=",
        "--schedule",
        str(tmp_path / "schedule"),
    ]

    with process(command, {"HEARTBEAT_FILE": str(file)}):
        eventually(file.exists, 40)
        assert alive(file)
