"""Lists as files: CSV that a spreadsheet opens, written while it is read, so that any number of rows fits."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from django.http import StreamingHttpResponse

BATCH = 1_000
_BOM = "\ufeff"  # without it Excel takes UTF-8 for something else
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # Chinese and Japanese Excel take wide ones, too


class _Line:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_answer(
    name: str, head: Sequence[Any], rows: Iterable[Any], cells: Callable[[list[Any]], Iterable[Sequence[Any]]]
) -> StreamingHttpResponse:
    """`rows` as the file `name`; `cells` gets up to 1,000 rows at a time and returns a line for each."""
    answer = StreamingHttpResponse(_lines(head, rows, cells), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer


def _lines(
    head: Sequence[Any], rows: Iterable[Any], cells: Callable[[list[Any]], Iterable[Sequence[Any]]]
) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield _BOM + writer.writerow([str(title) for title in head])
    rest = iter(rows)
    while some := list(islice(rest, BATCH)):
        yield "".join(writer.writerow([_safe(cell) for cell in line]) for line in cells(some))


def _safe(cell: Any) -> str:
    """A name that begins like a formula must not be one in somebody's spreadsheet."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text
