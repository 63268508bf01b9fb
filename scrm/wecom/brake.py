"""The brake before every outgoing call that a customer could notice: SENDING = off | allowlist | on, and the red button.

The setting is the installation's; the button stops all processes at once, whatever the setting says, until it is
released. It is a row: each outgoing call looks for it, so that nothing slips through a cache.
"""

from collections.abc import Collection

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from scrm.base.models import User
from scrm.wecom.models import Stop

PRESSED = "stopped"  # the position while the button is pressed

# Asked before each call, so written out rather than put together each time.
_IS_PRESSED = "SELECT EXISTS (SELECT FROM wecom_stop WHERE released_at IS NULL)"


class SendingStopped(Exception):
    """The brake holds this message. Not an error of the platform: nothing was sent."""

    def __init__(self, mode: str) -> None:
        held_by = "the red button" if mode == PRESSED else f"SENDING={mode}"
        super().__init__(f"{held_by} holds this message")
        self.mode = mode

    @property
    def held_by(self) -> str:
        """For people: what holds it."""
        return _("the red button") if self.mode == PRESSED else f"SENDING={self.mode}"


class NoRecipients(ValueError):
    """A call for nobody. To the platform an empty list means *everybody* (wecom-api.md §10.1)."""


def position() -> str:
    """What stands before messages now: stopped | off | allowlist | on."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_PRESSED)
        (pressed,) = cursor.fetchone()
    return PRESSED if pressed else settings.SENDING


def stop() -> Stop | None:
    """The press that holds everything now, with who pressed."""
    return Stop.objects.open().select_related("pressed_by").first()


def press(*, user: User, reason: str = "") -> Stop:
    """Stops everything that a customer could notice, in all processes at once. Pressed already: that press stands."""
    held, _made = Stop.objects.get_or_create(released_at=None, defaults={"pressed_by": user, "reason": reason[:200]})
    return held


def release(*, user: User) -> bool:
    """Lets the setting decide again. False when nothing was pressed."""
    return Stop.objects.open().update(released_at=Now(), released_by=user) > 0


def allows(recipients: Collection[str]) -> bool:
    """True when every one of them (external user ids or chat ids) may be written to now."""
    if settings.SENDING == "off" or (settings.SENDING == "allowlist" and not _listed(recipients)):
        return False
    return position() != PRESSED


def _listed(recipients: Collection[str]) -> bool:
    return bool(recipients) and settings.SENDING_ALLOWLIST.issuperset(recipients)


def check(recipients: Collection[str]) -> None:
    """Raises `SendingStopped` unless `allows(recipients)`."""
    if not allows(recipients):
        raise SendingStopped(position())


def check_open() -> None:
    """For what names no customer, and makes staff write to some. Raises `SendingStopped` while nothing may go out."""
    if (held := position()) in {PRESSED, "off"}:
        raise SendingStopped(held)


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
