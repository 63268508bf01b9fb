"""Token, the platform's addresses, the app itself (wecom-api.md §1)."""

from __future__ import annotations

from typing import Any

from scrm.standin.errors import Refusal

from .call import Call


def gettoken(call: Call) -> dict[str, Any]:
    """§1.1: the same token while it is valid."""
    text, life = call.tokens.issue(call.query.get("corpid", ""), call.query.get("corpsecret", ""), call.ip)
    return {"access_token": text, "expires_in": life}


def ip_list(call: Call) -> dict[str, Any]:
    """§1.2: where callbacks come from, and the API's own addresses."""
    return {"ip_list": ["127.0.0.1"]}


def agent_get(call: Call) -> dict[str, Any]:
    """The app: name, who can see it. 40056 for a number that is none, 301002 for another app's."""
    given = call.query.get("agentid", "")
    if not given.isdigit():
        raise Refusal(40056)
    if int(given) != call.agent_id:
        raise Refusal(301002)
    return {
        "agentid": call.agent_id,
        "name": "SCRM",
        "square_logo_url": "",
        "description": "",
        "allow_userinfos": {"user": [{"userid": staff.userid} for staff in call.world.book.seen_staff()]},
        "allow_partys": {"partyid": [1]},
        "allow_tags": {"tagid": []},
        "close": int(call.world.settings.app_closed),
        "redirect_domain": next(iter(call.world.settings.trusted_domains), ""),
        "report_location_flag": 0,
        "isreportenter": 0,
        "home_url": "",
    }
