"""Phrases about callbacks and stops."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Case, Exists, IntegerField, Max, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from scrm.base.models import User, Work

if TYPE_CHECKING:
    from scrm.wecom.models import Callback, Stop  # noqa: F401  named in strings below


# The worst of the lanes decides: failed > waiting > done > ignored.
_RANK = {"quarantined": 3, "waiting": 2, "leased": 2, "done": 1, "ignored": 0}
STATES = {3: "failed", 2: "waiting", 1: "done", 0: "ignored"}


class CallbackQuerySet(models.QuerySet["Callback"]):
    """The inbox as the console and the API ask for it."""

    def with_state(self) -> "CallbackQuerySet":
        """Adds `state` (failed | waiting | done | ignored), `attempts` and `error` of the worst lane."""
        works = Work.objects.filter(source_kind="callback", source_id=OuterRef("pk"))
        ranked = works.annotate(
            rank=Case(
                *[When(state=state, then=Value(rank)) for state, rank in _RANK.items()], output_field=IntegerField()
            )
        ).order_by("-rank", "pk")
        return self.annotate(
            state_rank=Coalesce(Subquery(ranked.values("rank")[:1]), Value(0)),
            attempts=Coalesce(
                Subquery(works.values("source_id").annotate(most=Max("attempts")).values("most")[:1]), Value(0)
            ),
            error=Coalesce(Subquery(ranked.values("error")[:1]), Value(""), output_field=models.TextField()),
        ).annotate(
            state=Case(
                *[When(state_rank=rank, then=Value(name)) for rank, name in STATES.items()],
                output_field=models.CharField(),
            )
        )

    def in_state(self, state: str) -> "CallbackQuerySet":
        """Those whose worst lane is in `state`. Each callback has work, so that who is neither failed, waiting nor ignored is
        done: nearly all are, and are not looked up one by one."""
        works = Work.objects.filter(source_kind="callback", source_id=OuterRef("pk"))
        siblings = Work.objects.filter(source_kind="callback", source_id=OuterRef("source_id"))
        failed = Exists(works.filter(state=Work.State.QUARANTINED))
        waiting = Exists(works.filter(state__in=[Work.State.WAITING, Work.State.LEASED]))
        ignored = Exists(works.filter(~Exists(siblings.filter(state=Work.State.DONE)), state=Work.State.IGNORED))
        conditions = {
            "failed": Q(failed),
            "waiting": ~Q(failed) & Q(waiting),
            "done": ~Q(failed) & ~Q(waiting) & ~Q(ignored),
            "ignored": ~Q(failed) & ~Q(waiting) & Q(ignored),
        }
        return self.filter(conditions[state])

    def visible_to(self, user: User) -> "CallbackQuerySet":
        """Raw callbacks name customers of every department: administrators only."""
        return self if user.is_active and user.is_superuser else self.none()


class StopQuerySet(models.QuerySet["Stop"]):
    def open(self) -> "StopQuerySet":
        """The one that holds everything now, if there is one."""
        return self.filter(released_at__isnull=True)
