"""Writing the audit trail: one verb."""

from typing import Any

from django.http import HttpRequest

from scrm.base.addresses import address_of
from scrm.base.models import AuditRecord, User


def record(
    deed: str, *, user: User | None, subject: str = "", request: HttpRequest | None = None, **detail: Any
) -> AuditRecord:
    """Notes that `user` did `deed` (such as `callback.replay`) to `subject`. Details must be JSON-able, without secrets."""
    return AuditRecord.objects.create(
        user=user,
        username=user.get_username() if user else "",
        deed=deed,
        subject=subject[:200],
        detail=detail,
        address=address_of(request) if request else None,
    )
