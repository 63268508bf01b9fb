"""The buttons of a broadcast: each one verb of `campaigns.sending`, and a sentence about what came of it."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.admin import recipients
from campaigns.models import Broadcast, Dispatch
from campaigns.sending import audience, compose, pace, remind, rules
from scrm.base import audit, clock
from scrm.base.console import formats
from scrm.base.console.editions import SEEN, edition
from scrm.base.console.who import user_of
from scrm.base.numbers import whole

MANY = 1_000  # recipients above which the number is typed before approving
NEAR = 0.01  # by which the number may differ that was typed a moment ago
APPROVE = "campaigns.approve_broadcast"
RIGHTS = {
    "approve": APPROVE, "pause": APPROVE, "resume": APPROVE, "cancel": APPROVE, "remind": APPROVE,
    "copy": "campaigns.add_broadcast", "after_quiet": "campaigns.change_broadcast", "export": "base.export",
}  # fmt: skip

Deed = Callable[[Any, HttpRequest, Broadcast], HttpResponseBase | None]


class _OtherNumber(Exception):
    """The number that was typed is not about the number that is planned."""


def buttons(page: Any) -> dict[str, Any]:
    """Address part → deed of this page, each behind its right."""
    return {name: _guarded(page, RIGHTS[name], deed) for name, deed in _DEEDS.items()}


def _guarded(page: Any, right: str, deed: Deed) -> Callable[[HttpRequest, Broadcast], HttpResponseBase | None]:
    def guarded(request: HttpRequest, broadcast: Broadcast) -> HttpResponseBase | None:
        if not request.user.has_perm(right):
            raise PermissionDenied
        try:
            return deed(page, request, broadcast)
        except pace.NotNow as why:
            page.say(request, str(why), good=False)
        except ValidationError as error:
            page.say(request, " ".join(error.messages), good=False)
        return None

    return guarded


def approve(page: Any, request: HttpRequest, broadcast: Broadcast) -> None:
    """Many recipients need their number typed; what is compared is what was frozen, in the same transaction. While one
    types, customers come and go: the number of a moment ago is near enough."""
    typed = int("".join(re.findall("[0-9]", request.POST.get("typed", "")[:20])) or 0)
    try:
        with transaction.atomic():
            _refuse_unseen(request, broadcast)
            held = pace.approve(broadcast, user_of(request), request)
            if held.planned > MANY and abs(typed - held.planned) > held.planned * NEAR:
                raise _OtherNumber
    except _OtherNumber:
        words = _("Not approved: %(planned)s would get it. Type this number to approve.")
        page.say(request, words % {"planned": formats.number(held.planned)}, good=False)
        return
    page.say(
        request, _("Approved. Staff are asked to confirm from %(at)s on.") % {"at": formats.moment(held.create_at)}
    )


def _refuse_unseen(request: HttpRequest, broadcast: Broadcast) -> None:
    """Only the draft that stood on the page is approved (`seen`), not what a colleague or another tab has made of it
    since. It stays so until the transaction ends. Raises NotNow."""
    held = Broadcast.objects.select_for_update(of=("self",)).get(pk=broadcast.pk)
    if held.state == Broadcast.State.DRAFT and request.POST.get(SEEN) != edition(held):
        raise pace.NotNow(_("Not approved: this draft was changed since you opened the page. Look at it again."))


def pause(page: Any, request: HttpRequest, broadcast: Broadcast) -> None:
    pace.pause(broadcast, user_of(request), request)
    page.say(request, _("Paused: no more tasks are created. Staff may still confirm those they have."))


def resume(page: Any, request: HttpRequest, broadcast: Broadcast) -> None:
    pace.resume(broadcast, user_of(request), request)
    page.say(request, _("It goes on where it was paused."))


def cancel(page: Any, request: HttpRequest, broadcast: Broadcast) -> None:
    """A draft goes at once; what staff may have begun to confirm needs the word typed."""
    if broadcast.state != Broadcast.State.DRAFT and request.POST.get("typed", "").strip() != cancel_word():
        page.say(request, _("Not cancelled: type “%(word)s” to cancel.") % {"word": cancel_word()}, good=False)
        return
    pace.cancel(broadcast, user_of(request), request)
    page.say(request, _("Cancelled. Tasks that nobody has confirmed are being taken back; what was sent stays sent."))


def cancel_word() -> str:
    """What is typed to cancel."""
    return _("take back")


def remind_open(page: Any, request: HttpRequest, broadcast: Broadcast) -> None:
    """All that wait within the user's sight, or the one named by `dispatch`."""
    chosen = broadcast.dispatches.visible_to(user_of(request)).waiting()
    if (number := whole(request.POST.get("dispatch"))) is not None:
        chosen = chosen.filter(pk=number)
    asked = remind.remind(chosen, user_of(request), request)
    parts = [ngettext("%(n)d task is being reminded of.", "%(n)d tasks are being reminded of.", asked.reminded) % {"n": asked.reminded}]  # fmt: skip
    if asked.too_often:
        parts.append(_("%(n)d had three reminders in 24 hours already: WeCom takes no more.") % {"n": asked.too_often})
    page.say(request, " ".join(parts), good=bool(asked.reminded))


def copy(page: Any, request: HttpRequest, broadcast: Broadcast) -> HttpResponseBase:
    """A draft of one's own with the same content and audience, as far as one sees that."""
    user = user_of(request)
    made = compose.draft(
        user, name=_copy_name(broadcast.name), audience_=audience.within(broadcast.audience, user), text=broadcast.text,
        attachments=broadcast.attachments, staff_choice=broadcast.staff_choice,
    )  # fmt: skip
    made.save()
    audit.record("broadcast.copy", user=user, subject=str(made), request=request, source=broadcast.pk)
    return redirect(reverse("admin:campaigns_broadcast_edit", args=[made.pk]))


def _copy_name(name: str) -> str:
    suffix = " " + _("(copy)")
    return name.removesuffix(suffix)[: 60 - len(suffix)] + suffix


def after_quiet(page: Any, request: HttpRequest, broadcast: Broadcast) -> None:
    """Moves the creation to the end of the quiet hours, and the deadline along where it would come too early."""
    end = rules.quiet_until(max(broadcast.create_at, clock.now()))
    if end is None:
        return
    deadline = broadcast.confirm_by if broadcast.confirm_by > end + dt.timedelta(hours=1) else rules.end_of_day(end)
    moved = Broadcast.objects.filter(pk=broadcast.pk, state=Broadcast.State.DRAFT).update(
        create_at=end, confirm_by=deadline, changed_at=Now()
    )
    if moved:
        audit.record(
            "broadcast.change",
            user=user_of(request),
            subject=str(broadcast),
            request=request,
            create_at=end.isoformat(),
        )
        page.say(request, _("Tasks are now created at %(at)s.") % {"at": formats.moment(end)})


def export(page: Any, request: HttpRequest, broadcast: Broadcast) -> HttpResponseBase:
    """The recipients as they are filtered in the address; noted before the first line is written."""
    return recipients.export(request, broadcast)


_DEEDS: dict[str, Deed] = {
    "approve": approve, "pause": pause, "resume": resume, "cancel": cancel, "remind": remind_open, "copy": copy,
    "after_quiet": after_quiet, "export": export,
}  # fmt: skip


def remindable(dispatches: list[Dispatch], asked: dict[int, int]) -> int:
    """How many of these tasks wait and may get another reminder now; `asked`: reminders of the last 24 hours of each."""
    return sum(row.state == Dispatch.State.SENT and asked.get(row.pk, 0) < remind.MOST for row in dispatches)
