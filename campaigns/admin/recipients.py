"""The recipients of a broadcast, one row each: the list, and the file."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext as _

from campaigns.admin import deeds
from campaigns.admin.words import explain, progress_tag, progress_word
from campaigns.models import Broadcast, Delivery
from contacts.models import Customer, Staff
from groups.models import GroupChat
from scrm.base import audit, clock
from scrm.base.console import formats
from scrm.base.console.exports import BATCH, csv_answer
from scrm.base.console.pages import BothEnds
from scrm.base.console.who import user_of

A_PAGE = 50
MOST_CHOICES = 1_000
FILTERS = ("state", "reason", "staff", "q")


def page_of(request: HttpRequest, broadcast: Broadcast) -> dict[str, Any]:
    """What the list shows: the page named by `page`, filtered by `state`, `reason`, `staff` and `q`."""
    given = {name: request.GET.get(name, "").strip() for name in FILTERS}
    rows = _rows(request, broadcast)
    page = BothEnds(rows, A_PAGE).get_page(request.GET.get("page"))
    staff = Staff.objects.visible_to(user_of(request)).filter(pk__in=broadcast.dispatches.values("staff"))
    visible = _visible(request, page.object_list)
    address = request.GET.copy()
    address.pop("page", None)
    return {
        "broadcast": broadcast,
        "given": given,
        "filtered": any(given.values()),
        "states": [(state, progress_word(state)) for state in Delivery.State.values],
        "reasons": Delivery.Reason.choices,
        "staff": [(row.userid, str(row)) for row in staff.order_by("name", "userid")[:MOST_CHOICES]],
        "page": page,
        "rows": [_shown(row, visible) for row in page.object_list],
        "query": address.urlencode(),
        "may_export": request.user.has_perm(deeds.RIGHTS["export"]),
    }


def _rows(request: HttpRequest, broadcast: Broadcast) -> QuerySet[Any]:
    """The deliveries within the user's sight that meet the filters in the address; a filter that names nothing finds
    nothing."""
    rows = Delivery.objects.of(broadcast).visible_to(user_of(request))
    if state := request.GET.get("state", "").strip():
        rows = rows.in_progress(state)
    if reason := request.GET.get("reason", "").strip():
        rows = rows.filter(reason=reason)
    if userid := request.GET.get("staff", "").strip():
        rows = rows.filter(staff__userid=userid)
    if term := request.GET.get("q", "").strip():
        rows = rows.filter(
            Q(chat__name__icontains=term) if broadcast.to_chats else Q(customer__in=Customer.objects.named_like(term))
        )
    return rows.with_progress().select_related("customer", "chat", "staff").order_by("customer", "chat")


def _visible(request: HttpRequest, rows: Iterable[Any]) -> set[tuple[str, int]]:
    """Customers and chats of these rows whose pages the user may open."""
    user, rows = user_of(request), list(rows)
    customers = Customer.objects.visible_to(user).added().filter(pk__in=[row.customer_id for row in rows])
    chats = GroupChat.objects.visible_to(user).filter(pk__in=[row.chat_id for row in rows])
    return {("customer", pk) for pk in customers.values_list("pk", flat=True)} | {
        ("chat", pk) for pk in chats.values_list("pk", flat=True)
    }


def _shown(row: Any, visible: set[tuple[str, int]]) -> dict[str, Any]:
    kind = "customer" if row.customer_id else "chat"
    recipient = row.customer or row.chat
    return {
        "row": row,
        "name": str(recipient),
        "page": formats.address_of(recipient) if (kind, recipient.pk) in visible else "",
        "tag": progress_tag(row.progress),
        "reason": row.get_reason_display(),
        "why": explain(row.progress, row.reason),
    }


# --- the file ------------------------------------------------------------------------------------------------------------
def export(request: HttpRequest, broadcast: Broadcast) -> StreamingHttpResponse:
    """The filtered rows as CSV, written while they are read; noted before the first line."""
    rows = _rows(request, broadcast)
    audit.record(
        "broadcast.export", user=user_of(request), subject=str(broadcast), request=request, broadcast=broadcast.pk,
        count=rows.count(), filters={key: value for key, value in request.GET.items() if value},
    )  # fmt: skip
    return csv_answer(
        f"broadcast-{broadcast.pk}-{clock.today()}.csv",
        [_("recipient"), "id", _("staff member"), _("state"), _("reason"), _("sent at"), _("people reached")],
        rows.iterator(chunk_size=BATCH), lambda some: map(_cells, some),
    )  # fmt: skip


def _cells(row: Any) -> Sequence[Any]:
    recipient = row.customer or row.chat
    return (
        str(recipient), row.customer.external_userid if row.customer else row.chat.chat_id,
        str(row.staff) if row.staff else "", progress_word(row.progress), row.get_reason_display(),
        formats.moment(row.sent_at) if row.sent_at else "", row.reach,
    )  # fmt: skip
