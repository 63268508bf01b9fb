"""The HTTP side: tokens, the form of requests and answers, quirks of every answer."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.otherplatform.answers import ANSWERS, Answer, Call
from tests.otherplatform.broadcasts import Broadcasts
from tests.otherplatform.corp import Corp
from tests.otherplatform.errors import Refusal

TOKEN_SECONDS = 7200
TIMES = {"createtime", "create_time", "join_time", "send_time"}
NEVER_STRINGS = {"errcode"}


@dataclass
class App:
    """An app of the company: its secret and the one token that it has at a time."""

    secret: str
    agent_id: int
    token: str = ""
    expires: float = 0


@dataclass
class Request:
    """One line of the journal."""

    path: str
    given: dict[str, Any]
    errcode: int


@dataclass
class Platform:
    corp: Corp
    apps: list[App]
    journal: list[Request] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    """Addresses that were asked for and are not made here."""
    address: str = ""

    def __post_init__(self) -> None:
        self.broadcasts = Broadcasts(self.corp)
        self._lock = threading.Lock()
        self._calls = 0
        self._strings = 0
        self._lost: set[str] = set()

    def lose_answer_of(self, path: str) -> None:
        """The next call of `path` is carried out and its connection broken."""
        self._lost.add(path)

    def loses_answer_of(self, path: str) -> bool:
        lost = path in self._lost
        self._lost.discard(path)
        return lost

    def revoke_tokens(self) -> None:
        for app in self.apps:
            app.token = ""

    def calls(self, path: str) -> list[Request]:
        return [each for each in self.journal if each.path == path]

    def respond(self, method: str, path: str, query: dict[str, str], raw: bytes, ip: str) -> bytes | None:
        """The body of the answer; None for an address that there is not."""
        with self._lock:
            if path == "gettoken":
                answer = self._refusable(ip, path, dict(query), lambda: self._token(query))
            elif (method, path) not in ANSWERS:
                self.unknown.add(f"{method} {path}")
                return None
            else:
                given = dict(query) if method == "GET" else _json(raw)
                answer = self._refusable(ip, path, given, lambda: self._answer(method, path, query, given, raw))
            return self._encode(answer)

    def _refusable(self, ip: str, path: str, given: dict[str, Any], ask: Callable[[], Answer]) -> Answer:
        try:
            answer: Answer = {"errcode": 0, "errmsg": "ok"} | ask()
        except Refusal as refusal:
            number = 1_234_567_890 + len(self.journal)
            answer = refusal.answer(number, ip)
        shown = {k: v for k, v in given.items() if "token" not in k and "secret" not in k}
        self.journal.append(Request(path, shown, int(answer["errcode"])))
        return answer

    def _token(self, query: dict[str, str]) -> Answer:
        if query.get("corpid") != self.corp.corp_id:
            raise Refusal(40013)
        for app in self.apps:
            if app.secret == query.get("corpsecret"):
                if not app.token or self.corp.clock() >= app.expires:
                    app.token = f"token-{app.agent_id}-{next(self.corp.numbers)}"
                    app.expires = self.corp.clock() + TOKEN_SECONDS
                left = int(app.expires - self.corp.clock())
                return {"access_token": app.token, "expires_in": left}
        raise Refusal(40001)

    def _answer(self, method: str, path: str, query: dict[str, str], given: dict[str, Any], raw: bytes) -> Answer:
        app = self._app(query.get("access_token", ""))
        self._calls += 1
        every = self.corp.quirks.busy_every
        if every and self._calls % every == 0:
            raise Refusal(-1)
        if method == "POST" and b"\\u" in raw:
            raise Refusal(40033)
        call = Call(self.corp, self.broadcasts, app.agent_id, given)
        return ANSWERS[method, path](call)

    def _app(self, token: str) -> App:
        if not token:
            raise Refusal(41001)
        for app in self.apps:
            if app.token == token:
                if self.corp.clock() >= app.expires:
                    raise Refusal(42001)
                return app
        raise Refusal(40014)

    def _encode(self, answer: Answer) -> bytes:
        quirks = self.corp.quirks
        if quirks.backwards and len(self.journal) % 2:
            answer = {name: _reversed(value) for name, value in answer.items()}
        shaped = self._shape(answer)
        return json.dumps(shaped, ensure_ascii=quirks.escaped).encode()

    def _shape(self, value: object, name: str = "") -> object:
        quirks = self.corp.quirks
        if isinstance(value, dict):
            kept = {
                key: each
                for key, each in value.items()
                if not (quirks.sparse and each in ("", [], None, {})) or key == "errmsg"
            }
            return {key: self._shape(each, key) for key, each in kept.items()}
        if isinstance(value, list):
            return [self._shape(each, name) for each in value]
        if isinstance(value, int) and name not in NEVER_STRINGS:
            if quirks.stringly:
                return str(value)
            if quirks.mixed_times and name in TIMES:
                self._strings += 1
                return str(value) if self._strings % 2 else value
        return value


def _reversed(value: object) -> object:
    if isinstance(value, dict):
        return {key: _reversed(each) for key, each in value.items()}
    return value[::-1] if isinstance(value, list) else value


def _json(raw: bytes) -> dict[str, Any]:
    try:
        given = json.loads(raw or b"{}")
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


@contextmanager
def serving(platform: Platform) -> Iterator[str]:
    """The platform on a free port, until the block ends. Yields its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._respond("GET", b"")

        def do_POST(self) -> None:
            self._respond("POST", self.rfile.read(int(self.headers.get("Content-Length") or 0)))

        def _respond(self, method: str, raw: bytes) -> None:
            parts = urlsplit(self.path)
            path = parts.path.removeprefix("/cgi-bin/")
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            body = platform.respond(method, path, query, raw, self.client_address[0])
            if platform.loses_answer_of(path):
                self.close_connection = True
                return
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    platform.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield platform.address
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
