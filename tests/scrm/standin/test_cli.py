"""The stand-in as a process of its own."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

import requests

from scrm.standin import cli

ROOT = Path(__file__).parents[3]


def start(*options: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "scrm.standin", "--port", "0", *options]
    given = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
    return subprocess.Popen(
        command, cwd=ROOT, env={**given, **environment}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_serves_with_credentials_of_the_environment_until_a_signal(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-a-file\n", encoding="utf-8")
    process = start("--quiet", WECOM_CORP_ID="wwmine", WECOM_SECRET_FILE=str(tmp_path / "secret"))
    assert process.stdout is not None
    url = process.stdout.readline().split(" listens on ")[1].split(" ")[0]

    given = {"corpid": "wwmine", "corpsecret": "from-a-file"}
    assert requests.get(url + "gettoken", params=given, timeout=5).json()["errcode"] == 0
    process.send_signal(signal.SIGTERM)

    assert process.wait(10) == 0


def test_names_the_scenario_that_does_not_exist() -> None:
    process = start("--scenario", "school")
    _, errors = process.communicate(timeout=10)

    assert process.returncode == 2
    assert errors == "stand-in: there is no scenario 'school'; there are empty, beauty, mother_baby\n"


def test_says_how_staff_confirm() -> None:
    process = start("--quiet", "--confirm", "at_once", "--confirm-speed", "0")
    _, errors = process.communicate(timeout=10)
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)

    built = cli.build(parser.parse_args(["--quiet", "--port", "0", "--confirm", "at_once", "--confirm-speed", "20"]))

    assert (process.returncode, errors) == (2, "stand-in: --confirm-speed 0: give a number above 0\n")
    assert (built.settings.confirm, built.settings.confirm_speed) == ("at_once", 20)


def test_imports_nothing_of_ours_and_no_framework() -> None:
    program = (
        "import sys, scrm.standin.cli\n"
        "names = {name.split('.')[0] for name in sys.modules}\n"
        "assert not names & {'django', 'celery', 'wechatpy', 'contacts', 'groups'}, names\n"
        "assert not [name for name in sys.modules if name.startswith('scrm.') and 'standin' not in name]\n"
    )

    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=30)
