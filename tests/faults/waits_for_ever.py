"""The receiver that the harness must catch: it waits for PostgreSQL as long as that takes."""

from scrm.wsgi import application  # isort: skip  settings must be loaded first
from scrm.wecom.callback import storing

storing.SECONDS = 3600.0

__all__ = ["application"]
