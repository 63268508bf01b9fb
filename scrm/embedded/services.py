"""Both services of one checkout, and what a running demo has noted about itself."""

import contextlib
import fcntl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scrm.embedded import notes, processes
from scrm.embedded.postgres import Postgres
from scrm.embedded.redis import Redis

DEMO_NOTE: Final = "demo.env.json"

# For data that nobody will miss; tests use them.
FAST: Final[Mapping[str, str]] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


@dataclass(frozen=True)
class Services:
    """A running PostgreSQL and Valkey. `stop()` ends those that this process started."""

    postgres: Postgres
    redis: Redis

    @property
    def database_url(self) -> str:
        return self.postgres.url

    @property
    def redis_url(self) -> str:
        return self.redis.url

    def stop(self) -> None:
        try:
            self.redis.stop()
        finally:
            self.postgres.stop()

    def remove(self) -> None:
        """Ends both and removes their data; for services whose data nobody will miss (tests)."""
        self.redis.remove()
        self.postgres.remove()


def services(var: Path, *, settings: Mapping[str, str] | None = None) -> Services:
    """Starts both under the folder `var`, or reuses what a living launcher runs there.

    `settings` are extra PostgreSQL settings, e.g. `FAST`. Raises ServiceError.
    """
    var.mkdir(parents=True, exist_ok=True)
    found = _of(var, settings)
    with _one_at_a_time(var):
        try:
            found.redis.start()
            found.postgres.start()
        except BaseException:
            found.stop()
            raise
    return found


def running(var: Path) -> Services | None:
    """The services that somebody runs under `var` now; None unless both answer."""
    found = _of(var, None)
    return found if found.postgres.alive() and found.redis.alive() else None


def noted_environment(var: Path) -> dict[str, str]:
    """The settings of the demo that runs on `var`, generated secrets included; empty when none runs.

    They are for the other commands of the same checkout; the environment wins over them.
    """
    note = notes.read(var / DEMO_NOTE)
    if not processes.from_note(note.get("demo")).alive():
        return {}
    environment = note.get("environment")
    if not isinstance(environment, dict):
        return {}
    return {str(name): str(value) for name, value in environment.items()}


def _of(var: Path, settings: Mapping[str, str] | None) -> Services:
    return Services(Postgres(var / "postgres", settings=settings), Redis(var / "redis"))


@contextlib.contextmanager
def _one_at_a_time(var: Path) -> Iterator[None]:
    with (var / "services.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
