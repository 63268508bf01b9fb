"""The fault script: what goes wrong on which call of which API.

A rule: `{"api": "externalcontact/get", "call": 3, "action": "errcode", "value": -1}`. `api` may be `*`. Calls are
counted from the moment the rule is set, the first is 1. `call` names one, `from` (default 1) with `count` (default
1; 0 = for ever) a run. Actions:

- `delay`: answer after `value` seconds
- `status`: HTTP status `value`, nothing done
- `drop_before`: the connection ends, nothing done
- `drop_after`: the call is done, then the connection ends without an answer
- `reset_after`: the call is done, then the connection is reset (RST)
- `delay_after`: the call is done at once, its answer comes after `value` seconds: time-out after acceptance
- `errcode`: that code, nothing done
- `garbage`: HTTP 200 with a body that is not JSON, after the call was done
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ACTIONS = (
    "delay", "status", "drop_before", "drop_after", "reset_after", "delay_after", "errcode", "garbage"
)  # fmt: skip


@dataclass(slots=True)
class Fault:
    """One rule and how many matching calls it has seen."""

    api: str
    action: str
    value: float = 0
    first: int = 1
    count: int = 1
    seen: int = 0

    @classmethod
    def from_dict(cls, rule: dict[str, Any]) -> Fault:
        """Check and build; ValueError says what is wrong."""
        unknown = set(rule) - {"api", "call", "from", "count", "action", "value"}
        if unknown or "api" not in rule:
            raise ValueError(f"a fault has api, action, value and call or from/count; not {sorted(unknown)}")
        if rule.get("action") not in ACTIONS:
            raise ValueError(f"action is one of {', '.join(ACTIONS)}")
        first = int(rule.get("call", rule.get("from", 1)))
        count = 1 if "call" in rule else int(rule.get("count", 1))
        return cls(str(rule["api"]).strip("/"), str(rule["action"]), float(rule.get("value", 0)), first, count)

    def strikes(self, api: str) -> bool:
        """Count the call if it is ours; whether it goes wrong."""
        if self.api not in ("*", api):
            return False
        self.seen += 1
        return self.seen >= self.first and (self.count == 0 or self.seen < self.first + self.count)


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []

    def add(self, *rules: dict[str, Any]) -> None:
        """Put rules into force beside those that are."""
        self._rules.extend([Fault.from_dict(rule) for rule in rules])

    def clear(self) -> None:
        """No more faults."""
        self._rules.clear()

    def for_call(self, api: str) -> list[Fault]:
        """The rules that strike this call; each rule counts it."""
        return [rule for rule in self._rules if rule.strikes(api)]
