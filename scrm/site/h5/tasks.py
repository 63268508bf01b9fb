"""The task page: what to confirm in WeCom, what to post by hand."""

import hashlib
from typing import Any, Final, cast

from csp.constants import NONE, SELF
from csp.decorators import csp_replace
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from campaigns import handposts
from campaigns.models import HandPostTick
from scrm.base import clock
from scrm.site.h5 import todo
from scrm.site.h5.guard import View, staff_required
from scrm.site.h5.session import StaffRequest
from scrm.wecom import brake

_POLICY: Final = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:", "https:"],
    "connect-src": [SELF],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}


def _strict(view: View) -> View:
    """The page alone: those that say who stays out have styles of their own."""
    return cast("View", csp_replace(_POLICY)(view))


@require_safe
@staff_required
@_strict
def tasks(request: HttpRequest) -> HttpResponse:
    """The member's page; it looks for news itself, and works without a script too."""
    staff, now = cast("StaffRequest", request).staff, clock.now()
    found = todo.of(staff, now)
    stopped = brake.stop() is not None
    context: dict[str, Any] = {
        "staff": staff,
        "todo": found,
        "now": now,
        "stopped": stopped,
        # what is shown, in short: the script leaves the page alone while it stays the same
        "edition": hashlib.sha256(repr((found, stopped)).encode()).hexdigest()[:16],
    }
    return render(request, "h5/tasks.html", context)


@require_POST
@staff_required
def set_tick(request: HttpRequest, number: int) -> HttpResponse:
    """Sets one of the member's own chats to `state` (done, skipped, todo)."""
    state = request.POST.get("state", "")
    if state not in HandPostTick.State.values:
        return HttpResponseBadRequest()
    try:
        tick = handposts.tick(number, cast("StaffRequest", request).staff, HandPostTick.State(state))
    except HandPostTick.DoesNotExist:
        raise Http404 from None
    answer = redirect("h5:tasks")
    answer["Location"] += f"#post-{tick.post_id}"
    return answer
