"""`manage.py apitoken`: a key with which a program speaks for a user."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from scrm.base import audit
from scrm.base.models import User
from scrm.base.models.token import ApiToken, digest


class Command(BaseCommand):
    """Makes a token; its text can be read this once."""

    help = "Prints a new API token for a user, alone on the last line."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options of contract.md."""
        parser.add_argument("username")
        parser.add_argument("--scope", choices=list(ApiToken.Scope.values), default=ApiToken.Scope.READ)

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError for a user who isn't there or may not log in."""
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(
                _("There is no user %(name)s. Make one in the console, or with `manage.py createsuperuser`.")
                % {"name": options["username"]}
            )
        if not user.is_active:
            raise CommandError(_("The user %(name)s is switched off.") % {"name": options["username"]})
        text = ApiToken.issue(user, options["scope"])
        issued = ApiToken.objects.get(digest=digest(text))
        audit.record("apitoken.add", user=None, subject=str(issued), of=user.get_username(), scope=options["scope"])
        self.stdout.write(_("Keep this token: it is shown only now."))
        self.stdout.write(text)
