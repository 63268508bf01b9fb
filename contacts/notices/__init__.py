"""Messages of our app to staff: `notify` writes them, the lane `notice` sends them, once."""

from contacts.notices.writing import notify

__all__ = ["connect", "notify"]


def connect() -> None:
    """Registers the lane."""
    from contacts.notices import lane  # noqa: F401  importing it is enough
