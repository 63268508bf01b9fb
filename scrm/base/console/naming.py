"""What lanes, queues and sources of work are called in the console, and where a source's page is. Higher rooms name theirs."""

from collections.abc import Callable, Collection, Iterable
from typing import Any

from django.utils.functional import Promise

Text = str | Promise
Addresses = Callable[[Collection[int]], dict[int, str]]

_titles: dict[str, Text] = {}
_sources: dict[str, tuple[Text, Addresses | None]] = {}


def name(titles: dict[str, Text]) -> None:
    """Names lanes and queues."""
    _titles.update(titles)


def title(code: str) -> str:
    """The name of a lane or queue, its code where nobody gave it one."""
    return str(_titles.get(code, code))


def add_source(kind: str, text: Text, addresses: Addresses | None = None) -> None:
    """Names the sources of this kind; `addresses` takes their ids and returns the console page of each that has one."""
    _sources[kind] = (text, addresses)


def source_title(kind: str) -> str:
    """The name of a kind of source."""
    return str(_sources.get(kind, (kind, None))[0])


def source_addresses(works: Iterable[Any]) -> dict[tuple[str, int], str]:
    """(kind, id) → console page for the sources of these pieces of work; a few queries for all."""
    ids: dict[str, set[int]] = {}
    for work in works:
        ids.setdefault(work.source_kind, set()).add(work.source_id)
    found = {}
    for kind, numbers in ids.items():
        addresses = _sources.get(kind, ("", None))[1]
        if addresses:
            found.update({(kind, number): address for number, address in addresses(numbers).items()})
    return found
