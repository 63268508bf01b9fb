"""A platform of a few lines over real HTTP: answers from a script, remembers what it was asked."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.processes import eventually

DROP = "drop"  # ends the connection without an answer
GARBAGE = "garbage"  # HTTP 200, no JSON


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    method: str
    api: str
    query: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


@dataclass(frozen=True)
class Raw:
    """An answer byte for byte: its pieces, a pause before each, headers. `length` is what the header claims, None: all."""

    pieces: Callable[[], Iterable[bytes]]
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    pause: float = 0.0


# A dict is answered as JSON, an int as HTTP status, DROP, GARBAGE and Raw as named; a callable says one of these.
Reply = dict[str, Any] | int | str | Raw | Callable[[Asked], Any]


@dataclass
class Scripted:
    """`script[api]` are the next replies of an API; the last one stays. Without one: errcode 0."""

    script: dict[str, list[Reply]] = field(default_factory=dict)
    token_life: float = 7200
    delay: float = 0.0
    asked: list[Asked] = field(default_factory=list)
    most_at_once: Counter[str] = field(default_factory=Counter)
    _running: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ended: threading.Event = field(default_factory=threading.Event)

    def start(self, port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self._server.socket.listen(256)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/cgi-bin/"

    def count(self, api: str) -> int:
        with self._lock:
            return sum(asked.api == api for asked in self.asked)

    def when(self, condition: Callable[["Scripted"], bool], then: Any) -> Callable[[Asked], Any]:
        """The reply `then`, held back until the condition holds: for calls that must meet."""

        def reply(_: Asked) -> Any:
            eventually(lambda: condition(self), 20)
            return then

        return reply

    def reply(self, asked: Asked) -> Any:
        with self._lock:
            self.asked.append(asked)
            self._running[asked.api] += 1
            self.most_at_once[asked.api] = max(self.most_at_once[asked.api], self._running[asked.api])
            replies = self.script.get(asked.api, [])
            chosen = replies.pop(0) if len(replies) > 1 else next(iter(replies), None)
            number = sum(earlier.api == "gettoken" for earlier in self.asked)
        self._ended.wait(self.delay)
        if callable(chosen):
            chosen = chosen(asked)
        with self._lock:
            self._running[asked.api] -= 1
        if chosen is None and asked.api == "gettoken":
            chosen = {"errcode": 0, "access_token": f"token-{number}", "expires_in": self.token_life}
        return {"errcode": 0, "errmsg": "ok"} if chosen is None else chosen


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that gave up waiting is what some tests want."""


def _handler(platform: Scripted) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            api = parts.path.removeprefix("/cgi-bin/")
            self._answer(platform.reply(Asked(self.command, api, dict(parse_qsl(parts.query)), raw)))

        do_POST = do_GET

        def _answer(self, reply: Any) -> None:
            if isinstance(reply, Raw):
                self._answer_raw(reply)
                return
            if reply == DROP:
                self.close_connection = True
                return
            content = b"<html>" if reply == GARBAGE else json.dumps(reply if isinstance(reply, dict) else {}).encode()
            self.send_response(reply if isinstance(reply, int) else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _answer_raw(self, reply: Raw) -> None:
            self.send_response(200)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.length is not None:
                self.send_header("Content-Length", str(reply.length))
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            with suppress(OSError):  # who asked has had enough
                for piece in reply.pieces():
                    time.sleep(reply.pause)
                    self.wfile.write(piece)
                    self.wfile.flush()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    return Handler


def refuse(code: int, errmsg: str = "refused") -> dict[str, Any]:
    """The platform's answer with an errcode."""
    return {"errcode": code, "errmsg": errmsg}
