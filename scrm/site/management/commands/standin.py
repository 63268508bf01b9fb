"""`manage.py standin`: the stand-in WeCom alone. The work is done in `scrm.standin`, which needs no Django."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext_lazy as _

from scrm.standin import cli


class Command(BaseCommand):
    """Starts the stand-in in this process."""

    help = str(_("Runs the stand-in WeCom: a small platform with customers, groups and callbacks"))
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """The stand-in's own options."""
        cli.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until a signal comes."""
        raise SystemExit(cli.run(argparse.Namespace(**options)))
