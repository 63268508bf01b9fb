"""The database's clock: the one that fences reads and leases."""

import datetime as dt

from django.db import connection


def db_now() -> dt.datetime:
    """The present moment by the database, aware."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: dt.datetime = cursor.fetchone()[0]
    return moment
