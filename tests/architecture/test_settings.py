"""A malformed setting: every process stops with a message that names the setting and the cure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT

BIN = Path(sys.executable).parent
PLAIN = {"DATA_DIR": "/nonexistent/scrm", "PYTHONWARNINGS": "ignore"}

# setting, a malformed value, a word of the cure
MALFORMED = [
    ("DEBUG", "perhaps", "DEBUG=true"),
    ("STORY", "perhaps", "STORY=true"),
    ("DATABASE_URL", "mysql://scrm@localhost/scrm", "postgres://"),
    ("DATABASE_URL", "localhost:5432", "postgres://"),
    ("REDIS_URL", "localhost:6379", "redis://"),
    ("COMPANY_TIME_ZONE", "Peking", "Asia/Shanghai"),
    ("COMPANY_TIME_ZONE", "../etc/passwd", "Asia/Shanghai"),
    ("LANGUAGE_CODE", "klingon", "zh-hans"),
    ("SENDING", "yes", "off, allowlist, on"),
    ("QUIET_HOURS", "late", "22:30-08:00"),
    ("QUIET_HOURS", "25:00-08:00", "22:30-08:00"),
    ("RECEIVE_RULE", "often", "month_total, week_7, day_1"),
    ("SEND_CAP_PER_WEEK", "few", "SEND_CAP_PER_WEEK=0"),
    ("SEND_FAILURES_BEFORE_PAUSE", "0", "1 is the least"),
    ("SEND_CREATE_SECONDS", "long", "SEND_CREATE_SECONDS=15"),
    ("SEND_LOOKUP_DELAYS", "soon", "5,30"),
    ("SEND_POLL_SECONDS", "0", "0.05 is the least"),
    ("PUBLIC_URL", "scrm.example.com", "https://"),
    ("WECOM_API_URL", "https://proxy.example.com", "/cgi-bin/"),
    ("WECOM_OAUTH_URL", "open.weixin.qq.com", "with the slash"),
    ("WECOM_LOGIN_URL", "https://login.example.com", "with the slash"),
    ("NOTICE_RETENTION_DAYS", "long", "NOTICE_RETENTION_DAYS=180"),
    ("STAFF_SIGN_IN", "guess", "oauth, link"),
    ("TASK_LINK_HOURS", "0", "1 is the least"),
    ("WECOM_CALLBACK_AES_KEY", "short", "43"),
    ("WECOM_CALLBACK_TOKEN", "not a token!", "letters and digits"),
    ("CLOCK_SPEED", "fast", "CLOCK_SPEED=1"),
    ("CLOCK_OFFSET", "1h", "CLOCK_OFFSET=0"),
    ("CLOCK_ANCHOR", "now", "CLOCK_ANCHOR=0"),
    ("CONTACT_READ_DELAYS", "3,soon", "3,60"),
    ("CHAT_REREAD_DELAYS", "2;5", "2,5,15,60"),
    ("CHAT_COALESCE_SECONDS", "a bit", "CHAT_COALESCE_SECONDS=1.5"),
    ("FRESH_READ_SECONDS", "", "FRESH_READ_SECONDS=60"),
    ("TRUSTED_PROXIES", "one", "TRUSTED_PROXIES=0"),
    ("LOGIN_TRIES_PER_NAME", "few", "LOGIN_TRIES_PER_NAME=10"),
    ("LOGIN_TRIES_PER_ADDRESS", "0", "1 is the least"),
    ("LOGIN_WINDOW_MINUTES", "1h", "LOGIN_WINDOW_MINUTES=15"),
    ("CHAT_SCAN_CAPACITY", "many", "CHAT_SCAN_CAPACITY=200"),
    ("STAFF_CAPACITY", "many", "STAFF_CAPACITY=20000"),
    ("CALLBACK_RETENTION_DAYS", "long", "CALLBACK_RETENTION_DAYS=90"),
    ("CALL_LOG_RETENTION_DAYS", "long", "CALL_LOG_RETENTION_DAYS=14"),
    ("AUDIT_RETENTION_DAYS", "30", "180 is the least"),
    ("WECOM_CALLS_PER_MINUTE", "all", "WECOM_CALLS_PER_MINUTE=7000"),
    ("WECOM_CALLS_PER_HOUR", "all", "WECOM_CALLS_PER_HOUR=105000"),
    ("WECOM_CONCURRENCY", "0.5.1", "WECOM_CONCURRENCY=60"),
    ("WECOM_CALL_LOG_SAMPLE", "few", "WECOM_CALL_LOG_SAMPLE=50"),
    ("WECOM_AGENT_ID", "my app", "AgentId"),
    ("WECOM_CALL_LOG_SAMPLE", "-1", "0 is the least"),
    ("WECOM_CONCURRENCY", "1", "2 is the least"),
    ("CLOCK_SPEED", "nan", "CLOCK_SPEED=1"),
    ("SECRET_KEY", "", "50 random characters"),
]


# One that the system checks refuse, and the one without which nothing works.
STOPPERS = [row for row in MALFORMED if row[:2] in {("WECOM_CALLBACK_AES_KEY", "short"), ("SECRET_KEY", "")}]


def said_at_start(*command: str, environment: dict[str, str]) -> str:
    """What a process that must not start says."""
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **PLAIN, **environment}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0, done.stdout + done.stderr
    return done.stdout + done.stderr


# What the web server, the workers and the system checks have in common, once for each line `NAME=value` of the input.
# A child each: settings are read once in a process.
START = """
import os, sys
import csp, django.core.checks, django_stubs_ext, environ  # not ours, and slow: loaded once for all children
for line in sys.stdin.read().splitlines():
    name, _, value = line.partition("=")
    sys.stdout.flush()
    if not os.fork():
        os.environ[name] = value
        try:
            from scrm.base.checks import refuse_to_start_on_errors
            refuse_to_start_on_errors()
            print("started")
        except (Exception, SystemExit) as refusal:
            print(str(refusal).replace(chr(10), " "))
        sys.stdout.flush()
        os._exit(0)
    os.wait()
