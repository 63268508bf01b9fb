"""What the tracked files must not hold: other clocks, addresses of registries, paths of one machine, unnamed migrations."""

import ast
import re
from functools import cache
from pathlib import Path

from tests.processes import ROOT

# The only modules that read a clock of this machine for moments in time; everybody else asks scrm.base.clock.
CLOCKS = {"scrm/base/clock.py"}
NOT_OURS = ("scrm/standin/", "scrm/embedded/", "scripts/")
TEXT = {".py", ".md", ".toml", ".txt", ".yml", ".html", ".css", ".js", ".sql", ".po", ".sh", ""}
REGISTRY = re.compile(r"(pypi\.org|pythonhosted|/simple/?\b|index-url|mirrors?\.[a-z]+\.(com|cn|edu)|find-links)")
MACHINE_PATH = re.compile(r"(?<![\w.])/(work|root|home/\w+|Users/\w+)/")
NOW = re.compile(r"\b(datetime\.now|datetime\.utcnow|timezone\.now|date\.today|time\.localtime)\(")


# Not of the tree: what runs and checks leave behind (.gitignore), and the packages.
LEFT_BEHIND = {".git", ".venv", "var", "staticfiles", "__pycache__", "node_modules"}


@cache
def tracked() -> list[Path]:
    """The files of the tree. Walked, not asked of git: an archive of the tree has none."""
    found: list[Path] = []
    folders = [ROOT]
    while folders:
        for path in folders.pop().iterdir():
            if path.is_dir() and path.name not in LEFT_BEHIND and not path.name.endswith("_cache"):
                folders += [] if path.name == ".hypothesis" else [path]
            elif path.is_file() and path.suffix not in {".pyc", ".log"}:
                found.append(path)
    return sorted(found)


def lines_with(pattern: re.Pattern[str], *, skip: tuple[str, ...] = ()) -> list[str]:
    """`file:line` of every tracked line in which the pattern is found."""
    found = []
    for path in tracked():
        name = str(path.relative_to(ROOT))
        if path.suffix not in TEXT or name.startswith(skip) or name == "tests/architecture/test_tree.py":
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if pattern.search(line):
                found.append(f"{name}:{number}: {line.strip()[:100]}")
    return found


def test_the_domain_clock_is_the_only_one() -> None:
    python = [line for line in lines_with(NOW, skip=NOT_OURS) if line.partition(":")[0].endswith(".py")]

    assert [line for line in python if line.partition(":")[0] not in CLOCKS] == []


def test_no_lock_file_holds_an_address() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        assert "://" not in path.read_text("utf-8"), path.name


def test_every_locked_package_has_a_hash() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        entries = re.split(r"\n(?=\S)", path.read_text("utf-8").strip())
        assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_no_tracked_file_names_a_registry() -> None:
    assert lines_with(REGISTRY, skip=("static/scrm/vendor/", "Makefile")) == []


def test_no_tracked_file_holds_a_path_of_one_machine() -> None:
    assert lines_with(MACHINE_PATH) == []


def test_every_migration_has_a_name_of_its_own() -> None:
    names = [path.name for path in tracked() if path.parent.name == "migrations" and path.name != "__init__.py"]

    assert names
    assert [name for name in names if not re.fullmatch(r"\d{4}_[a-z][a-z0-9_]+\.py", name) or "_auto_" in name] == []


def test_every_module_says_what_lives_there() -> None:
    modules = [
        path
        for path in tracked()
        if path.suffix == ".py" and path.name != "__init__.py" and path.parent.name != "migrations"
    ]

    assert [
        str(path.relative_to(ROOT)) for path in modules if not ast.get_docstring(ast.parse(path.read_bytes()))
    ] == []


def test_nothing_is_imported_by_star() -> None:
    assert lines_with(re.compile(r"^\s*from \S+ import \*")) == []


def test_the_version_is_the_changelogs_latest() -> None:
    from scrm import __version__

    latest = re.search(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    declared = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert latest and declared and latest.group(1) == declared.group(1) == __version__
