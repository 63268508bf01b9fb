"""The machine checks, the same commands as `make lint`: nothing is merged that they refuse."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.processes import ROOT

BIN = Path(sys.executable).parent


def passes(*command: str, environment: dict[str, str] | None = None) -> None:
    """Asserts that a command ends with 0; shows what it said otherwise."""
    given = {**os.environ, **(environment or {})}
    given.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # the browser tests'; the deployment checks refuse it
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"


def test_ruff_finds_nothing() -> None:
    passes(str(BIN / "ruff"), "check", "--quiet", ".")


def test_code_is_formatted() -> None:
    passes(str(BIN / "ruff"), "format", "--check", "--quiet", ".")


@pytest.mark.timeout(300)
def test_types_are_right_also_in_tests() -> None:
    passes(str(BIN / "mypy"), "--no-error-summary", "--cache-dir", os.devnull)  # what a cache holds may be outdated


def test_imports_point_down() -> None:
    passes(str(BIN / "lint-imports"), "--no-logo", "--no-cache")


def test_templates_are_clean() -> None:
    passes(str(BIN / "djlint"), "templates", "--lint", "--quiet")


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)  # exits when something is missing


@pytest.mark.django_db
def test_system_checks_are_clean() -> None:
    call_command("check", fail_level="WARNING")


@pytest.mark.django_db
def test_production_settings_pass_the_deployment_checks() -> None:
    production = {
        "DEBUG": "false",
        "SECRET_KEY": "fQ8-2kzLw0aTn6RvXb1yHs9dJm4pGc7eUi3oKt5ZqVxWjBlNf-yR7",
        "PUBLIC_URL": "https://scrm.example.com",
        "ALLOWED_HOSTS": "scrm.example.com",
        "SENDING": "allowlist",
        "SENDING_ALLOWLIST": "wmLin",
    }
    passes(sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING", environment=production)
