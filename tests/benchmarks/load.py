"""The load sender: a process of its own that posts ready-made requests over keep-alive connections."""

import itertools
import multiprocessing
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.conf import settings

from scrm.standin.envelope import Envelope

CLIENTS: Final = 8
ADDRESS: Final = "/wecom/callback/"


@dataclass(frozen=True)
class Load:
    """What came of a load: seconds from the first to the last answer, the latencies, how many were not acknowledged."""

    seconds: float
    latencies: list[float]
    refused: int

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds


def envelope() -> Envelope:
    """The platform's side of our callback address."""
    return Envelope(
        token=settings.WECOM_CALLBACK_TOKEN,
        aes_key=settings.WECOM_CALLBACK_AES_KEY,
        corp_id=settings.WECOM_CORP_ID,
        agent_id=int(settings.WECOM_AGENT_ID),
    )


def request_of(message: bytes, port: int, keys: Envelope) -> bytes:
    """The bytes of one signed callback on the wire."""
    signed = keys.signed(message)
    head = (
        f"POST {ADDRESS}?{urlencode(signed.query)} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Content-Type: text/xml\r\nContent-Length: {len(signed.body)}\r\n\r\n"
    )
    return head.encode() + signed.body


def send(port: int, requests: Sequence[bytes], *, rate: float | None = None) -> Load:
    """Posts all `requests` from CLIENTS connections: as fast as they are answered, or `rate` a second by the clock."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(send_here, port, requests, rate).result()


def send_here(port: int, requests: Sequence[bytes], rate: float | None = None) -> Load:
    """The same in this process. With a rate, latency counts from when a request was due, waiting in line included."""
    numbers = itertools.count()
    latencies, refused = [0.0] * len(requests), [0] * CLIENTS
    start = time.perf_counter() + 0.2

    def client(own: int) -> None:
        ask = _connection(port)
        while (number := next(numbers)) < len(requests):
            due = start + number / rate if rate else max(start, time.perf_counter())
            time.sleep(max(0.0, due - time.perf_counter()))
            refused[own] += not ask(requests[number])
            latencies[number] = time.perf_counter() - due

    with ThreadPoolExecutor(CLIENTS) as threads:
        list(threads.map(client, range(CLIENTS)))  # raises what a client met
    return Load(time.perf_counter() - start, latencies, sum(refused))


def _connection(port: int) -> Callable[[bytes], bool]:
    """A keep-alive connection; called with a request it returns whether the answer was 200 `success`."""
    link = socket.create_connection(("127.0.0.1", port))
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(request: bytes) -> bool:
        link.sendall(request)
        answer = link.recv(65536)
        while b"\r\n\r\n" not in answer or not _whole(answer):
            more = link.recv(65536)
            if not more:
                raise ConnectionError("the web server closed the connection")
            answer += more
        return answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"success")

    return ask


def _whole(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    if not lengths:
        raise ConnectionError(f"an answer without Content-Length: {head!r}")
    return len(body) >= lengths[0]
