"""`manage.py syncall`: a full sync from WeCom, worked in this process and by any worker that runs."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from contacts import sync
from contacts.models import Staff, SyncRun
from contacts.sync.run import Progress, seconds

PATIENCE = 900.0  # seconds without progress after which the command gives up; the run stays and goes on with a worker
HELD, FAILED = 3, 1


class Command(BaseCommand):
    """Starts a run or joins the one under way, and shows what it found."""

    help = "Reads departments, staff, customers, tags and chats from WeCom and heals what had drifted. Sends nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options of contract.md."""
        parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
        parser.add_argument(
            "--accept-removals", action="store_true", help="go on also when more than 2 %% would be removed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 3: removals are held; exit 1: the run failed."""
        self._last = ""
        run = self._work(sync.start())
        if run.state == SyncRun.State.HELD and (options["accept_removals"] or self._asked(run)):
            sync.accept_removals(run)
            run = self._work(run)
        result = self._result(run)
        self.stdout.write(json.dumps(result, ensure_ascii=False) if options["json"] else self._report(result))
        if run.state == SyncRun.State.HELD:
            raise SystemExit(HELD)
        if run.state != SyncRun.State.DONE:
            raise SystemExit(FAILED)
        if not Staff.objects.present().exists():
            self.stderr.write(_("WeCom showed no staff member. Check 企微后台 > 应用管理 > the app > 可见范围."))

    def _work(self, run: SyncRun) -> SyncRun:
        done = sync.run_inline(run, patience=PATIENCE, tell=self._tell)
        if done.state == SyncRun.State.RUNNING:
            raise CommandError(
                _("No progress for %(minutes)d minutes: %(why)s. The sync goes on when a worker runs.")
                % {"minutes": PATIENCE // 60, "why": self._last}
            )
        return done

    def _tell(self, now: Progress) -> None:
        """A line on stderr whenever something moved."""
        what = now.waiting or ", ".join(now.current[:3])
        line = f"{now.steps_done}/{now.steps} {what}"
        if line != self._last and now.state == SyncRun.State.RUNNING:
            self._last = line
            self.stderr.write(f"{now.seconds:6.1f} s  {line}")

    def _asked(self, run: SyncRun) -> bool:
        """At a terminal a person may decide at once; without one nothing is removed."""
        if not sys.stdin.isatty():
            return False
        self.stderr.write(_("%(count)d removals are held: more than 2 %% of what we know.") % {"count": run.held})
        return input(_("Remove them? [y/N] ")).strip().lower() in {"y", "yes", "是"}

    def _result(self, run: SyncRun) -> dict[str, Any]:
        return {
            "run": run.pk,
            "state": run.state,
            "first": run.first,
            "counts": run.counts,
            "drift": run.drift,
            "held": run.held if run.state == SyncRun.State.HELD else 0,
            "api_calls": run.api_calls,
            "seconds": round(seconds(run), 1),
            "error": run.error,
        }

    def _report(self, result: dict[str, Any]) -> str:
        lines = [f"sync #{result['run']}: {result['state']}" + (" (first sync)" if result["first"] else "")]
        lines += [f"  read     {name}: {count}" for name, count in result["counts"].items()]
        lines += [f"  healed   {name}: {count}" for name, count in result["drift"].items()] or ["  healed   nothing"]
        lines += [f"  held     {result['held']}"] if result["held"] else []
        lines += [f"  {result['api_calls']} API calls, {result['seconds']} s"]
        lines += [f"  {line}" for line in result["error"].splitlines()]
        return "\n".join(lines)
