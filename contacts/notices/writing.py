"""Writing messages to staff: rows and their work in one statement."""

import datetime as dt
import hashlib
import json
from collections.abc import Collection
from typing import Any

from django.db import connection

from contacts.models import Notice
from scrm.base import clock
from scrm.base.work import doorbell
from scrm.wecom.cards import TemplateCard, TextCard

LANE = "notice"
GOOD_FOR = dt.timedelta(hours=4)  # domain time; a reminder of the morning is no help in the evening

# Work of equal content has one entity, so that one claim, and mostly one call, serves all its receivers.
_WRITE = f"""
WITH made AS (
    INSERT INTO contacts_notice (staff_id, kind, key, title, description, url, button, rows, state, error, msgid,
                                 created_at, send_before)
    SELECT id, %(kind)s, %(key)s, %(title)s, %(description)s, %(url)s, %(button)s, %(rows)s, 'waiting', '', '',
           %(now)s, %(send_before)s
    FROM contacts_staff WHERE userid = ANY (%(userids)s) AND left_at IS NULL AND status = 1
    ORDER BY id
    ON CONFLICT (key, staff_id) DO NOTHING
    RETURNING id
)
INSERT INTO base_work (source_kind, source_id, lane, entity)
SELECT '{Notice.WORK_SOURCE}', id, '{LANE}', %(entity)s FROM made
"""  # noqa: S608  our own names


def notify(
    userids: Collection[str],
    *,
    key: str,
    card: TextCard | TemplateCard,
    kind: str = "task",
    good_for: dt.timedelta = GOOD_FOR,
) -> int:
    """Sends `card` to these members soon, in the caller's transaction if there is one. Returns how many are new.

    A member gets one message of a `key` (at most 120 characters), however often this is called; those who are unknown or
    not at work get none. What could not be sent within `good_for` (domain time) is given up.
    """
    if not 0 < len(key) <= 120:
        raise ValueError("a key is 1 to 120 characters")
    now = clock.now()
    given: dict[str, Any] = {
        "kind": kind,
        "key": key,
        "title": card.title,
        "description": card.description,
        "url": card.url,
        "button": card.button if isinstance(card, TextCard) else "",
        "rows": json.dumps(card.rows if isinstance(card, TemplateCard) else [], ensure_ascii=False),
        "now": now,
        "send_before": now + good_for,
        "userids": list(userids),
        "entity": f"notice:{_digest(card)}",
    }
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, given)
        count: int = cursor.rowcount
    if count:
        doorbell.ring_after_commit(LANE)
    return count


def _digest(card: TextCard | TemplateCard) -> str:
    text = json.dumps([card.msgtype, card.to_wecom()], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
