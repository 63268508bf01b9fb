"""The callback address, a WSGI application before Django's: verify, store, acknowledge.

Django's request, signals and response would cost half as much again as all that is done here (`make bench`). The answers
are those of the README's table.
"""

from collections.abc import Iterable
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from scrm.base.numbers import whole
from scrm.wecom.callback import counters, storing
from scrm.wecom.callback.echo import PATH
from scrm.wecom.callback.envelope import BadEnvelope, Envelope

log = structlog.get_logger(__name__)

MAX_BODY = 64 * 1024
_MAX_PARAMETERS = 20
_STATUS = {
    "stored": HTTPStatus.OK,
    "repeated": HTTPStatus.OK,
    "verified": HTTPStatus.OK,
    "bad_envelope": HTTPStatus.BAD_REQUEST,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "storage_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "not_configured": HTTPStatus.SERVICE_UNAVAILABLE,
}


def before(django: WSGIApplication) -> WSGIApplication:
    """The whole site: callbacks come here, everything else goes on to Django."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        chosen = callback if environ["PATH_INFO"] == PATH else django
        return chosen(environ, start_response)

    return application


def callback(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """GET: the platform checks the address. POST: an event."""
    if environ["REQUEST_METHOD"] not in {"GET", "POST"}:
        return _say(start_response, HTTPStatus.METHOD_NOT_ALLOWED, b"", ("Allow", "GET, POST"))
    outcome, words = _outcome(environ)
    counters.count(outcome)
    return _say(start_response, _STATUS[outcome], words)


def _outcome(environ: WSGIEnvironment) -> tuple[str, bytes]:
    """What became of the request (one of counters.OUTCOMES) and what its sender is told."""
    envelope = _envelope()
    if envelope is None:
        return "not_configured", b"WECOM_CALLBACK_TOKEN, WECOM_CALLBACK_AES_KEY or WECOM_CORP_ID is missing"
    try:
        if environ["REQUEST_METHOD"] == "GET":
            return _verify(environ, envelope)
        return _receive(environ, envelope)
    except BadEnvelope as error:
        log.warning("callback refused", reason=str(error))
        return "bad_envelope", b"bad request"


def _verify(environ: WSGIEnvironment, envelope: Envelope) -> tuple[str, bytes]:
    query = _query(environ)
    return "verified", envelope.open(query.get("echostr", ""), **_signature(query))


def _receive(environ: WSGIEnvironment, envelope: Envelope) -> tuple[str, bytes]:
    body = _body(environ)
    if body is None:
        return "too_large", b"too large"
    message = envelope.open_body(body, **_signature(_query(environ)))
    try:
        stored = storing.store_in_time(message)
    except (storing.Hanging, DatabaseError, InterfaceError) as error:
        log.warning("callback could not be stored", reason=f"{type(error).__name__}: {error}".strip())
        return "storage_unavailable", b"try again"
    return "repeated" if stored.repeated else "stored", b"success"


def _body(environ: WSGIEnvironment) -> bytes | None:
    """The body, None when it is over the limit: nothing more than that is ever read. It is whole, and so is its length,
    also of one that came in chunks (scrm.base.seats)."""
    length = whole(environ.get("CONTENT_LENGTH") or "0", most=MAX_BODY)
    if length is None:
        return None
    body: bytes = environ["wsgi.input"].read(length)
    return body


def _query(environ: WSGIEnvironment) -> dict[str, str]:
    try:
        return dict(parse_qsl(environ.get("QUERY_STRING", ""), max_num_fields=_MAX_PARAMETERS))
    except ValueError as error:
        raise BadEnvelope("too many parameters") from error


def _signature(query: dict[str, str]) -> dict[str, str]:
    return {
        "signature": query.get("msg_signature", ""),
        "timestamp": query.get("timestamp", ""),
        "nonce": query.get("nonce", ""),
    }


def _say(start_response: StartResponse, status: HTTPStatus, words: bytes, *headers: tuple[str, str]) -> Iterable[bytes]:
    start_response(
        f"{status.value} {status.phrase}",
        [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("X-Content-Type-Options", "nosniff"),
            ("Content-Length", str(len(words))),  # else the server sends it in chunks
            *headers,
        ],
    )
    return [words]


def _envelope() -> Envelope | None:
    keys = settings.WECOM_CALLBACK_TOKEN, settings.WECOM_CALLBACK_AES_KEY, settings.WECOM_CORP_ID
    return _envelope_of(*keys) if all(keys) else None


@lru_cache(maxsize=4)
def _envelope_of(token: str, aes_key: str, corp_id: str) -> Envelope:
    return Envelope.of(token, aes_key, corp_id)
