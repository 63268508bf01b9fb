"""`manage.py restore`: brings a backup back."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from scrm.site import backup
from scrm.site.backup.restore import missing_migrations


class Command(BaseCommand):
    """All of it or nothing."""

    help = "Restores a backup into the empty database; --replace deletes what the database holds."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which one, and whether what is there may go."""
        parser.add_argument("backup", type=Path, help="the folder that `backup` has written")
        parser.add_argument("--replace", action="store_true", help="delete what database and uploads hold now")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 1 and a sentence when it was refused or failed; then nothing was changed."""
        try:
            manifest = backup.restore(options["backup"], replace=options["replace"])
        except backup.BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            _("Restored: %(rows)d rows as of %(when)s.")
            % {"rows": sum(manifest.rows.values()), "when": manifest.taken_at}
        )
        if missing_migrations():
            self.stdout.write(_("The backup is of an older version: now run migrate."))
