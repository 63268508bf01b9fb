"""Welcome messages (wecom-api.md §8.1): one use, 20 seconds."""

from __future__ import annotations

import time
from typing import Any

from scrm.standin.errors import Refusal
from scrm.standin.records import WelcomeCode

from .call import Call
from .content import content


def send_welcome_msg(call: Call) -> dict[str, Any]:
    """Deliver a welcome: 41049–41051, 41096, and 40007, 40058, 41064, 41065, 45002 for the content."""
    code_text = call.text("welcome_code", code=41049)
    text, attachments = content(call)
    code = call.world.contacts.codes.get(code_text)
    if code is None:
        raise Refusal(41050)
    _claim(code)
    call.ledger.write(
        "welcome", call.world.now(), code=code.code, userid=code.userid,
        external_userid=code.external_userid, text=text, attachments=attachments,
        seconds=round(time.monotonic() - code.issued, 3), agent_id=call.agent_id,
    )  # fmt: skip
    if call.world.on_welcome is not None:
        call.world.on_welcome(code)
    return {}


def _claim(code: WelcomeCode) -> None:
    """Use the code up; content that is refused does not."""
    if code.used:
        raise Refusal(41051)
    if time.monotonic() >= code.expires:
        raise Refusal(41050)
    if code.busy:
        code.busy = False
        raise Refusal(41096)
    code.used = True
