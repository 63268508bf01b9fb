"""SQL statements that each database connection parses and plans once instead of at every call."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg2.extensions import connection as Connection


@dataclass(frozen=True)
class Prepared:
    """A statement with parameters `$1 … $n` and their types, kept by PostgreSQL under `name` (unique in the project)."""

    name: str
    types: Sequence[str]
    sql: str
    _known: "WeakSet[Connection]" = field(default_factory=WeakSet, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(set(re.findall(r"\$\d+", self.sql))) != len(self.types):
            raise ValueError(f"{self.name}: parameters and types differ in number")

    def execute(self, cursor: CursorWrapper, parameters: Sequence[Any]) -> None:
        """Runs the statement on Django's default connection."""
        session = connection.connection
        if session not in self._known:
            cursor.execute(f"PREPARE {self.name} ({', '.join(self.types)}) AS {self.sql}")
            self._known.add(session)
        cursor.execute(f"EXECUTE {self.name} ({', '.join(['%s'] * len(self.types))})", parameters)
