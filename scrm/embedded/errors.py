"""What the embedded services say when they cannot do their work: one sentence with the cure."""


class ServiceError(Exception):
    """An embedded service cannot start or stop; the text is meant for the person at the terminal."""
