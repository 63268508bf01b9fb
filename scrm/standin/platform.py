"""One request to the platform: token, limits, faults, the endpoint, the answer."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from random import Random
from typing import Any

from .api import ROUTES, Route
from .api.call import Call
from .errors import Refusal
from .faults import Fault, Faults
from .ledger import Ledger
from .limits import CallCounts, Limits
from .settings import API_DELAY, Settings
from .tokens import Tokens
from .wire import RESET, Request, Response
from .world import World

PREFIX = "/cgi-bin/"


@dataclass(slots=True)
class Platform:
    """Everything an answer depends on."""

    world: World
    settings: Settings
    ledger: Ledger
    tokens: Tokens
    limits: Limits
    faults: Faults
    counts: CallCounts
    rng: Random

    async def answer(self, request: Request) -> Response | None:
        """The answer, or None when a fault ends the connection."""
        api = request.path.removeprefix(PREFIX)
        route = ROUTES.get(api) if request.path.startswith(PREFIX) else None
        if route is None:
            self.counts.add(api, "status 404")
            return Response(b"404 page not found\n", 404, "text/plain")
        try:
            self.limits.enter(api)
        except Refusal as refusal:
            self.counts.add(api, str(refusal.code))
            return _response(refusal.answer(request.ip))
        try:
            strikes = self.faults.for_call(api)
            delay = self.settings.seconds(self.settings.api_delay, API_DELAY, self.rng)
            delay += sum(fault.value for fault in strikes if fault.action == "delay")
            if delay > 0:
                await asyncio.sleep(delay)
            response = self._answer(api, route, request, {fault.action: fault for fault in strikes})
            held = sum(fault.value for fault in strikes if fault.action == "delay_after")
            if held > 0:
                await asyncio.sleep(held)
            return response
        finally:
            self.limits.leave(api)

    def _answer(self, api: str, route: Route, request: Request, strikes: dict[str, Fault]) -> Response | None:
        if "drop_before" in strikes:
            self.counts.add(api, "dropped")
            return None
        if "status" in strikes:
            status = int(strikes["status"].value)
            self.counts.add(api, f"status {status}")
            return Response(b"<html>upstream error</html>", status, "text/html")
        body = self._body(api, route, request, strikes.get("errcode"))
        code = str(body["errcode"])
        if "drop_after" in strikes or "reset_after" in strikes:
            self.counts.add(api, f"{code} dropped")
            return RESET if "reset_after" in strikes else None
        self.counts.add(api, code)
        if "garbage" in strikes:
            return Response(b"<html>ok</html>", 200, "text/html")
        return _response(body, self.settings.clock_ahead)

    def _body(self, api: str, route: Route, request: Request, fault: Fault | None) -> dict[str, Any]:
        try:
            if fault is not None:
                raise Refusal(int(fault.value))
            if self.settings.busy and self.rng.random() < self.settings.busy:
                raise Refusal(-1)
            agent_id = self.tokens.check(request.query.get("access_token")) if route.token else 0
            if route.token and not self.settings.address_trusted:
                raise Refusal(60020)
            given = _json(route, request)
            call = Call(
                self.world, self.ledger, self.tokens, request.query, given, request.ip, agent_id,
                request.body, request.content_type,
            )  # fmt: skip
            with self.world.lock:
                self.world.changes += route.method == "POST"
                return {"errcode": 0, "errmsg": "ok", **route.handler(call)}
        except Refusal as refusal:
            return refusal.answer(request.ip)


def _response(body: dict[str, Any], ahead: float = 0.0) -> Response:
    return Response(json.dumps(body, ensure_ascii=False).encode(), ahead=ahead)


def _json(route: Route, request: Request) -> dict[str, Any]:
    """The body of a POST; a POST endpoint refuses GET and text that is no JSON object (40058)."""
    if route.method == "GET":
        return {}
    if request.method != "POST":
        raise Refusal(40058, "invalid Request Parameter, require POST method")
    if route.raw:
        return {}
    try:
        given = json.loads(request.body or b"{}")
    except ValueError:
        raise Refusal(40058, "invalid Request Parameter, Warning: wrong json format.") from None
    if not isinstance(given, dict):
        raise Refusal(40058, "invalid Request Parameter, Warning: wrong json format.")
    return given
