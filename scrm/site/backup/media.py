"""The uploaded files: into one archive, and out of it beside the present ones."""

import shutil
import tarfile
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from scrm.site.backup.errors import BackupError


def folder() -> Path:
    """Where uploaded files live; it need not exist."""
    return Path(settings.MEDIA_ROOT)


def has_files() -> bool:
    return any(path.is_file() for path in folder().rglob("*"))


def pack(archive: Path) -> None:
    """Regular files only; one that is deleted meanwhile is left out, as no row of the backup's database needs it."""
    root = folder()
    with tarfile.open(archive, "w") as tar:
        for path in sorted(root.rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            try:
                content = path.open("rb")
            except FileNotFoundError:
                continue
            with content:
                tar.addfile(tar.gettarinfo(arcname=str(path.relative_to(root)), fileobj=content), content)


def unpack(archive: Path) -> Path:
    """A fresh folder beside the present one with the archive's files."""
    target = folder().with_name(f"{folder().name}.restoring")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with tarfile.open(archive) as tar:
        for member in tar:
            path = (target / member.name).resolve()
            content = tar.extractfile(member) if member.isreg() else None
            if content is None or not path.is_relative_to(target.resolve()):
                raise BackupError(_("%(path)s holds something else than plain files.") % {"path": archive})
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as output:
                shutil.copyfileobj(content, output)
    return target


def put_in_place(fresh: Path) -> None:
    """The unpacked folder becomes the folder of uploads; the former files go."""
    root = folder()
    former = root.with_name(f"{root.name}.former")
    shutil.rmtree(former, ignore_errors=True)
    if root.exists():
        root.rename(former)
    fresh.rename(root)
    shutil.rmtree(former, ignore_errors=True)
