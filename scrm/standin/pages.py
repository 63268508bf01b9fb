"""The platform's own web pages: OAuth inside WeCom (wecom-api.md §4.2) and login from a PC browser (§4.3).

Where the real ones know who holds the phone, these show the corp's members to choose from. `&as=` (or the setting
`sign_in_as`) names a userid, an external_userid or anybody else and goes straight on; `as=refused` turns the login down.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from .errors import Refusal
from .wire import Request, Response

if TYPE_CHECKING:
    from .server import StandIn

OAUTH, LOGIN = "/connect/oauth2/authorize", "/wwlogin/sso/login"
PATHS = (OAUTH, LOGIN)
REFUSED = "refused"
SCOPES = ("snsapi_base", "snsapi_privateinfo")
STATE = re.compile(r"[a-zA-Z0-9]{0,128}")
SHOWN = 50


def answer(standin: StandIn, request: Request) -> Response:
    """A redirect with `code` and `state`, the page to choose from, or a page that says what is wrong."""
    try:
        agent_id = _check(standin, request)
    except Refusal as refusal:
        text = html.escape(str(refusal.answer(request.ip)["errmsg"]))
        return _page(f"<h1>{refusal.code}</h1><p>{text}</p>", 400)
    person = request.query.get("as") or standin.settings.sign_in_as
    if not person:
        return _page(_choices(standin, request))
    private = request.query.get("scope") == "snsapi_privateinfo"
    back = {"state": request.query.get("state", "")}
    if person != REFUSED:
        with standin.world.lock:
            back = {"code": standin.world.sign_ins.issue(person, agent_id=agent_id, private=private), **back}
    target = request.query["redirect_uri"]
    joint = "&" if urlsplit(target).query else "?"
    return Response(b"", 302, "text/html", location=f"{target}{joint}{urlencode(back)}")


def _check(standin: StandIn, request: Request) -> int:
    """The app that the code is for (0: any); 40013, 40056, 40058 or 50001 for a wrong address."""
    query = request.query
    if query.get("appid") != standin.tokens.corp_id:
        raise Refusal(40013)
    if request.path == LOGIN and query.get("login_type") != "CorpApp":
        raise Refusal(40058, "invalid login_type")
    if request.path == OAUTH:
        if query.get("response_type") != "code" or query.get("scope") not in SCOPES:
            raise Refusal(40058, "invalid response_type or scope")
        if not STATE.fullmatch(query.get("state", "")):
            raise Refusal(40058, "invalid state")
    agent = query.get("agentid", "")
    if not agent and (request.path == LOGIN or query.get("scope") == "snsapi_privateinfo"):
        raise Refusal(40056)
    if agent and (not agent.isdigit() or int(agent) not in standin.tokens.agents):
        raise Refusal(40056)
    address, trusted = query.get("redirect_uri", ""), standin.settings.trusted_domains
    host = urlsplit(address).netloc if re.match(r"https?://[^\s\\]+\Z", address) else ""
    if not host or (trusted and host not in trusted):
        raise Refusal(50001)
    return int(agent) if agent else 0


def _choices(standin: StandIn, request: Request) -> str:
    def link(person: str, name: str) -> str:
        address = html.escape(f"?{urlencode({**request.query, 'as': person})}")
        return f'<li><a href="{address}">{html.escape(name)}</a></li>'

    with standin.world.lock:
        members = [staff for staff in standin.world.book.staff.values() if staff.status == 1][:SHOWN]
        rows = "".join(link(staff.userid, f"{staff.name} ({staff.userid})") for staff in members)
    refuse = link(REFUSED, "取消登录") if request.path == LOGIN else ""
    return f"<h1>企业微信（模拟）</h1><p>以谁的身份登录？</p><ul>{rows}{refuse}</ul>"


def _page(body: str, status: int = 200) -> Response:
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>企业微信（模拟）</title>'
    style = "<style>body{font:16px sans-serif;max-width:24em;margin:2em auto}li{margin:.6em 0}</style>"
    text = f'<!DOCTYPE html><html lang="zh-CN"><head>{head}{style}</head><body>{body}</body></html>'
    return Response(text.encode(), status, "text/html; charset=UTF-8")
