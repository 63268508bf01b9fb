"""The numbers of single broadcasts, under their names in the *Sending* table of metrics.md."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F, Func, Q, Sum, TextField
from django.db.models.functions import TruncDate

from campaigns.models import FINAL_COUNTS, Broadcast, Delivery, Dispatch
from campaigns.sending.plan import Plan
from scrm.base import clock
from scrm.base.models import User


@dataclass(frozen=True)
class Figures:
    """What became of one broadcast, as far as one user sees it. Rates are fractions 0…1, None without a base.

    `deliveries_open`: planned ones without a result so far; with the other results they add up to the planned ones.
    `staff_days`: different pairs of staff member and company day on which tasks were created.
    """

    deliveries_planned: int = 0
    deliveries_sent: int = 0
    deliveries_not_friend: int = 0
    deliveries_over_quota: int = 0
    deliveries_refused: int = 0
    deliveries_unconfirmed: int = 0
    deliveries_cancelled: int = 0
    deliveries_unknown: int = 0
    deliveries_open: int = 0
    group_reach: int = 0
    tasks: int = 0
    tasks_created: int = 0
    tasks_confirmed: int = 0
    tasks_on_time: int = 0
    staff_days: int = 0
    excluded: dict[str, int] = field(default_factory=dict)

    @property
    def delivery_rate(self) -> float | None:
        return _rate(self.deliveries_sent, self.deliveries_planned)

    @property
    def confirm_rate(self) -> float | None:
        return _rate(self.tasks_confirmed, self.tasks_created)

    @property
    def on_time_rate(self) -> float | None:
        return _rate(self.tasks_on_time, self.tasks_created)

    @property
    def confirmations_per_staff(self) -> float | None:
        """The mean over staff members and days."""
        return _rate(self.tasks_created, self.staff_days)


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def of(broadcasts: Sequence[Broadcast], user: User) -> dict[int, Figures]:
    """The figures of these broadcasts by their primary keys, in two queries. Whom the plan left out has no sender:
    they are told to those who see the whole broadcast; others see who was found unfit later among their staff's."""
    tasks = Dispatch.objects.visible_to(user).filter(broadcast__in=[row.pk for row in broadcasts])
    sums: Any = tasks.order_by().values("broadcast").annotate(**_sums())
    counted = {row.pop("broadcast"): row for row in sums}
    later = _found_unfit(tasks)
    return {
        row.pk: Figures(excluded=_together(row.excluded if _whole(row, user) else {}, later[row.pk]),
                        **counted.get(row.pk, {}))
        for row in broadcasts
    }  # fmt: skip


def plan_of(broadcast: Broadcast, user: User) -> Plan:
    """What approving has frozen, in the form of the forecast; of other people's broadcasts one's own staff's part."""
    parts = Dispatch.objects.visible_to(user).filter(broadcast=broadcast.pk).order_by("staff__userid")
    rows = list(parts.values_list("staff__userid").annotate(Count("pk"), Sum("recipients")))
    return Plan(
        planned=sum(people for _userid, _taps, people in rows),
        excluded=broadcast.excluded if _whole(broadcast, user) else {},
        dispatches=sum(taps for _userid, taps, _people in rows),
        taps={userid: taps for userid, taps, _people in rows},
        people={userid: people for userid, _taps, people in rows},
    )


def _whole(broadcast: Broadcast, user: User) -> bool:
    return user.has_full_scope or broadcast.created_by_id == user.pk


def _sums() -> dict[str, Any]:
    closed = sum((F(f"count_{state}") for state in FINAL_COUNTS[1:]), F(f"count_{FINAL_COUNTS[0]}"))
    open_ = F("recipients") - closed
    created = Q(sent_at__isnull=False)
    unresolved = Q(state__in=[Dispatch.State.UNKNOWN, Dispatch.State.UNREAD])
    confirmed = Q(state=Dispatch.State.CONFIRMED)
    day = TruncDate("sent_at", tzinfo=clock.zone())
    staff_day = Func(F("staff"), day, function="ROW", output_field=TextField())
    results = [state for state in FINAL_COUNTS if state != "excluded"]
    return {
        **{f"deliveries_{state}": Sum(f"count_{state}") for state in results},
        "deliveries_planned": Sum(F("recipients") - F("count_excluded")),
        "deliveries_unknown": Sum(open_, filter=unresolved, default=0),
        "deliveries_open": Sum(open_, filter=~unresolved, default=0),
        "group_reach": Sum("reach"),
        "tasks": Count("pk"),
        "tasks_created": Count("pk", filter=created),
        "tasks_confirmed": Count("pk", filter=confirmed),
        "tasks_on_time": Count("pk", filter=confirmed & Q(confirmed_at__lte=F("broadcast__confirm_by"))),
        "staff_days": Count(staff_day, filter=created, distinct=True),
    }


def _found_unfit(tasks: Any) -> dict[int, list[tuple[str, int]]]:
    """Recipients excluded between plan and call, by broadcast. The plan's own exclusions belong to no task."""
    rows = Delivery.objects.filter(
        dispatch__in=tasks.filter(count_excluded__gt=0).values("pk"), state=Delivery.State.EXCLUDED
    )
    found: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for broadcast_id, reason, count in rows.order_by().values_list("broadcast", "reason").annotate(Count("pk")):
        found[broadcast_id].append((reason, count))
    return found


def _together(planned: dict[str, int], later: Iterable[tuple[str, int]]) -> dict[str, int]:
    counts = dict(planned)
    for reason, count in later:
        counts[reason] = counts.get(reason, 0) + count
    return counts
