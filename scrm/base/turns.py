"""Turns: what two transactions of any process must not do at once."""

from django.db import connection


def take_turn(what: str) -> None:
    """Waits until no other transaction has the turn of this name; this one has it until it ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [what])