"""


@pytest.fixture(scope="module")
def refusals() -> dict[tuple[str, str], str]:
    """What a start says to each malformed setting; `started` where it takes it."""
    lines = "\n".join(f"{name}={value}" for name, value, _ in MALFORMED)
    done = subprocess.run(
        [sys.executable, "-c", START], cwd=ROOT, env={**os.environ, **PLAIN}, input=lines, capture_output=True,
        text=True, timeout=100, check=True,
    )  # fmt: skip
    said = done.stdout.splitlines()
    assert len(said) == len(MALFORMED), done.stdout + done.stderr
    return {(name, value): words for (name, value, _), words in zip(MALFORMED, said, strict=True)}


@pytest.mark.xdist_group("settings")
@pytest.mark.parametrize(("name", "value", "cure"), MALFORMED)
def test_a_malformed_setting_is_named_with_its_cure(
    refusals: dict[tuple[str, str], str], name: str, value: str, cure: str
) -> None:
    said = refusals[name, value]

    assert said != "started"
    assert name in said and cure in said


@pytest.mark.parametrize(("name", "value", "cure"), STOPPERS)
def test_commands_do_not_start_on_a_malformed_setting(name: str, value: str, cure: str) -> None:
    said = said_at_start(sys.executable, "manage.py", "check", environment={name: value})

    assert name in said and cure in said


@pytest.mark.parametrize(("name", "value", "cure"), STOPPERS)
def test_granian_does_not_start_on_a_malformed_setting(name: str, value: str, cure: str) -> None:
    said = said_at_start(
        str(BIN / "granian"), "--interface", "wsgi", "--port", "0", "scrm.wsgi:application", environment={name: value}
    )

    assert name in said and cure in said


@pytest.mark.parametrize(("name", "value", "cure"), STOPPERS)
def test_a_worker_does_not_start_on_a_malformed_setting(name: str, value: str, cure: str) -> None:
    said = said_at_start(
        str(BIN / "celery"), "-A", "scrm", "worker", "-Q", "welcome", "--pool", "threads", environment={name: value}
    )

    assert name in said and cure in said


def test_a_setting_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "sending").write_text("sometimes\n")
    environment = {key: value for key, value in os.environ.items() if key != "SENDING"}

    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, capture_output=True, text=True, timeout=60,
        env={**environment, **PLAIN, "SENDING_FILE": str(tmp_path / "sending")},
    )  # fmt: skip

    assert done.returncode != 0
    assert "SENDING: 'sometimes'" in done.stderr


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "nothing")
    environment = {key: value for key, value in os.environ.items() if key != "SECRET_KEY"}

    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, capture_output=True, text=True, timeout=60,
        env={**environment, **PLAIN, "SECRET_KEY_FILE": missing},
    )  # fmt: skip

    assert done.returncode != 0
    assert f"SECRET_KEY_FILE: {missing}" in done.stderr


def test_every_setting_that_can_be_malformed_is_tried_here() -> None:
    from scrm.env import SETTINGS

    free = {
        "DATA_DIR", "ALLOWED_HOSTS", "METRICS_TOKEN", "DOMAIN_PROOFS", "H5_URLS", "SENDING_ALLOWLIST", "FAILPOINT",
        "WECOM_CORP_ID", "WECOM_SECRET", "DATABASE_PASSWORD", "HEARTBEAT_FILE",
    }  # fmt: skip

    assert {name for name, _, _ in MALFORMED} == set(SETTINGS) - free
