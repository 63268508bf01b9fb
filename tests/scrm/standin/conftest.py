"""A stand-in of its own for each test, a caller of its endpoints, and a receiver of its callbacks. No database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from scrm.standin.envelope import Envelope
from scrm.standin.server import StandIn

CORP_ID = "ww1234567890abcdef"
SECRET = "secret-of-the-app"
TOKEN = "CallbackToken"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
AGENT_ID = 1000002


class Api:
    """Calls endpoints with a valid token."""

    def __init__(self, standin: StandIn) -> None:
        self.standin = standin
        self.session = requests.Session()
        self._token = ""

    @property
    def token(self) -> str:
        if not self._token:
            given = {"corpid": CORP_ID, "corpsecret": SECRET}
            self._token = self.session.get(self.standin.url + "gettoken", params=given, timeout=10).json()[
                "access_token"
            ]
        return self._token

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        params = {"access_token": self.token, **query}
        answer: dict[str, Any] = self.session.get(self.standin.url + path, params=params, timeout=10).json()
        return answer

    def post(self, path: str, body: Any = None) -> dict[str, Any]:
        params = {"access_token": self.token}
        answer: dict[str, Any] = self.session.post(self.standin.url + path, params=params, json=body, timeout=10).json()
        return answer


@dataclass
class Received:
    """One request that reached the receiver."""

    method: str
    query: dict[str, str]
    body: bytes
    at: float


@dataclass
class Receiver:
    """A callback address. `statuses` are used up one by one, then 200; `pause` seconds before an answer."""

    url: str = ""
    requests: list[Received] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    pause: float = 0.0
    envelope: Envelope = field(
        default_factory=lambda: Envelope(token=TOKEN, aes_key=AES_KEY, corp_id=CORP_ID, agent_id=AGENT_ID)
    )

    @property
    def posts(self) -> list[Received]:
        return [item for item in self.requests if item.method == "POST"]

    def text(self, received: Received) -> str:
        encrypted = received.body.decode().split("<Encrypt><![CDATA[")[1].split("]]>")[0]
        return self.envelope.decrypt(encrypted).decode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _note(self, method: str) -> Received:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            received = Received(method, dict(parse_qsl(urlsplit(self.path).query)), body, time.monotonic())
            state.requests.append(received)
            return received

        def do_GET(self) -> None:
            echo = self._note("GET").query["echostr"]
            self._answer(200, state.envelope.decrypt(echo))

        def do_POST(self) -> None:
            self._note("POST")
            time.sleep(state.pause)
            self._answer(state.statuses.pop(0) if state.statuses else 200, b"success")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Silent."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 256

    server = Server(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}/wecom/callback/"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture
def make_standin() -> Iterator[Callable[..., StandIn]]:
    made: list[StandIn] = []

    def make(**given: Any) -> StandIn:
        known = {"corp_id": CORP_ID, "secret": SECRET, "callback_token": TOKEN, "aes_key": AES_KEY}
        standin = StandIn(**{**known, **given}).start()
        made.append(standin)
        return standin

    yield make
    for standin in made:
        standin.stop()


@pytest.fixture
def standin(make_standin: Callable[..., StandIn]) -> StandIn:
    """An empty corp with two members, nothing late, no callback address."""
    made = make_standin()
    made.act("create_user", userid="wanglei", name="王磊", callback=False)
    made.act("create_user", userid="zhaomin", name="赵敏", callback=False)
    return made


@pytest.fixture
def api(standin: StandIn) -> Api:
    return Api(standin)
