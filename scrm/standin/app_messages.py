"""What the platform remembers of app messages: how many a member got in the last minute, what was sent before."""

from __future__ import annotations

import time
from collections import deque
from typing import NamedTuple

from .settings import Settings

MINUTE = 60.0


class Fate(NamedTuple):
    """What became of a message, by member."""

    received: list[str]
    dropped: list[str]  # above the minute's limit: the sender is not told
    duplicates: list[str]  # an equal message within the interval: not shown again


class AppMessages:
    """Real time throughout: these are limits of the platform's machines."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._recent: dict[tuple[int, str], deque[float]] = {}
        self._sent: dict[tuple[int, str, tuple[str, str]], float] = {}
        self._tasks: set[tuple[int, str]] = set()

    def deliver(self, agent_id: int, userids: list[str], content: tuple[str, str], seconds: int) -> Fate:
        """Give `content` to these members; with `seconds` not to those who got the same within that time."""
        now = time.monotonic()
        fate = Fate([], [], [])
        for userid in userids:
            key = (agent_id, userid, content)
            if seconds and now - self._sent.get(key, -seconds) < seconds:
                fate.duplicates.append(userid)
            elif not self._room(agent_id, userid, now):
                fate.dropped.append(userid)
            else:
                self._sent[key] = now
                fate.received.append(userid)
        return fate

    def take_task(self, agent_id: int, task_id: str) -> bool:
        """False when the app has used this task id before."""
        known = (agent_id, task_id) in self._tasks
        self._tasks.add((agent_id, task_id))
        return not known

    def _room(self, agent_id: int, userid: str, now: float) -> bool:
        """Count a message to a member unless the minute is full (wecom-api.md §1.3)."""
        recent = self._recent.setdefault((agent_id, userid), deque())
        while recent and now - recent[0] >= MINUTE:
            recent.popleft()
        if len(recent) >= self._settings.app_messages_per_minute:
            return False
        recent.append(now)
        return True
