"""HTTP/1.1 on asyncio streams, as much as the platform and its callbacks need: a server and a pooled client."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode, urlsplit

MAX_BODY = 24 * 1024 * 1024  # above the greatest upload
MAX_HEAD = 64 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came; `path` without the query."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    ip: str
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; the handler returns None instead to end the connection without one, RESET to reset it."""

    body: bytes
    status: int = 200
    content_type: str = "application/json; charset=UTF-8"
    location: str = ""  # of a redirect
    ahead: float = 0.0  # seconds by which the Date is wrong


RESET = Response(b"", 0)  # instead of an answer: the connection is reset

# A connection that ends in mid-request, talks nonsense, or is ended with the server.
_ENDS = (
    asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError, ConnectionError, ValueError
)  # fmt: skip
Handler = Callable[[Request], Awaitable[Response | None]]


async def serve_connection(handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer requests of one connection until it ends, or the server does."""
    peer = writer.get_extra_info("peername")
    ip = str(peer[0]) if peer else "-"
    with contextlib.suppress(*_ENDS):
        while (parsed := await _read_request(reader, ip)) is not None:
            request, keep = parsed
            response = await handler(request)
            if response is RESET:
                _reset(writer)
            if response is None or response is RESET:
                break
            writer.write(_head(response, keep) + response.body)
            await writer.drain()
            if not keep:
                break
    writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End the connection with RST: nothing is left to linger, and it is not shut down in order."""
    peer = writer.get_extra_info("socket")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _read_request(reader: asyncio.StreamReader, ip: str) -> tuple[Request, bool] | None:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, version = lines[0].split(" ", 2)
    headers = _headers(lines[1:])
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = await _read_chunks(reader)
    else:
        body = await reader.readexactly(min(int(headers.get("content-length") or 0), MAX_BODY))
    keep = headers.get("connection", "").lower() != "close" and version == "HTTP/1.1"
    path, _, query = target.partition("?")
    fields = dict(parse_qsl(query, keep_blank_values=True))
    return Request(method, path, fields, body, ip, headers.get("content-type", "")), keep


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
        if len(body) > MAX_BODY:
            raise ValueError("body too large")
    await reader.readuntil(b"\r\n")
    return body


def _headers(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _date(ahead: float) -> str:
    return formatdate(time.time() + ahead, usegmt=True)


def _head(response: Response, keep: bool) -> bytes:
    phrase = HTTPStatus(response.status).phrase if response.status in HTTPStatus._value2member_map_ else "-"
    location = f"Location: {response.location}\r\n" if response.location else ""
    return (
        f"HTTP/1.1 {response.status} {phrase}\r\nDate: {_date(response.ahead)}\r\n{location}"
        f"Content-Type: {response.content_type}\r\n"
        f"Content-Length: {len(response.body)}\r\nConnection: {'keep-alive' if keep else 'close'}\r\n\r\n"
    ).encode()


class Client:
    """Requests to one address over connections that are kept and used again."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or "127.0.0.1"
        self._tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        self._name = parts.netloc
        self._path = parts.path or "/"
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def send(self, method: str, query: dict[str, str], body: bytes = b"") -> tuple[int, bytes]:
        """(status, body). OSError, ValueError or EOFError when there is no proper answer."""
        head = (
            f"{method} {self._path}?{urlencode(query)} HTTP/1.1\r\nHost: {self._name}\r\nUser-Agent: Mozilla/4.0\r\n"
            f"Accept: */*\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        while self._idle:
            connection = self._idle.pop()
            try:
                return await self._exchange(connection, head + body)
            except (OSError, EOFError, ValueError):
                continue  # the other side closed it while it lay idle; nothing was answered
        context = ssl.create_default_context() if self._tls else None
        fresh = await asyncio.open_connection(self._host, self._port, ssl=context)
        return await self._exchange(fresh, head + body)

    async def _exchange(
        self, connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], data: bytes
    ) -> tuple[int, bytes]:
        reader, writer = connection
        done = False
        try:
            writer.write(data)
            await writer.drain()
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = _headers(lines[1:])
            status = int(lines[0].split(" ")[1])
            if headers.get("transfer-encoding", "").lower() == "chunked":
                body = await _read_chunks(reader)
            else:
                body = await reader.readexactly(int(headers.get("content-length") or 0))
            done = headers.get("connection", "").lower() != "close"
            return status, body
        finally:
            if done:
                self._idle.append(connection)
            else:
                writer.close()

    def close(self) -> None:
        """Close what lies idle."""
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()
