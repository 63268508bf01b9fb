"""Sending broadcasts: plan whom, pace when, deliver each task once, reconcile with what the platform tells."""


def connect() -> None:
    """Registers the lanes, and what a merged staff row takes along."""
    from campaigns.sending import deliver, reconcile, remind, renaming  # noqa: F401  lanes register on import

    renaming.connect()
