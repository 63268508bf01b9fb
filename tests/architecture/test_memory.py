"""What each process of a small machine would hold without a use."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LARGE = {"numpy", "openpyxl", "pandas", "pypinyin"}


def said_by(code: str) -> list[str]:
    """The lines that a fresh process prints."""
    command = [sys.executable, "-c", f"import sys; {code}"]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ}, capture_output=True, text=True, check=True
    ).stdout.splitlines()


def test_a_process_loads_nothing_large_before_it_needs_it() -> None:
    say = f"print(sorted(set(sys.modules) & {LARGE}))"
    started = "from scrm.celery import app; app.loader.import_default_modules(); import scrm.wsgi"
    assert said_by(f"{started}; {say}; from contacts import search; search.index('小林'); {say}") == [
        "[]",
        "['pypinyin']",
    ]


def test_the_launcher_of_the_demo_waits_without_the_models() -> None:
    say = "print('contacts.models' in sys.modules)"
    assert said_by(f"import scrm.settings, scrm.site.demo.__main__; {say}") == ["False"]
