"""Supervised processes: started again, ended with all they started, found again after a kill."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scrm.embedded import noted_environment, notes, processes
from scrm.embedded.children import PAUSES, Child, Children, end_marked
from scrm.embedded.services import DEMO_NOTE
from tests.embedded.conftest import ROOT, gone
from tests.processes import eventually

# A parent with a child of its own, which says its pid and does not go by itself when the parent dies.
PARENT = (
    "import subprocess, sys, time; p = subprocess.Popen(['sleep', '600']); print(p.pid, flush=True); time.sleep(600)"
)


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Children]:
    children = Children(dict(os.environ), tmp_path, mark=str(tmp_path))
    yield children
    children.stop()


def parent(folder: Path, code: str = PARENT) -> Child:
    return Child("parent", [sys.executable, "-c", code], folder / "parent.log", patience=2)


def pid_of(child: Child) -> int:
    assert child.process is not None
    return child.process.pid


def look_until(family: Children, found: Callable[[], bool], deaths: list[str] | None = None) -> None:
    """Supervises until `found`; names of the dead go into `deaths`."""
    until = time.monotonic() + 10
    while not found():
        assert time.monotonic() < until
        family.look(lambda dead: deaths.append(dead.name) if deaths is not None else None)
        time.sleep(0.02)


def said(child: Child) -> list[int]:
    return [int(word) for word in child.log.read_text().split()]


def test_starts_a_killed_child_again_and_ends_what_it_left_behind(family: Children, tmp_path: Path) -> None:
    child = parent(tmp_path)
    family.start(child)
    eventually(lambda: len(said(child)) == 1)
    first, orphan = pid_of(child), said(child)[0]
    os.kill(first, signal.SIGKILL)
    deaths: list[str] = []
    begun = time.monotonic()
    look_until(family, lambda: len(said(child)) == 2, deaths)
    assert time.monotonic() - begun < 10
    assert deaths == ["parent"]
    assert pid_of(child) != first
    assert gone(orphan, 0.5)


def test_a_child_that_fails_at_once_waits_before_its_next_start(family: Children, tmp_path: Path) -> None:
    child = parent(tmp_path, "raise SystemExit('no way')")
    family.start(child)
    look_until(family, lambda: child.deaths == 1)
    begun = time.monotonic()
    look_until(family, lambda: child.deaths == 2)
    assert PAUSES[1] <= time.monotonic() - begun < 10
    assert child.last_words() == "no way\nno way"


def test_stop_ends_children_and_grandchildren_even_stubborn_ones(family: Children, tmp_path: Path) -> None:
    child = parent(tmp_path, "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + PARENT)
    family.start(child)
    eventually(lambda: len(said(child)) == 1)
    grandchild, pid = said(child)[0], pid_of(child)
    family.stop()
    assert gone(pid, 0.1)
    assert gone(grandchild, 0.1)


def test_what_a_killed_supervisor_left_behind_is_found_by_its_mark(family: Children, tmp_path: Path) -> None:
    bystander = subprocess.Popen(["sleep", "600"])
    child = parent(tmp_path)
    family.start(child)
    eventually(lambda: len(said(child)) == 1)
    try:
        assert end_marked(str(tmp_path)) == 2
        assert gone(said(child)[0], 0.1)
        assert bystander.poll() is None
        assert end_marked(str(tmp_path)) == 0
    finally:
        bystander.kill()
        bystander.wait()


def test_settings_of_a_demo_are_noted_only_while_it_lives(tmp_path: Path) -> None:
    process = subprocess.Popen(["sleep", "600"], cwd=ROOT)
    note = {"demo": processes.identity(process.pid).noted(), "environment": {"SECRET_KEY": "s"}}
    notes.write(tmp_path / DEMO_NOTE, note)
    assert noted_environment(tmp_path) == {"SECRET_KEY": "s"}
    process.kill()
    process.wait()
    assert noted_environment(tmp_path) == {}


def test_a_pid_given_to_another_process_does_not_count_as_alive() -> None:
    me = processes.identity(os.getpid())
    assert me.alive()
    assert not processes.Identity(me.pid, "1").alive()
