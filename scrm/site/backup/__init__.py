"""Backup and restore: one folder with the database, the uploaded files and a manifest that says what they are.

PostgreSQL's own programs do the work, so that partitions, indexes and sequences come back as they were. Redis needs no
backup: it holds nothing that cannot be lost.
"""

from scrm.site.backup.errors import BackupError
from scrm.site.backup.manifest import Manifest
from scrm.site.backup.restore import restore
from scrm.site.backup.take import discard_old, take

__all__ = ["BackupError", "Manifest", "discard_old", "restore", "take"]
