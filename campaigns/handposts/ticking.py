"""Ticking: what a member of staff says about a chat. Nobody can prove it."""

from django.db.models.functions import Now

from campaigns.models import HandPostTick
from contacts.models import Staff
from scrm.base import clock

State = HandPostTick.State


def tick(number: int, staff: Staff, state: State) -> HandPostTick:
    """Sets one chat of `staff` to posted, skipped or, to undo it, to do. Doing it twice changes nothing.

    Raises HandPostTick.DoesNotExist for another member's chat, and where the post was cancelled, is not due yet or the
    chat was dismissed.
    """
    mine = HandPostTick.objects.standing().filter(pk=number, staff=staff, post__due_at__lte=clock.now())
    mine.get()
    done_at = None if state == State.TODO else clock.now()
    HandPostTick.objects.filter(pk=number).exclude(state=state).update(state=state, done_at=done_at, changed_at=Now())
    return HandPostTick.objects.select_related("post").get(pk=number)
