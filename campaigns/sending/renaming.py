"""Broadcasts of a staff member who turns out to be another row's person (platform.md 25)."""

from campaigns.models import Delivery, Dispatch
from contacts.models import Staff
from contacts.renaming import mergings


def connect() -> None:
    mergings.append(_merge)


def _merge(double: Staff, into: Staff) -> None:
    """Dispatches move along; parts are numbered on where both rows take part in one broadcast."""
    for dispatch in Dispatch.objects.filter(staff=double).order_by("pk"):
        parts = Dispatch.objects.filter(broadcast=dispatch.broadcast_id, staff=into)
        number = max(parts.values_list("number", flat=True), default=-1) + 1
        Dispatch.objects.filter(pk=dispatch.pk).update(staff=into, number=number)
    Delivery.objects.filter(staff=double).update(staff=into)
