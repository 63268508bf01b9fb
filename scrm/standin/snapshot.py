"""Keeps a world in a file, so that a restart (or tomorrow's demo) goes on with the same people.

The file names the history that the world grew from; one of another history is passed over.
"""

from __future__ import annotations

import asyncio
import pickle
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .world import World

FORMAT = 2
PAUSE = 5.0  # real seconds between two looks
SHARE = 50  # pause at least so many times as long as saving takes


class Snapshot:
    """One file for one world; `origin` says which history it began with."""

    def __init__(self, world: World, path: Path, origin: dict[str, Any]) -> None:
        self._world = world
        self._path = path
        self._head = {"format": FORMAT, **origin}
        self._saved = -1

    def restore(self) -> bool:
        """Take the world out of the file; False when there is none of this history."""
        try:
            with self._path.open("rb") as file:
                head = pickle.load(file)  # noqa: S301 - our own file, in the installation's data folder
                if head != self._head:
                    return False
                parts = pickle.load(file)  # noqa: S301
        except (OSError, EOFError, pickle.UnpicklingError, AttributeError, TypeError):
            return False
        for (owner, name), value in zip(self._parts(), parts, strict=True):
            setattr(owner, name, value)
        return True

    def save(self) -> float:
        """Write the file when something changed; the seconds it took."""
        begun = time.monotonic()
        with self._world.lock:
            if self._world.changes == self._saved:
                return 0.0
            beside = self._path.with_suffix(".new")
            beside.parent.mkdir(parents=True, exist_ok=True)
            with beside.open("wb") as file:
                pickle.dump(self._head, file)
                pickle.dump([getattr(owner, name) for owner, name in self._parts()], file)
            beside.replace(self._path)
            self._saved = self._world.changes
        return time.monotonic() - begun

    async def keep(self) -> None:
        """Save again and again until cancelled."""
        while True:
            took = self.save()
            await asyncio.sleep(max(PAUSE, SHARE * took))

    def _parts(self) -> list[tuple[object, str]]:
        world = self._world
        return [
            (world.book, "departments"),
            (world.book, "staff"),
            (world.contacts, "customers"),
            (world.tags, "groups"),
            (world.chats, "chats"),
            (world.ways, "ways"),
            (world.contacts, "last_talk"),
            (world.quota, "used"),
            (world.media, "uploads"),
            (world.broadcasts, "sent"),
            (world.broadcasts, "due"),
            (world.broadcasts, "tasks"),
        ]
