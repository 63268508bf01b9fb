"""Free TCP ports on the loopback."""

import random
import socket

# Below the range from which systems take ports for outgoing connections (Linux: 32768 and up), so that
# a port stays free between two starts of a service.
RANGE = range(15_000, 32_000)
_chance = random.SystemRandom()  # two processes that were seeded alike (tests) must not choose alike


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError:
            return False
    return True


def free_port(*wished: int) -> int:
    """The first wished port that is free, else any free one."""
    for port in wished:
        if port and is_free(port):
            return port
    while True:
        port = _chance.choice(RANGE)
        if is_free(port):
            return port


def answers(port: int, host: str = "127.0.0.1") -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
