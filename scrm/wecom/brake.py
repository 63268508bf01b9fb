"""The brake before every outgoing call that a customer could notice: SENDING = off | allowlist | on."""

from collections.abc import Collection

from django.conf import settings


class SendingStopped(Exception):
    """The brake holds this message. Not an error of the platform: nothing was sent."""

    def __init__(self, mode: str) -> None:
        super().__init__(f"SENDING={mode} holds this message")
        self.mode = mode


class NoRecipients(ValueError):
    """A call for nobody. To the platform an empty list means *everybody* (wecom-api.md §10.1)."""


def allows(recipients: Collection[str]) -> bool:
    """True when every one of them (external user ids or chat ids) may be written to now."""
    if settings.SENDING == "on":
        return True
    return settings.SENDING == "allowlist" and bool(recipients) and settings.SENDING_ALLOWLIST.issuperset(recipients)


def check(recipients: Collection[str]) -> None:
    """Raises `SendingStopped` unless `allows(recipients)`."""
    if not allows(recipients):
        raise SendingStopped(settings.SENDING)


def recipients(ids: Collection[str], *, at_most: int) -> list[str]:
    """The recipients of a broadcast, as the platform takes them.

    Errors: `NoRecipients` for an empty list or an empty id in it, ValueError for more than `at_most`, `SendingStopped`.
    """
    if isinstance(ids, str) or not ids or not all(ids):
        raise NoRecipients("a broadcast needs recipients by name: an empty list means everybody")
    if len(ids) > at_most:
        raise ValueError(f"{len(ids)} recipients, the platform takes {at_most} in one call")
    check(ids)
    return list(ids)
