"""COPY of generated rows into temporary tables, which live as long as the transaction."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice

from django.db import connection

NULL = "\\N"
Cell = str | int | bool | tuple[str, ...] | None  # a tuple becomes an array of text

_ROWS_AT_ONCE = 5_000


def stage(table: str, columns: str, rows: Iterable[tuple[Cell, ...]]) -> None:
    """Makes the temporary table `table` with `columns` (as in CREATE TABLE) and fills it."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {table} ({columns}) ON COMMIT DROP")
        cursor.copy_expert(f"COPY {table} FROM STDIN WITH (FORMAT csv, NULL '{NULL}')", _Stream(rows))
        cursor.execute(f"ANALYZE {table}")


class _Stream(io.TextIOBase):
    """Rows as CSV text, made while COPY reads it."""

    def __init__(self, rows: Iterable[tuple[Cell, ...]]) -> None:
        self._texts = _csv(rows)
        self._rest = ""

    def read(self, size: int | None = -1) -> str:
        if size is None or size < 0:
            return self._rest + "".join(self._texts)
        while len(self._rest) < size and (text := next(self._texts, "")):
            self._rest += text
        part, self._rest = self._rest[:size], self._rest[size:]
        return part


def _csv(rows: Iterable[tuple[Cell, ...]]) -> Iterator[str]:
    rest = iter(rows)
    while chunk := list(islice(rest, _ROWS_AT_ONCE)):
        text = io.StringIO()
        csv.writer(text).writerows([[_written(cell) for cell in row] for row in chunk])
        yield text.getvalue()


def _written(cell: Cell) -> str | int:
    if cell is None:
        return NULL
    if isinstance(cell, tuple):
        quoted = ('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in cell)
        return "{" + ",".join(quoted) + "}"
    return cell
