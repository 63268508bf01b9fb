"""The hidden pages under `/_standin/`: tests and the demo turn the world with them; the platform has none of this.

- POST `faults` (list of rules, see `faults`), DELETE `faults`
- GET `ledger?kind=&after=`, GET `calls`, GET `state?part=`, GET `callbacks?after=`
- POST `actions` (one `{"action": …, …}` or a list; `"callback": false` tells nobody)
- Broadcasts: GET `ledger?kind=broadcast` (accepted calls, each with its recipients), GET `state?part=broadcasts` (every
  receiver's true status), actions `confirm` (`msgid`, `userid`, each optional: confirm now) and `send_privately`;
  POST `settings` `{"confirm": "at_once"}` says how staff confirm
- POST `settings` (see `settings.Settings`), POST `deliver` `{"ids": […], "in_turn": true}`
- POST `expire_tokens` `{"revoke": false}`, POST `settle` (reads see everything at once)
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .errors import Refusal
from .state import state
from .wire import Request, Response

if TYPE_CHECKING:
    from .server import StandIn

PREFIX = "/_standin/"


def answer(standin: StandIn, request: Request) -> Response:
    """JSON; 400 with `error` for what cannot be done, 404 for an unknown page."""
    page = PAGES.get((request.method, request.path.removeprefix(PREFIX).strip("/")))
    if page is None:
        return _json({"error": "no such page"}, 404)
    try:
        given = json.loads(request.body) if request.body else None
        return _json(page(standin, request.query, given))
    except Refusal as refusal:
        return _json({"error": f"refused with {refusal.code}", "errcode": refusal.code}, 400)
    except (ValueError, TypeError, KeyError) as error:
        return _json({"error": f"{type(error).__name__}: {error}"}, 400)


def _json(body: object, status: int = 200) -> Response:
    return Response(json.dumps(body, ensure_ascii=False).encode(), status)


def _faults(standin: StandIn, query: dict[str, str], given: Any) -> Any:
    standin.faults.add(*(given if isinstance(given, list) else [given]))
    return {"ok": True}


def _no_faults(standin: StandIn, query: dict[str, str], given: Any) -> Any:
    standin.faults.clear()
    return {"ok": True}


def _ledger(standin: StandIn, query: dict[str, str], given: Any) -> Any:
    return standin.ledger.of(query.get("kind") or None, int(query.get("after") or 0))


def _calls(standin: StandIn, query: dict[str, str], given: Any) -> Any:
    return standin.calls.as_dict()


def _state(standin: StandIn, query: dict[str, str], given: Any) -> Any:
    with standin.world.lock:
        return state(standin.world, query.get("part"))


def _callbacks(standin: StandIn, query: dict[str, str], given: Any) -> Any:
    after = int(query.get("after") or 0)
    return [callback.as_dict() for callback in list(standin.callbacks.log) if callback.id > after]


def _actions(standin: StandIn, query: dict[str, str], given: Any) -> Any:
    if isinstance(given, list):
        return [standin.act(item.pop("action"), **item) for item in given]
    return standin.act(given.pop("action"), **given)


def _settings(standin: StandIn, query: dict[str, str], given: Any) -> Any:
    standin.settings.change(given)
    return {"ok": True}


def _deliver(standin: StandIn, query: dict[str, str], given: Any) -> Any:
    standin.callbacks.deliver(given["ids"], in_turn=given.get("in_turn", True))
    return {"ok": True}


def _expire_tokens(standin: StandIn, query: dict[str, str], given: Any) -> Any:
    return {"expired": standin.tokens.expire(revoke=bool((given or {}).get("revoke", False)))}


def _settle(standin: StandIn, query: dict[str, str], given: Any) -> Any:
    standin.world.lag.settle()
    return {"ok": True}


Page = Callable[["StandIn", dict[str, str], Any], Any]
PAGES: dict[tuple[str, str], Page] = {
    ("POST", "faults"): _faults,
    ("DELETE", "faults"): _no_faults,
    ("GET", "ledger"): _ledger,
    ("GET", "calls"): _calls,
    ("GET", "state"): _state,
    ("GET", "callbacks"): _callbacks,
    ("POST", "actions"): _actions,
    ("POST", "settings"): _settings,
    ("POST", "deliver"): _deliver,
    ("POST", "expire_tokens"): _expire_tokens,
    ("POST", "settle"): _settle,
}
