"""What this room says has happened: friendships that began and ended."""

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING

from contacts.models import Customer, Follow
from scrm.base.announcing import Happening, announce
from scrm.base.models.announcement import Source

if TYPE_CHECKING:
    from contacts.follows import Change

BEGAN, ENDED = "follow.began", "follow.ended"


def changed(customer: Customer, changes: Iterable["Change"], *, source: Source) -> None:
    """What recomputations have changed for one customer."""
    told = list(changes)
    began = [row for change in told for row in change.began]
    ended = [row for change in told for row in change.ended]
    announce(BEGAN, (_began(row.pk, customer.external_userid, row.added_at) for row in began), source=source)
    announce(
        ENDED,
        (_ended(row.pk, customer.external_userid, row.ended_at, row.ended_by) for row in ended if row.ended_at),
        source=source,
    )


def began(follows: Iterable[int], *, source: Source) -> None:
    """Periods (primary keys) that have begun."""
    rows = Follow.objects.filter(pk__in=list(follows)).order_by("pk")
    found = rows.values_list("pk", "customer__external_userid", "added_at")
    announce(BEGAN, (_began(*row) for row in found), source=source)


def ended(follows: Iterable[int], *, source: Source) -> None:
    """Periods (primary keys) that have ended."""
    rows = Follow.objects.filter(pk__in=list(follows)).order_by("pk")
    found = rows.values_list("pk", "customer__external_userid", "ended_at", "ended_by")
    announce(ENDED, (_ended(pk, person, at, by) for pk, person, at, by in found if at), source=source)


def _began(pk: int, external_userid: str, at: dt.datetime) -> Happening:
    return Happening(f"contact:{external_userid}", at, {"follow": pk})


def _ended(pk: int, external_userid: str, at: dt.datetime, by: str) -> Happening:
    return Happening(f"contact:{external_userid}", at, {"follow": pk, "by": by})
