"""Every named place where a process may die is tried by a crash test, and none is tried that is not there."""

import ast
from collections.abc import Iterator
from pathlib import Path

from contacts.sync.kinds import kinds
from scrm.base.work import lanes
from tests.faults import places

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("scrm", "contacts", "groups", "campaigns", "analytics")


def _calls() -> Iterator[ast.expr]:
    """The argument of each `failpoint(…)` in the code."""
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "failpoint":
                    yield node.args[0]


def _names(argument: ast.expr) -> set[str]:
    """The names that a call may have: those of lanes and kinds of sync steps are put together."""
    if isinstance(argument, ast.Constant):
        return {str(argument.value)}
    match ast.unparse(argument):
        case "f'{lane.name}.claimed'":
            return {f"{name}.claimed" for name in lanes}
        case text:
            return {ast.literal_eval(text[1:]).replace("{self.step.kind}", kind) for kind in kinds}


def test_every_place_to_die_at_is_tried() -> None:
    named = {name for argument in _calls() for name in _names(argument)}

    assert named == places.ALL
