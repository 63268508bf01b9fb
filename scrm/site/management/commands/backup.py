"""`manage.py backup`: the database and the uploaded files into a folder of their own."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from scrm.site import backup


class Command(BaseCommand):
    """Prints the path of the backup alone on its last line."""

    help = "Writes a backup of database and uploaded files below FOLDER, beside running processes."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to, and how many to keep there."""
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--keep", type=int, metavar="N", help="delete all but the N newest backups there afterwards"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 1 when no complete backup was written; older ones are then left alone."""
        try:
            made = backup.take(options["folder"])
        except backup.BackupError as error:
            raise CommandError(str(error)) from error
        if options["keep"] is not None:
            for path in backup.discard_old(options["folder"], options["keep"]):
                self.stdout.write(_("deleted %(path)s") % {"path": path})
        self.stdout.write(str(made))
