"""When: the moves of a broadcast between its states. Each is one conditional UPDATE, so that of two people who press a
button at once only one moves it."""

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.translation import gettext as _

from campaigns.models import Broadcast, Delivery, Dispatch
from campaigns.sending import compose, plan
from campaigns.sending.counts import refresh_counts
from scrm.base import audit, clock
from scrm.base.models import User, Work
from scrm.base.turns import take_turn
from scrm.base.work import enqueue_many

SEND = "send"
RESULTS = "results"

State = Broadcast.State
Move = tuple[State, ...]


class NotNow(Exception):
    """The broadcast's state does not allow this move; the text says why, for a user to read."""


def approve(broadcast: Broadcast, user: User, request: HttpRequest | None = None) -> Broadcast:
    """Freezes the audience and lets the tasks be created from `create_at` on. `request`: whose address is noted.

    Raises NotNow when somebody was faster, when nobody would get it, staff outside the user's scope would take part or its
    maker may no longer log in; ValidationError when its times have passed meanwhile.
    """
    with transaction.atomic():
        held = Broadcast.objects.select_for_update(of=("self",)).select_related("created_by").get(pk=broadcast.pk)
        if held.state != State.DRAFT:
            raise NotNow(_already(held))
        compose.check_times(max(held.create_at, clock.now()), held.confirm_by)
        if not held.created_by.is_active:
            raise NotNow(_("Who made this broadcast may no longer log in: make it anew."))
        # Of two that are approved at once the second plans when the first is committed, and so counts what that one sends:
        # else both would send the same words to the same people, or more than anybody may receive.
        take_turn("campaigns.freeze")
        plan.freeze(held)
        if not held.planned:
            raise NotNow(_("Nobody would get this broadcast: every recipient is excluded."))
        _refuse_outsiders(held, user)
        held.state, held.approved_by, held.approved_at = State.PLANNED, user, clock.now()
        _save(held, "state", "approved_by", "approved_at", "plan_date", "planned", "excluded")
        _enqueue(held)
        audit.record(
            "broadcast.approve", user=user, subject=str(held), request=request, broadcast=held.pk, planned=held.planned
        )
    return held


def pause(broadcast: Broadcast, user: User, request: HttpRequest | None = None) -> Broadcast:
    """No more tasks are created. Those created already stay with the staff: only cancelling takes them back."""
    return _move(broadcast, user, request, "pause", (State.PLANNED, State.RUNNING), State.PAUSED)


def resume(broadcast: Broadcast, user: User, request: HttpRequest | None = None) -> Broadcast:
    """Goes on where it was paused. Only failures from now on pause it by themselves again."""
    held = _move(broadcast, user, request, "resume", (State.PAUSED,), State.RUNNING)
    _wake(held)
    return held


def cancel(broadcast: Broadcast, user: User, request: HttpRequest | None = None) -> Broadcast:
    """What is not created never will be; tasks that nobody has confirmed are taken back on the platform."""
    with transaction.atomic():
        held = _move(
            broadcast,
            user,
            request,
            "cancel",
            (State.DRAFT, State.PLANNED, State.RUNNING, State.PAUSED),
            State.CANCELLED,
        )
        planned = list(held.dispatches.filter(state=Dispatch.State.PLANNED).values_list("pk", flat=True))
        close(planned, Dispatch.State.CANCELLED, Delivery.State.CANCELLED, Delivery.Reason.BY_USER)
    _wake(held)
    return held


def pause_by_itself(broadcast_id: int, reason: str) -> bool:
    """Pauses after too many failures; in the caller's transaction. False when it does not run (any more)."""
    return bool(
        Broadcast.objects.filter(pk=broadcast_id, state__in=[State.PLANNED, State.RUNNING]).update(
            state=State.PAUSED, stop_reason=reason[:300], changed_at=Now()
        )
    )


def finish(broadcast_id: int) -> bool:
    """Ends a broadcast of which nothing is open any more; in the transaction that has closed something of it."""
    if Dispatch.objects.filter(broadcast=broadcast_id).unsettled().exists():
        return False
    running = Broadcast.objects.filter(pk=broadcast_id, state__in=[State.PLANNED, State.RUNNING, State.PAUSED])
    return bool(running.update(state=State.DONE, finished_at=clock.now(), changed_at=Now()))


def close(dispatches: list[int], state: Dispatch.State, result: Delivery.State, reason: Delivery.Reason | str) -> None:
    """Settles dispatches whose open recipients all end the same way; in the caller's transaction."""
    if not dispatches:
        return
    lock(dispatches)
    Delivery.objects.filter(dispatch__in=dispatches, state=Delivery.State.PLANNED).update(
        state=result, reason=reason, changed_at=Now()
    )
    Dispatch.objects.filter(pk__in=dispatches).update(state=state, settled_at=clock.now(), changed_at=Now())
    refresh_counts(dispatches)


def lock(dispatches: list[int]) -> None:
    """Locks their broadcasts: of two that close the last dispatches of one the second sees the first, and ends it."""
    broadcasts = Dispatch.objects.filter(pk__in=dispatches).values("broadcast")
    rows = Broadcast.objects.select_for_update(no_key=True).filter(pk__in=broadcasts).order_by("pk")
    list(rows.values_list("pk"))


def _move(
    broadcast: Broadcast, user: User, request: HttpRequest | None, deed: str, sources: Move, target: State
) -> Broadcast:
    with transaction.atomic():
        held = Broadcast.objects.select_for_update(of=("self",)).get(pk=broadcast.pk)
        if held.state not in sources:
            raise NotNow(_already(held))
        _refuse_outsiders(held, user)
        held.state, held.stop_reason = target, ""
        if target == State.CANCELLED:
            held.finished_at = clock.now()
        if deed == "resume":
            held.resumed_at = Now()  # type: ignore[assignment,unused-ignore]
        _save(held, "state", "stop_reason", "finished_at", "resumed_at")
        audit.record(f"broadcast.{deed}", user=user, subject=str(held), request=request, broadcast=held.pk)
    return held


def _refuse_outsiders(held: Broadcast, user: User) -> None:
    """Who moves a broadcast moves it for everybody in it."""
    if not Broadcast.objects.wholly_visible_to(user).filter(pk=held.pk).exists():
        raise NotNow(_("Staff outside your scope take part in this broadcast."))


def _already(held: Broadcast) -> str:
    words = {"state": held.get_state_display(), "who": str(held.approved_by or held.created_by)}
    if held.state == State.DRAFT:
        return _("This broadcast is still a draft.")
    return _("This broadcast is %(state)s already (approved by %(who)s).") % words


def _save(held: Broadcast, *fields: str) -> None:
    held.changed_at = Now()  # type: ignore[assignment,unused-ignore]
    held.save(update_fields=[*fields, "changed_at"])


def _enqueue(held: Broadcast) -> None:
    """Durable work for each dispatch; the lane itself looks whether its time has come."""
    dispatches = held.dispatches.order_by("staff", "number")
    enqueue_many(
        Work(source_kind=Dispatch.WORK_SOURCE, source_id=row.pk, lane=SEND, entity=row.entity) for row in dispatches
    )


def _wake(held: Broadcast) -> None:
    """Lets the lanes look at once at what they had put off."""
    ids = list(held.dispatches.unsettled().values_list("pk", flat=True))
    rows = Work.objects.filter(
        Q(lane=SEND) | Q(lane=RESULTS), source_kind=Dispatch.WORK_SOURCE, source_id__in=ids, state=Work.State.WAITING
    )
    rows.update(not_before=Now())
