"""Who stands behind a sign-in code (wecom-api.md §4.2)."""

from __future__ import annotations

from typing import Any

from .call import Call


def getuserinfo(call: Call) -> dict[str, Any]:
    """A member's userid, or openid (and external_userid of a customer); 40029, 42003 and 42022 for the code."""
    signed_in = call.world.sign_ins.redeem(call.query.get("code", ""), call.agent_id)
    if signed_in.userid:
        ticket = {"user_ticket": call.world.new_id("", 64)} if signed_in.private else {}
        return {"userid": signed_in.userid, **ticket}
    known = {"external_userid": signed_in.external_userid} if signed_in.external_userid else {}
    return {"openid": signed_in.openid, **known}
