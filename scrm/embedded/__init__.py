"""PostgreSQL and Valkey out of packages, for a machine that has neither: trial, tests, single machine.

Imports nothing of ours; runs before Django is set up.
"""

from scrm.embedded.errors import ServiceError
from scrm.embedded.postgres import Postgres
from scrm.embedded.redis import Redis
from scrm.embedded.services import Services, noted_environment, running, services

__all__ = [
    "Postgres",
    "Redis",
    "ServiceError",
    "Services",
    "noted_environment",
    "running",
    "services",
]
