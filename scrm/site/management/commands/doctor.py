"""`manage.py doctor`: tries whether everything that a corp's connection needs is there."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from scrm.site import doctor
from scrm.site.doctor import Tried
from scrm.site.models import Finding

MARKS = {"ok": "✓", "warning": "!", "failed": "✗", "unknown": "?", "skipped": "–"}


class Command(BaseCommand):
    """The checks of the console's page, one line each as they are tried."""

    help = "Tries secret, addresses, permissions, processes and more, and names the page that mends what fails. Reads only."
    requires_system_checks: list[str] = []  # they are one of the checks

    def add_arguments(self, parser: CommandParser) -> None:
        """`--only` may be given several times."""
        parser.add_argument("--json", action="store_true", help="print the results as one JSON object")
        parser.add_argument(
            "--only", action="append", choices=list(doctor.checks), metavar="NAME", help="only this check"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 1 when a check failed; warnings and what could not be read are no failure."""
        tried = []
        for item in doctor.examine(options["only"]):
            tried.append(item)
            if not options["json"]:
                self._print(item)
        failed = sum(item.result.state == Finding.State.FAILED for item in tried)
        if options["json"]:
            result = {"ok": not failed, "checks": [_as_dict(item) for item in tried]}
            self.stdout.write(json.dumps(result, ensure_ascii=False))
        else:
            self.stdout.write(_("%(n)d checks, %(failed)d to be mended.") % {"n": len(tried), "failed": failed})
        if failed:
            raise SystemExit(1)

    def _print(self, item: Tried) -> None:
        result = item.result
        code = f" ({result.code})" if result.code is not None else ""
        self.stdout.write(f"{MARKS[result.state]} {item.check.title}: {result.words}{code}")
        if result.place:
            self.stdout.write(f"    → {result.place}")


def _as_dict(item: Tried) -> dict[str, Any]:
    result = item.result
    return {
        "name": item.check.name,
        "title": str(item.check.title),
        "state": str(result.state),
        "words": result.words,
        "place": result.place,
        "code": result.code,
        "milliseconds": item.milliseconds,
    }
