"""The demo's log on the terminal: what people do (the stand-in says it) and what we do about it (logger `story`)."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from pathlib import Path

# scrm.base.logs: "2026-11-23T05:46:52Z [info     ] 小林 was greeted   [story] key=value"
_OURS = re.compile(r"^\S+ \[\w+ *\] (?P<event>.*?) *\[story\] *(?P<rest>.*)$")
# The stand-in: "14:21:30  曹慧璐 scans 公众号菜单 and meets 宠粉官03", company time.
_THEIRS = re.compile(r"^\d\d:\d\d:\d\d  \S")


class Story:
    """Follows log files from their present end on. `now` gives the present company time."""

    def __init__(self, now: Callable[[], dt.datetime]) -> None:
        self._now = now
        self._places: dict[Path, int] = {}
        self._halves: dict[Path, bytes] = {}

    def follow(self, log: Path) -> None:
        self._places[log] = log.stat().st_size if log.exists() else 0

    def new_lines(self) -> Iterator[str]:
        """What came in since the last call, as the terminal shows it."""
        for log in self._places:
            for line in self._read(log):
                told = tell(line, self._now())
                if told:
                    yield told

    def _read(self, log: Path) -> list[str]:
        try:
            with log.open("rb") as file:
                file.seek(self._places[log])
                added = file.read()
        except OSError:
            return []
        self._places[log] += len(added)
        *lines, half = (self._halves.get(log, b"") + added).split(b"\n")
        self._halves[log] = half
        return [line.decode("utf-8", "replace") for line in lines]


def tell(line: str, now: dt.datetime) -> str | None:
    """A log line as the terminal shows it, ours indented; None when it is not of the story."""
    if _THEIRS.match(line):
        return line
    match = _OURS.match(line)
    if not match:
        return None
    return f"{now:%H:%M:%S}    {match['event']}" + (f"  ({match['rest']})" if match["rest"] else "")
