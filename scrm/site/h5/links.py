"""Signed links to the pages of staff: the fall-back where OAuth can't tell who opens them (platform.md 31)."""

import datetime as dt
import hashlib
from urllib.parse import urlencode

from django.conf import settings

from contacts.models import OpenedLink, Staff
from scrm.base import signing

PURPOSE = "h5.task"
PARAMETER = "k"
TASKS = "/h5/tasks/"


class BadLink(Exception):
    """Forged, expired, opened elsewhere before, or for somebody who is no longer at work."""


def task_link(staff: Staff, path: str = TASKS) -> str:
    """The address of `path` that signs `staff` in for TASK_LINK_HOURS."""
    key = signing.sign(staff.pk, purpose=PURPOSE)
    return f"{settings.PUBLIC_URL.rstrip('/')}{path}?{urlencode({PARAMETER: key})}"


def read_task_link(key: str, *, device: str) -> Staff:
    """The member whom a link's key was made for, if no other device has opened it before. Raises BadLink."""
    try:
        number = signing.read(key, purpose=PURPOSE, max_age=dt.timedelta(hours=settings.TASK_LINK_HOURS))
    except signing.BadSignature as error:
        raise BadLink from error
    staff = Staff.objects.at_work().filter(pk=number).first()
    if staff is None or not device or not _is_first(key, device):
        raise BadLink
    return staff


def _is_first(key: str, device: str) -> bool:
    """Binds the link to the first device that opens it."""
    digest = hashlib.sha256(key.encode()).digest()
    OpenedLink.objects.bulk_create([OpenedLink(digest=digest, device=device)], ignore_conflicts=True)
    return OpenedLink.objects.filter(digest=digest, device=device).exists()
