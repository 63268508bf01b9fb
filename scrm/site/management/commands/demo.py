"""`manage.py demo`: the whole program on one machine, with a platform and people to play with."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from scrm import env
from scrm.site.demo.options import DEFAULT, SCENARIOS, Options


class Command(BaseCommand):
    """Reads the options; scrm.site.demo.launch does the work."""

    help = "Runs everything on this machine: services, a stand-in WeCom, web, workers; Ctrl-C ends it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """The options of contract.md."""
        parser.add_argument("--port", type=int, default=8000, help="of the web server (default 8000)")
        parser.add_argument(
            "--scenario", default="", help=f"{', '.join(SCENARIOS)}; default what is there, else {DEFAULT}"
        )
        parser.add_argument("--customers", type=int, help="how many customers the history has")
        parser.add_argument("--days", type=int, help="how many days of history")
        parser.add_argument("--speed", type=float, default=1.0, help="how fast domain time runs (default 1)")
        parser.add_argument("--no-traffic", action="store_true", help="history only, nothing happens live")
        parser.add_argument("--exit-after", type=float, metavar="SECONDS", help="end by itself, counted from ready")
        parser.add_argument("--fresh", action="store_true", help="empty the embedded data first")

    def handle(self, *args: Any, **given: Any) -> None:
        """Becomes the launcher, which runs until Ctrl-C or --exit-after: a process that only waits needs no Django."""
        names = ("port", "scenario", "customers", "days", "speed", "exit_after", "fresh")
        options = Options(traffic=not given["no_traffic"], **{name: given[name] for name in names})
        if os.environ.get("DATA_DIR"):
            os.environ["DATA_DIR"] = str(env.data_dir())  # before we go where our modules are found
        os.chdir(env.BASE_DIR)
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", "scrm.site.demo", options.to_json()])  # noqa: S606  our own module
