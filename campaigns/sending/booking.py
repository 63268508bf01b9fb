"""Writing what became of a dispatch. Every verb commits the row and its work together, while the claim holds."""

import datetime as dt

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from campaigns import tasknotices
from campaigns.models import Delivery, Dispatch
from campaigns.sending import content, pace
from campaigns.sending.counts import refresh_counts
from scrm.base import clock
from scrm.base.failpoints import failpoint
from scrm.base.logs import story
from scrm.base.models import Work
from scrm.base.work import Claim, LeaseLost, enqueue
from scrm.wecom.schemas import MessageTask

State = Dispatch.State


def mark_sending(dispatch: Dispatch) -> bool:
    """False while a like task of the same staff member has no answer: a look-up could not tell them apart."""
    if _like_one_is_open(dispatch):
        return False
    try:
        with transaction.atomic():
            updated = Dispatch.objects.filter(pk=dispatch.pk, state=State.PLANNED).update(
                state=State.SENDING,
                attempts=F("attempts") + 1,
                attempted_at=clock.now(),
                error="",
                errcode=None,
                changed_at=Now(),
            )
    except IntegrityError:
        return False
    if not updated:
        raise LeaseLost(dispatch.entity)
    return True


def _like_one_is_open(dispatch: Dispatch) -> bool:
    """The constraint on the digest knows equal content only; the look-up compares less."""
    told = dispatch.broadcast
    others = Dispatch.objects.filter(staff=dispatch.staff_id, state__in=[State.SENDING, State.UNKNOWN])
    return any(
        content.looks_like(told.text, told.attachments, other.broadcast.text, other.broadcast.attachments)
        for other in others.exclude(pk=dispatch.pk).with_broadcast()
    )


def accept(claim: Claim, work: Work, dispatch: Dispatch, task: MessageTask, sent_at: dt.datetime) -> None:
    """Books the task that the platform has made; `task.refused` are recipients it does not reach."""
    key = "chat__chat_id__in" if dispatch.broadcast.to_chats else "customer__external_userid__in"
    with claim.writing():
        updated = Dispatch.objects.filter(pk=dispatch.pk, state__in=[State.SENDING, State.UNKNOWN]).update(
            state=State.SENT, msgid=task.msgid, sent_at=sent_at, error="", errcode=None, changed_at=Now()
        )
        if not updated:
            raise LeaseLost(dispatch.entity)
        if task.refused:
            refused = Delivery.objects.filter(dispatch=dispatch.pk, **{key: list(task.refused)})
            refused.update(state=Delivery.State.REFUSED, reason=Delivery.Reason.NOT_TAKEN, changed_at=Now())
            refresh_counts([dispatch.pk])
        enqueue(Dispatch.WORK_SOURCE, dispatch.pk, pace.RESULTS, f"dispatch:{dispatch.pk}")
        tasknotices.task_created(dispatch, sent_at)
        claim.done([work])
    words = {"staff": str(dispatch.staff), "count": dispatch.recipients, "name": dispatch.broadcast.name}
    story.info(_("📣 %(staff)s was asked to send “%(name)s” to %(count)d recipients") % words)


def lose(claim: Claim, work: Work, dispatch: Dispatch, reason: str, *, look_in: float) -> None:
    """The answer is missing: nobody knows whether there is a task. It is looked for in so many seconds."""
    with claim.writing():
        pace.lock([dispatch.pk])  # of two that are lost at once the second counts the first
        Dispatch.objects.filter(pk=dispatch.pk, state=State.SENDING).update(
            state=State.UNKNOWN, lost_at=Now(), looks=0, error=reason[:300], changed_at=Now()
        )
        _pause_after_failures(dispatch)
        claim.again(look_in, [work], reason=reason)
    failpoint("send.lost")


def put_back(claim: Claim, work: Work, dispatch: Dispatch, seconds: float, reason: str) -> None:
    """Surely nothing was created: tried again later."""
    with claim.writing():
        Dispatch.objects.filter(pk=dispatch.pk, state=State.SENDING).update(
            state=State.PLANNED, error=reason[:300], changed_at=Now()
        )
        claim.again(seconds, [work], reason=reason)


def refuse(claim: Claim, work: Work, dispatch: Dispatch, words: str, code: int | None, reason: Delivery.Reason) -> None:
    """The platform will never take it."""
    with claim.writing():
        pace.close([dispatch.pk], State.REFUSED, Delivery.State.REFUSED, reason)
        Dispatch.objects.filter(pk=dispatch.pk).update(error=words[:300], errcode=code)
        _pause_after_failures(dispatch)
        claim.done([work])
        pace.finish(dispatch.broadcast_id)


def give_up(claim: Claim, work: Work, dispatch: Dispatch, reason: Delivery.Reason) -> None:
    with claim.writing():
        pace.close([dispatch.pk], State.CANCELLED, Delivery.State.CANCELLED, reason)
        claim.done([work])
        pace.finish(dispatch.broadcast_id)


def leave_unread(claim: Claim, work: Work, dispatch: Dispatch, error: str) -> None:
    """The platform does not say what became of it, and nothing will change any more: the rest goes on without it.

    What is known of single recipients stays. A later read, started by hand, still books what it brings.
    """
    with claim.writing():
        pace.lock([dispatch.pk])
        Dispatch.objects.filter(pk=dispatch.pk).update(
            state=State.UNREAD, settled_at=clock.now(), error=error[:300], changed_at=Now()
        )
        claim.quarantine(error, [work])
        pace.finish(dispatch.broadcast_id)


def _pause_after_failures(dispatch: Dispatch) -> None:
    """Refusals and lost answers in a row are somebody's error: better ask a person than go on."""
    failed = Dispatch.objects.filter(broadcast=dispatch.broadcast_id).failing().count()
    if failed >= settings.SEND_FAILURES_BEFORE_PAUSE:
        words = _("Paused by itself: %(count)d tasks were refused or got no answer.") % {"count": failed}
        pace.pause_by_itself(dispatch.broadcast_id, words)
