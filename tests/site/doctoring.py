"""A corp in which everything is in order, and the doctor asked in English."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test.testcases import LiveServerThread
from django.utils import translation

from analytics import fill
from contacts import sync
from scrm.base.models import Heartbeat
from scrm.base.work.lanes import BEAT, QUEUES
from scrm.site import doctor
from scrm.site.doctor import Result
from scrm.site.models import DomainProof
from scrm.wecom.callback import door
from tests.corp import Corp

PROOF = "WW_verify_AbCdEf123456.txt"


def found(*names: str) -> dict[str, Result]:
    """What the named checks (default: all) find, by name."""
    with translation.override("en"):
        return {tried.check.name: tried.result for tried in doctor.examine(names or None)}


def not_fine(results: dict[str, Result]) -> dict[str, tuple[str, str]]:
    """(state, words) of all that are not in order."""
    return {name: (str(result.state), result.words) for name, result in results.items() if result.state != "ok"}


@contextmanager
def our_server() -> Iterator[str]:
    """Our web process behind a real port; gives its address."""
    site: Any = lambda django: door.before(StaticFilesHandler(django))  # noqa: E731  in the place of a handler class
    thread = LiveServerThread("127.0.0.1", site)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait(20)
    try:
        yield f"http://127.0.0.1:{thread.port}"
    finally:
        thread.terminate()


@contextmanager
def foreign_server(status: int, body: bytes, location: str = "") -> Iterator[str]:
    """Somebody else's web server, as a proxy or a provider puts one before an address; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def connect(corp: Corp, settings: Any, address: str) -> None:
    """Everything that a real corp's administrator does, done: `address` is ours."""
    settings.PUBLIC_URL = address
    settings.H5_URLS = ["https://h5.example.com"]
    corp.standin.settings.change({"trusted_domains": [address.removeprefix("http://")]})
    DomainProof.objects.create(name=PROOF, content="AbCdEf123456")
    alive()
    corp.act("create_tag", name="高意向", group="意向")
    corp.deliver([])
    sync.run_inline(sync.start(), patience=30)
    for _ in range(4):
        corp.happens("add", userid="wanglei")
    fill.fill_dirty()
    corp.standin.calls.clear()


def alive() -> None:
    """A worker of every queue, and beat, were seen just now."""
    Heartbeat.objects.bulk_create(Heartbeat(queue=queue, worker=f"{queue}@host") for queue in (*QUEUES, BEAT))
