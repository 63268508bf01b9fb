"""Broadcasts of a staff member who gets another userid, or turns out to be another row's person (platform.md 25)."""

from django.db.models.functions import Now

from campaigns.models import Broadcast, Delivery, Dispatch
from contacts.models import Staff
from contacts.renaming import mergings, renamings


def connect() -> None:
    renamings.append(_rename)
    mergings.append(_merge)


def _rename(old: str, new: str) -> None:
    """Drafts name by userid whose friends they are for; who was to get an approved one is frozen."""
    drafts = Broadcast.objects.filter(state=Broadcast.State.DRAFT, audience__filter__userids__contains=[old])
    for draft in drafts.select_for_update().order_by("pk"):
        wanted = draft.audience["filter"]
        userids = [new if userid == old else userid for userid in wanted["userids"]]
        draft.audience = {**draft.audience, "filter": {**wanted, "userids": userids}}
        draft.changed_at = Now()  # another edition: who has it open must not put the old userid back
        draft.save(update_fields=["audience", "changed_at"])


def _merge(double: Staff, into: Staff) -> None:
    """Dispatches move along; parts are numbered on where both rows take part in one broadcast."""
    for dispatch in Dispatch.objects.filter(staff=double).order_by("pk"):
        parts = Dispatch.objects.filter(broadcast=dispatch.broadcast_id, staff=into)
        number = max(parts.values_list("number", flat=True), default=-1) + 1
        Dispatch.objects.filter(pk=dispatch.pk).update(staff=into, number=number)
    Delivery.objects.filter(staff=double).update(staff=into)
