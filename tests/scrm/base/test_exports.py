"""Files that a spreadsheet opens."""

import csv

import pytest

from scrm.base.console.exports import csv_answer


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_cell_is_a_formula(start: str) -> None:
    name = f'{start}HYPERLINK("http://x","y")'
    answer = csv_answer("x.csv", ["name"], [name], lambda some: [[cell] for cell in some])
    text = b"".join(answer.streaming_content).decode()  # type: ignore[arg-type]

    head, (cell,) = csv.reader(text.removeprefix("\ufeff").splitlines(keepends=True))

    assert (head, cell) == (["name"], f"'{name}")
