"""The corp as tests drive it: acts at the stand-in, callbacks posted to our address, work done."""

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from http.client import HTTPMessage
from typing import Any
from urllib.parse import urlencode
from wsgiref.util import setup_testing_defaults

from scrm.base.models import Work
from scrm.base.work import run
from scrm.standin.callbacks import Callback
from scrm.standin.server import StandIn
from scrm.wecom.callback import door

ADDRESS = "/wecom/callback/"


@dataclass(frozen=True)
class Answer:
    """What the callback address said."""

    status_code: int
    headers: HTTPMessage
    content: bytes


def ask(
    method: str, query: dict[str, str], body: bytes = b"", site: Callable[..., Any] = door.callback, **environ: str
) -> Answer:
    """One request to the callback address as a web server hands it over."""
    given: dict[str, Any] = {
        "REQUEST_METHOD": method, "PATH_INFO": ADDRESS, "QUERY_STRING": urlencode(query),
        "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body), **environ,
    }  # fmt: skip
    setup_testing_defaults(given)
    status, headers = 0, HTTPMessage()

    def start(line: str, pairs: list[tuple[str, str]], *_: object) -> Any:
        nonlocal status
        status = int(line[:3])
        for name, value in pairs:
            headers[name] = value

    content = b"".join(site(given, start))
    return Answer(status, headers, content)


class Corp:
    """A stand-in without an address for events: `deliver` carries them over, in any order, any number of times."""

    def __init__(self, standin: StandIn) -> None:
        self.standin = standin
        self._delivered = 0

    def act(self, verb: str, **given: Any) -> dict[str, Any]:
        """Something happens at the platform; its event waits for `deliver`."""
        return self.standin.act(verb, **given)

    @property
    def waiting(self) -> list[Callback]:
        return list(self.standin.callbacks.log)[self._delivered :]

    def deliver(self, callbacks: Iterable[Callback] | None = None, *, times: int = 1) -> None:
        """Posts the given events (default: all that wait), each try freshly encrypted."""
        chosen = self.waiting if callbacks is None else list(callbacks)
        for callback in chosen:
            for _ in range(times):
                answer = self.post_request(callback)
                assert (answer.status_code, answer.content) == (200, b"success"), answer.content
        self._delivered = len(self.standin.callbacks.log)

    def post_request(self, callback: Callback) -> Answer:
        request = self.standin.request_of(callback)
        return self.post(request.body, request.query)

    def post(self, body: bytes, query: dict[str, str]) -> Answer:
        """One raw request."""
        return ask("POST", query, body)

    def post_text(self, xml: bytes) -> Answer:
        """A correctly signed request with this inner text."""
        signed = self.standin.callbacks.signed(xml)
        return self.post(signed.body, signed.query)

    def happens(self, verb: str, **given: Any) -> dict[str, Any]:
        """Act, deliver, work."""
        result = self.act(verb, **given)
        self.deliver()
        run.run_due()
        return result

    def nothing_is_left(self) -> bool:
        """Works; whether no work waits for a later read then."""
        run.run_due()
        return not Work.objects.filter(state__in=["waiting", "leased"]).exists()

    def welcomes(self) -> Sequence[dict[str, Any]]:
        """What customers have received, oldest first."""
        return list(self.standin.welcomes())
