"""The fault table names tests that exist, each fault once."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.faults.table import TABLE, Row

TESTS = Path(__file__).resolve().parent.parent


@cache
def _functions(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / file).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.fault)
def test_what_the_table_names_exists(row: Row) -> None:
    named = [*row.tests, *([row.variant] if row.variant else [])]
    missing = [name for name in named if name.partition("::")[2] not in _functions(name.partition("::")[0])]

    assert row.tests
    assert not missing


def test_each_fault_has_one_row() -> None:
    faults = [row.fault for row in TABLE]

    assert len(set(faults)) == len(faults)
