"""Makes `.venv` and installs one lock file into it: `python3 scripts/bootstrap.py local|dev`.

Standard library only, and readable by an old Python, so that it can say what is missing. A second run with the
same lock does nothing.
"""

import hashlib
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, "installed.json")
# What each lock file holds: the hash of every name in its row is noted once the row's key is installed.
HOLDS = {"local": ["local"], "dev": ["local", "dev"]}
PIP = ["-m", "pip", "--disable-pip-version-check", "--no-input"]


def main(wanted):
    if sys.version_info < (3, 11):
        return "Python 3.11 or newer is needed; %s is %d.%d. Say `make PYTHON=python3.12 …` if you have one." % (
            sys.executable,
            sys.version_info[0],
            sys.version_info[1],
        )
    if wanted not in HOLDS:
        return "Say which lock to install: local or dev."
    if installed().get(wanted) == lock_hash(wanted) and runs("-c", ""):
        return None
    return make_venv() or install(wanted)


def make_venv():
    """Why it can't be made, or None."""
    if runs(*PIP, "--version"):
        return None
    print("Creating .venv", flush=True)
    done = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], stdout=subprocess.DEVNULL)
    if done.returncode:
        return "Python's venv module does not work here. On Debian and Ubuntu: apt-get install python3-venv"
    return None


def install(wanted):
    """Why it can't be installed, or None."""
    print("Installing requirements/%s.txt" % wanted, flush=True)
    # The lock is complete, so nothing is left to resolve; modules are compiled when they are first used.
    options = ["--quiet", "--require-hashes", "--no-deps", "--no-compile", "--root-user-action=ignore"]
    done = subprocess.run([PYTHON] + PIP + ["install"] + options + ["-r", lock_path(wanted)])
    if done.returncode:
        return "The packages could not be installed: is the package index reachable? (see pip's words above)"
    with open(STAMP, "w") as file:
        json.dump({name: lock_hash(name) for name in HOLDS[wanted]}, file)
    return None


def runs(*arguments):
    """Whether the environment's Python, a link to the one that made it, still runs this."""
    try:
        return subprocess.run([PYTHON] + list(arguments), stdout=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def installed():
    try:
        with open(STAMP) as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def lock_path(name):
    return os.path.join(ROOT, "requirements", name + ".txt")


def lock_hash(name):
    with open(lock_path(name), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
