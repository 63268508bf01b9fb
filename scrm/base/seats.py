"""Before Django: whole requests only, and as many at once as there are seats.

The web server gives each request a thread and sets no time for bodies, so who sends half a body holds a thread for as long
as they like, and so does who reads half an answer. Threads are therefore many and cheap (`--blocking-threads`); what is
scarce, connections to the database, belongs to the seats, and a seat is taken when the body is there.
"""

import io
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, connections
from django.http import FileResponse

SEATS: Final = 32
MAX_BODY: Final = 8 * 1024 * 1024  # pictures have at most 2 MiB; what a view takes it says itself
MAX_HELD: Final = 64 * 1024 * 1024  # of all bodies together
PIECE: Final = 64 * 1024

Start = Callable[..., Any]


class Refused(Exception):
    """A request that Django never sees."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class Seats:
    """A WSGI application before Django's."""

    def __init__(self, behind: Callable[[dict[str, Any], Start], Iterable[bytes]]) -> None:
        self.behind = behind
        self.held = 0
        self.lock = threading.Lock()
        self.free: queue.LifoQueue[Any] = queue.LifoQueue()  # the seat left last has the warmest connection
        for _ in range(SEATS):
            seat = connections.create_connection(DEFAULT_DB_ALIAS)
            seat.inc_thread_sharing()
            self.free.put(seat)

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        try:
            body = self._body(environ)
        except Refused as refused:
            start_response(
                f"{refused.status.value} {refused.status.phrase}",
                [("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close")],
            )
            return [refused.status.phrase.lower().encode()]
        try:
            return self._answer(environ, start_response)
        finally:
            self._hold(-len(body))

    def _body(self, environ: dict[str, Any]) -> bytes:
        """Puts the whole body in the place of the stream. Raises Refused for one that is too long or was cut off."""
        chunked = "chunked" in environ.pop("HTTP_TRANSFER_ENCODING", "").lower()
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > MAX_BODY:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        body = b"".join(self._pieces(environ["wsgi.input"], MAX_BODY + 1 if chunked else length))
        if not chunked and len(body) != length:
            self._hold(-len(body))
            raise Refused(HTTPStatus.BAD_REQUEST)
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
        return body

    def _pieces(self, stream: Any, left: int) -> Iterator[bytes]:
        read = 0
        while left > 0 and (piece := bytes(stream.read(min(PIECE, left)))):
            read, left = read + len(piece), left - len(piece)
            full = self._hold(len(piece)) > MAX_HELD
            if full or read > MAX_BODY:
                self._hold(-read)
                raise Refused(HTTPStatus.SERVICE_UNAVAILABLE if full else HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            yield piece

    def _hold(self, size: int) -> int:
        with self.lock:
            self.held += size
            return self.held

    def _answer(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        connections[DEFAULT_DB_ALIAS] = self.free.get()
        try:
            answer = self.behind(environ, start_response)
            if getattr(answer, "streaming", False) and not isinstance(answer, FileResponse):
                return _Stream(answer, self._leave)
            if not isinstance(answer, FileResponse | list):
                answer = _whole(answer)
        except BaseException:
            self._leave()
            raise
        self._leave()  # a file needs nothing of the database: the seat is free at once, whoever reads
        return answer

    def _leave(self) -> None:
        self.free.put(connections[DEFAULT_DB_ALIAS])
        del connections[DEFAULT_DB_ALIAS]


def _whole(answer: Any) -> list[bytes]:
    """As a list it goes out in one piece, with its length."""
    try:
        return [b"".join(answer)]
    finally:
        answer.close()


class _Stream:
    """An answer that is read from the database while it is sent. The server closes it in the thread that asked."""

    def __init__(self, response: Any, leave: Callable[[], None]) -> None:
        self.response, self.leave = response, leave

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.response)

    def close(self) -> None:
        try:
            self.response.close()
        finally:
            self.leave()
