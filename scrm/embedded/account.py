"""Who runs embedded Postgres, and where: it refuses to run as root, so root hands it to `nobody`.

When that user cannot reach the checkout (a 0700 folder above it, as below /root), programs and data
live in a folder of their own under the system's persistent temporary folder. No permission of an
existing folder is changed.
"""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from scrm.embedded import notes
from scrm.embedded.errors import ServiceError

PERSISTENT_TEMP: Final = Path("/var/tmp")  # noqa: S108  survives a restart of the machine, unlike /tmp
USER: Final = "nobody"
NOT_NEEDED: Final = ("include", "pgxs", "pkgconfig", "*.a", "doc", "man")


@dataclass(frozen=True)
class Account:
    """The user that Postgres runs as; `None` is the user who calls."""

    user: str | None

    def popen(self) -> dict[str, Any]:
        """The arguments of `subprocess` that make a child run as this user."""
        if self.user is None:
            return {}
        entry = pwd.getpwnam(self.user)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Makes something that we have just created belong to this user."""
        if self.user is not None:
            entry = pwd.getpwnam(self.user)
            os.chown(path, entry.pw_uid, entry.pw_gid)

    def can(self, *command: str) -> bool:
        """True when this user can run the command."""
        try:
            done = subprocess.run(command, capture_output=True, cwd="/", check=False, **self.popen())
        except OSError:  # no permission to even execute it
            return False
        return done.returncode == 0


@dataclass(frozen=True)
class Place:
    """Where Postgres lives: `bin` holds its programs, `home` our folder around its data."""

    account: Account
    bin: Path
    home: Path


def account() -> Account:
    return Account(USER if os.geteuid() == 0 else None)


def find_place(folder: Path, programs: Path) -> Place:
    """Chooses the place for the service whose folder in the checkout is `folder`; makes what is missing.

    A place once chosen is noted in `folder` and kept. Raises ServiceError when none will do.
    """
    who = account()
    note = folder / "place.json"
    outside = notes.read(note).get("home")
    if outside is None and _reaches(who, folder, programs):
        return Place(who, programs / "bin", folder)
    home = Path(outside) if outside else outside_of(folder)
    if not outside or not home.is_dir():
        _empty(home)
        notes.write(note, {"home": str(home)})
    return Place(who, _copied(programs, home / "programs", who), home)


def noted_home(folder: Path) -> Path:
    """Where the data of `folder` are, without looking any further."""
    return Path(notes.read(folder / "place.json").get("home", folder))


def _reaches(who: Account, folder: Path, programs: Path) -> bool:
    if who.user is None:
        return True
    enters = who.can("/bin/sh", "-c", 'cd "$1"', "sh", str(folder))
    return enters and who.can(str(programs / "bin" / "initdb"), "--version")


def outside_of(folder: Path) -> Path:
    """Where Postgres lives when its user cannot reach `folder`: named after it."""
    return PERSISTENT_TEMP / f"scrm-{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"


def _empty(home: Path) -> None:
    """A fresh folder; what an earlier checkout at the same path left there goes. Others' things stay."""
    try:
        found = home.lstat()
    except FileNotFoundError:
        found = None
    if found is not None:
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise ServiceError(f"{home} is in the way and not ours: remove it, then start again.")
        shutil.rmtree(home)
    home.mkdir(mode=0o755)
    home.chmod(0o755)  # whatever the umask: the other user must get in


def _copied(programs: Path, copy: Path, who: Account) -> Path:
    """The programs, copied once per version to where the other user can run them; returns their bin.

    The folders keep their names and places: the programs look for libraries relative to themselves, also in
    a folder `….libs` beside the package.
    """
    binary = (programs / "bin" / "postgres").stat()
    mark = f"{binary.st_size} {binary.st_mtime_ns}"
    package, stamp = programs.parent, copy / "complete"
    target = copy / package.name / programs.name
    if not stamp.exists() or stamp.read_text() != mark or not (target / "bin" / "initdb").exists():
        shutil.rmtree(copy, ignore_errors=True)
        (target / "bin").mkdir(parents=True)
        for name in ("postgres", "initdb"):
            shutil.copy2(programs / "bin" / name, target / "bin" / name)
        libraries = package.with_name(f"{package.name}.libs")
        pairs = [
            (programs / "lib", target / "lib"),
            (programs / "share", target / "share"),
        ]
        pairs.append((libraries, copy / libraries.name))
        for source, part in pairs:
            if source.is_dir():
                shutil.copytree(
                    source,
                    part,
                    symlinks=True,
                    ignore=shutil.ignore_patterns(*NOT_NEEDED),
                )
        _open(copy)
        stamp.write_text(mark)
    if not who.can(str(target / "bin" / "initdb"), "--version"):
        raise ServiceError(
            f"The user {who.user} cannot run {target}/bin/initdb (is {PERSISTENT_TEMP} mounted noexec?): "
            "start as a normal user, or give DATABASE_URL."
        )
    return target / "bin"


def _open(copy: Path) -> None:
    """Readable to others even under a strict umask."""
    for path in [copy, *copy.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o755 if path.is_dir() or path.parent.name == "bin" else 0o644))
