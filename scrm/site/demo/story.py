"""The demo's log on the terminal: lines of the logger `story` out of the processes' log files."""

import re
from collections.abc import Iterator
from pathlib import Path

# scrm.base.logs: "2026-11-23T05:46:52Z [info     ] 小林 was greeted   [story] key=value"
_LINE = re.compile(r"^(?P<time>\S+) \[\w+ *\] (?P<event>.*?) *\[story\] *(?P<rest>.*)$")


class Story:
    """Follows log files from their present end on."""

    def __init__(self) -> None:
        self._places: dict[Path, int] = {}
        self._halves: dict[Path, bytes] = {}

    def follow(self, log: Path) -> None:
        self._places[log] = log.stat().st_size if log.exists() else 0

    def new_lines(self) -> Iterator[str]:
        for log in self._places:
            for line in self._read(log):
                told = tell(line)
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


def tell(line: str) -> str | None:
    """A log line as the terminal shows it, `HH:MM:SS  what happened`; None when it is not of the story."""
    match = _LINE.match(line)
    if not match:
        return None
    moment = match["time"].partition("T")[2][:8]
    return f"{moment}  {match['event']}" + (f"  ({match['rest']})" if match["rest"] else "")
