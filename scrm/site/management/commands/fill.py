"""`manage.py fill`: computes the stored series anew from the ledgers."""

import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Min
from django.utils.translation import gettext as _

from analytics import fill
from analytics.stats import STATS
from campaigns.models import Welcome
from contacts.models import Follow
from groups.models import Stay
from scrm.base import clock


class Command(BaseCommand):
    """Rebuilds whole days, dirty or not."""

    help = "Computes facts anew: all days, or those of an interval; all series, or one."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options of contract.md."""
        parser.add_argument("--from", dest="start", type=_day, metavar="DATE", help="default: the ledgers' first day")
        parser.add_argument("--to", dest="end", type=_day, metavar="DATE", help="exclusive; default: tomorrow")
        parser.add_argument("--stat", choices=sorted(STATS), metavar="NAME", help=", ".join(sorted(STATS)))

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError for an empty interval and behind another fill that does not end."""
        start = options["start"] or _first_day()
        end = options["end"] or clock.today() + dt.timedelta(days=1)
        if start >= end:
            raise CommandError(_("The interval is empty: --from %(from)s --to %(to)s.") % {"from": start, "to": end})
        try:
            count = fill.fill(start, end, [options["stat"]] if options["stat"] else None)
        except fill.FillBusy:
            raise CommandError(_("Another fill is at work and does not end.")) from None
        self.stdout.write(f"{start} … {end}: {count} days of series filled")


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def _first_day() -> dt.date:
    firsts = (
        Follow.objects.aggregate(at=Min("added_at"))["at"],
        Stay.objects.aggregate(at=Min("joined_at"))["at"],
        Welcome.objects.aggregate(at=Min("happened_at"))["at"],
    )
    return min((clock.day_of(at) for at in firsts if at is not None), default=clock.today())
