"""Stats: the stored series from which the numbers are computed. A stat is declared here once; its SQL says the rest."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from contacts.models import Staff
from scrm.base import clock

SQL: Final = Path(__file__).resolve().parent / "sql"


@dataclass(frozen=True)
class Ledger:
    """A table of happenings that carries `changed_at` (the database's clock).

    `person` names the column by which one row's meaning depends on others: a changed row makes all days of its person
    dirty, because an earlier period that comes late makes the later one no longer the first.
    """

    table: str
    person: str | None


FOLLOWS: Final = Ledger("contacts_follow", "customer_id")
STAYS: Final = Ledger("groups_stay", "customer_id")
WELCOMES: Final = Ledger("campaigns_welcome", None)


@dataclass(frozen=True)
class Stat:
    """A series: one row per happening of the ledger on the company day of its column `at`.

    Dimensions are the columns of `Fact`; rows are kept as long as the ledger's.
    """

    name: str
    ledger: Ledger
    at: str

    @cached_property
    def select(self) -> str:
        """The rows from %(start)s to before %(end)s; further parameters: %(zone)s, %(personas)s."""
        return (SQL / "stats" / f"{self.name}.sql").read_text("utf-8")


STATS: Final = {
    stat.name: stat
    for stat in (
        Stat("adds", FOLLOWS, "added_at"),
        Stat("new_customers", FOLLOWS, "added_at"),
        Stat("readds", FOLLOWS, "added_at"),
        Stat("losses", FOLLOWS, "ended_at"),
        Stat("lost_customers", FOLLOWS, "ended_at"),
        Stat("joins", STAYS, "joined_at"),
        Stat("leaves", STAYS, "left_at"),
        Stat("removals", STAYS, "left_at"),
        Stat("welcomes", WELCOMES, "happened_at"),
    )
}


def personas() -> list[int]:
    """Primary keys of accounts that count nowhere (platform.md 38)."""
    return list(Staff.objects.filter(is_persona=True).order_by("pk").values_list("pk", flat=True))


def definition(stat: Stat, excluded: list[int]) -> str:
    """What a stat's rows depend on besides the ledger: another value means that all days must be filled anew."""
    text = "\n".join([stat.select, stat.ledger.table, stat.at, str(clock.zone()), repr(excluded)])
    return hashlib.sha256(text.encode()).hexdigest()
