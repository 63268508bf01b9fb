"""The one error of backup and restore."""


class BackupError(Exception):
    """Says what stands in the way and how to mend it; nothing was changed."""
