"""The welcome message to a new contact (wecom-api.md §8.1)."""

from collections.abc import Mapping, Sequence
from typing import Any

from scrm.wecom import brake
from scrm.wecom.client import client


def send(
    code: str,
    text: str,
    attachments: Sequence[Mapping[str, Any]] = (),
    *,
    external_userid: str,
    timeout: float | None = None,
) -> None:
    """Sends once; trying again is the caller's decision, inside the code's 20 seconds.

    `attachments` are platform objects (≤ 9). Errors: `SendingStopped` when the brake holds `external_userid`;
    WecomError with `errors.ALREADY_WELCOMED`, `WELCOME_EXPIRED` (final), `WELCOME_ELSEWHERE` (may be retried);
    `Unreachable` with `maybe_done` when the message may have left.
    """
    brake.check([external_userid])
    body: dict[str, Any] = {"welcome_code": code}
    if text:
        body["text"] = {"content": text}
    if attachments:
        body["attachments"] = [dict(attachment) for attachment in attachments]
    client().act("externalcontact/send_welcome_msg", body, timeout=timeout, urgent=True)
