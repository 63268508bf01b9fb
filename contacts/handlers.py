"""Lanes of this room over callbacks."""


def connect() -> None:
    """Registers routes and lanes."""
