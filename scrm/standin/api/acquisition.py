"""Acquisition links (获客助手, wecom-api.md §7.2): what was bought and what is left."""

from __future__ import annotations

from typing import Any

from .call import Call


def customer_acquisition_quota(call: Call) -> dict[str, Any]:
    """The quota in one batch that ends in a year."""
    settings = call.world.settings
    batch = {"expire_date": call.world.now() // 86_400 * 86_400 + 365 * 86_400, "balance": settings.acquisition_left}
    return {"total": settings.acquisition_total, "balance": settings.acquisition_left, "quota_list": [batch]}
