"""The corp as tests drive it: acts at the stand-in, callbacks posted to our address, work done."""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.test import Client

from scrm.base.work import run
from scrm.standin.callbacks import Callback
from scrm.standin.server import StandIn

ADDRESS = "/wecom/callback/"


class Corp:
    """A stand-in without an address for events: `deliver` carries them over, in any order, any number of times."""

    def __init__(self, standin: StandIn) -> None:
        self.standin = standin
        self.client = Client()
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

    def post_request(self, callback: Callback) -> HttpResponse:
        request = self.standin.request_of(callback)
        return self.post(request.body, request.query)

    def post(self, body: bytes, query: dict[str, str]) -> HttpResponse:
        """One raw request."""
        return self.client.post(  # type: ignore[return-value]
            f"{ADDRESS}?{urlencode(query)}", data=body, content_type="text/xml"
        )

    def post_text(self, xml: bytes) -> HttpResponse:
        """A correctly signed request with this inner text."""
        signed = self.standin.callbacks.signed(xml)
        return self.post(signed.body, signed.query)

    def happens(self, verb: str, **given: Any) -> dict[str, Any]:
        """Act, deliver, work."""
        result = self.act(verb, **given)
        self.deliver()
        run.run_due()
        return result

    def welcomes(self) -> Sequence[dict[str, Any]]:
        """What customers have received, oldest first."""
        return list(self.standin.welcomes())
