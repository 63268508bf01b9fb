"""Senders and readers who take their time, bodies without end: good callbacks are answered, memory stays where it was."""

import re
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlencode

import pytest

from scrm.base import seats
from scrm.wecom.models import Callback
from tests import processes
from tests.corp import ADDRESS, Corp

pytestmark = pytest.mark.crash

MIB = 1024 * 1024
HALF_A_BODY = f"POST {ADDRESS} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900\r\n\r\n<xml>".encode()
HALF_A_CHUNK = f"POST {ADDRESS} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n<xml>".encode()
HALF_A_LOGIN = b"POST /admin/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 90\r\n\r\nusername="
HALF_A_HEAD = f"POST {ADDRESS} HTTP/1.1\r\nHost: 127.0".encode()


@pytest.fixture
def port(corp: Corp) -> Iterator[int]:
    """A web server that has answered once."""
    number = processes.free_port()
    with processes.process(processes.granian(number)):
        processes.wait_for(f"http://127.0.0.1:{number}/healthz")
        timed(corp, number, "wmFirst")
        yield number


def timed(corp: Corp, port: int, who: str, patience: float = 20) -> float:
    """Seconds until a good callback was acknowledged."""
    signed = corp.standin.callbacks.signed(
        f"<xml><CreateTime>1795000000</CreateTime><Event>change_external_contact</Event>"
        f"<ChangeType>edit_external_contact</ChangeType><UserID>wanglei</UserID>"
        f"<ExternalUserID>{who}</ExternalUserID></xml>".encode()
    )
    url = f"http://127.0.0.1:{port}{ADDRESS}?{urlencode(signed.query)}"
    begun = time.monotonic()
    with urllib.request.urlopen(urllib.request.Request(url, data=signed.body), timeout=patience) as answer:
        assert answer.read() == b"success"
    return time.monotonic() - begun


def resident(port: int) -> int:
    """Bytes of memory that the server's processes hold."""
    own = [entry for entry in Path("/proc").glob("[0-9]*") if _serves(entry, port)]
    assert own
    return sum(int(_status(entry, "VmRSS")) * 1024 for entry in own)


def _status(entry: Path, name: str) -> str:
    found = re.search(rf"{name}:\s+(\d+)", (entry / "status").read_text())
    return found.group(1) if found else "0"


def _serves(entry: Path, port: int) -> bool:
    try:
        lines = [(place / "cmdline").read_bytes() for place in (entry, Path("/proc") / _status(entry, "PPid"))]
    except OSError:
        return False
    return any(b"granian" in line and str(port).encode() in line for line in lines)


def connect(stack: ExitStack, port: int, said: bytes) -> socket.socket:
    link = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
    link.sendall(said)
    return link


def test_slow_senders_and_readers_delay_nobody_and_bodies_without_end_fill_nothing(corp: Corp, port: int) -> None:
    before = resident(port)
    answers = [*_beside_slow_senders(corp, port), *_beside_slow_readers(corp, port)]

    assert max(answers) < 1.0, answers
    assert resident(port) - before < 80 * MIB  # about 65 KiB for each of 500 threads

    before = resident(port)
    for path in (ADDRESS, "/admin/login/"):
        for kind in ("declared", "chunked", "compressed"):
            sent, answer = _send_100_mib(port, path, kind)
            assert answer.startswith(b"HTTP/1.1 413") or not answer, (path, kind)
            assert sent < 40 * MIB, (path, kind)
    assert resident(port) - before < 30 * MIB
    assert timed(corp, port, "wmLast") < 1.0
    assert Callback.objects.count() == 62


def _beside_slow_senders(corp: Corp, port: int) -> list[float]:
    with ExitStack() as stack:
        slow = [
            connect(stack, port, said)
            for said in (HALF_A_BODY, HALF_A_CHUNK, HALF_A_LOGIN, HALF_A_HEAD)
            for _ in range(125)
        ]
        answers = [timed(corp, port, f"wmSender{number}") for number in range(20)]
        for link in slow:
            link.sendall(b" ")  # they are at it, byte for byte
        return answers + [timed(corp, port, f"wmSenderAgain{number}") for number in range(20)]


def _beside_slow_readers(corp: Corp, port: int) -> list[float]:
    """More of them than seats, each with a file that doesn't fit into the buffers on its way."""
    large = max((processes.ROOT / "static").rglob("*.js"), key=lambda file: file.stat().st_size)
    wish = f"GET /static/{large.relative_to(processes.ROOT / 'static')} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(3 * seats.SEATS):
            link = stack.enter_context(socket.socket())
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            link.connect(("127.0.0.1", port))
            link.sendall(wish.encode())
        return [timed(corp, port, f"wmReader{number}") for number in range(20)]


def _send_100_mib(port: int, path: str, kind: str) -> tuple[int, bytes]:
    """Bytes that could be sent, and the answer; none where the connection was reset while we still sent."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    head += "Transfer-Encoding: chunked\r\n" if kind == "chunked" else f"Content-Length: {100 * MIB}\r\n"
    head += "Content-Encoding: gzip\r\n" if kind == "compressed" else ""
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n" if kind == "chunked" else b"x" * 65536
    sent, answer = 0, b""
    with socket.create_connection(("127.0.0.1", port)) as link, suppress(OSError):
        link.settimeout(5)
        link.sendall(head.encode() + b"\r\n")
        with suppress(OSError):
            while sent < 100 * MIB:
                link.sendall(piece)
                sent += 65536
        answer = link.recv(65536)
    return sent, answer


@pytest.mark.faults
def test_the_harness_catches_a_server_whose_threads_are_few(corp: Corp) -> None:
    port = processes.free_port()
    with processes.process(processes.granian(port, threads=32)), ExitStack() as stack:
        processes.wait_for(f"http://127.0.0.1:{port}/healthz")
        for _ in range(70):
            connect(stack, port, HALF_A_BODY)
        with pytest.raises(TimeoutError):
            for number in range(20):  # the first may pass the last of them
                timed(corp, port, f"wmNobody{number}", patience=3)
