"""Makes `.venv` and installs one lock file into it: `python3 scripts/bootstrap.py local|dev`.

Standard library only. A second run with the same lock does nothing.
"""

import argparse
import hashlib
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.json"
# Which locks are satisfied once the key's lock is installed.
HOLDS = {"local": ["local"], "dev": ["local", "dev"]}
PIP = ["-m", "pip", "--disable-pip-version-check", "--no-input"]
# The lock is complete, so nothing is left to resolve; modules are compiled when they are first used.
OPTIONS = ["--quiet", "--require-hashes", "--no-deps", "--no-compile", "--root-user-action=ignore"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lock", choices=HOLDS)
    lock = parser.parse_args().lock
    if _installed().get(lock) != _hash(lock) or not _runs("-c", ""):
        _make_venv()
        _install(lock)


def _make_venv() -> None:
    if _runs(*PIP, "--version"):
        return
    _say("Creating .venv")
    done = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        sys.exit("Python's venv module does not work here. On Debian and Ubuntu: apt-get install python3-venv")


def _install(lock: str) -> None:
    _say(f"Installing requirements/{lock}.txt")
    STAMP.unlink(missing_ok=True)
    if not _runs(*PIP, "install", *OPTIONS, "-r", str(_path(lock))):
        sys.exit("The packages could not be installed: is the package index reachable? (pip says more above)")
    STAMP.write_text(json.dumps({name: _hash(name) for name in HOLDS[lock]}))


def _runs(*arguments: str) -> bool:
    """Whether the environment's Python, a link to the one that made it, still runs this."""
    try:
        done = subprocess.run([VENV / "bin" / "python", *arguments], stdout=subprocess.DEVNULL, check=False)
    except OSError:
        return False
    return done.returncode == 0


def _installed() -> dict[str, str]:
    try:
        return dict(json.loads(STAMP.read_text()))
    except (OSError, ValueError):
        return {}


def _path(lock: str) -> Path:
    return ROOT / "requirements" / f"{lock}.txt"


def _hash(lock: str) -> str:
    return hashlib.sha256(_path(lock).read_bytes()).hexdigest()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
