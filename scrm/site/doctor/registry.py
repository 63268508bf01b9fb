"""The list of checks, and the words in which each answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from scrm.site.models import Finding

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

State = Finding.State

# In the order in which a corp is connected.
PARTS: dict[str, "StrPromise"] = {
    "access": _("Corp, app and secret"),
    "address": _("Our domain and the callback address"),
    "range": _("Visible range"),
    "permissions": _("Permissions and limits"),
    "service": _("Our own processes"),
    "safety": _("Before the first message"),
    "adoption": _("What the corp brings along"),
}


@dataclass(frozen=True, slots=True)
class Result:
    """What one trial found. `place`: the page that mends it. `blocks`: asking the platform further makes no sense."""

    state: State
    words: str
    place: str = ""
    code: int | None = None
    blocks: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """Something that can be tried. `place`: where it is set up. It reads only: nobody is told, nothing changes."""

    name: str
    part: str
    title: "StrPromise"
    place: str
    asks_platform: bool
    attempt: Callable[[], Result]


checks: dict[str, Check] = {}


def check(
    name: str, *, part: str, title: "StrPromise", place: str = "", asks_platform: bool = False
) -> Callable[[Callable[[], Result]], Callable[[], Result]]:
    """Registers the decorated function. The platform's and the database's errors may leave it (see `run.attempt`)."""

    def register(attempt: Callable[[], Result]) -> Callable[[], Result]:
        checks[name] = Check(name, part, title, place, asks_platform, attempt)
        return attempt

    return register


def fine(words: str) -> Result:
    return Result(State.OK, words)


def warning(words: str, place: str = "", code: int | None = None) -> Result:
    return Result(State.WARNING, words, place, code)


def failed(words: str, place: str = "", code: int | None = None, *, blocks: bool = False) -> Result:
    return Result(State.FAILED, words, place, code, blocks)


def unknown(words: str, place: str = "", code: int | None = None) -> Result:
    return Result(State.UNKNOWN, words, place, code)


def skipped(words: str, *, blocks: bool = False) -> Result:
    return Result(State.SKIPPED, words, blocks=blocks)
