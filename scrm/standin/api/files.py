"""Temporary media by id (wecom-api.md §14)."""

from __future__ import annotations

from typing import Any

from scrm.standin.errors import Refusal

from .call import Call


def get(call: Call) -> dict[str, Any]:
    """40007 for an id that does not exist. Files have no content here: those that exist answer without one."""
    media_id = call.query.get("media_id", "")
    if media_id not in call.world.media:
        raise Refusal(40007)
    return {"media_id": media_id}
