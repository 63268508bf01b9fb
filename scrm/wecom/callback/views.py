"""The callback address: verify, store, acknowledge. The answers are those of the README's table."""

from functools import lru_cache

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from scrm.wecom.callback import counters, storing
from scrm.wecom.callback.envelope import BadEnvelope, Envelope

log = structlog.get_logger(__name__)

MAX_BODY = 64 * 1024


@csrf_exempt
@require_http_methods(["GET", "POST"])
def callback(request: HttpRequest) -> HttpResponse:
    """GET: the platform checks the address. POST: an event."""
    envelope = _envelope()
    if envelope is None:
        return _answer(
            "not_configured", "WECOM_CALLBACK_TOKEN, WECOM_CALLBACK_AES_KEY or WECOM_CORP_ID is missing", 503
        )
    try:
        if request.method == "GET":
            return _verify(request, envelope)
        return _receive(request, envelope)
    except BadEnvelope as error:
        log.warning("callback refused", reason=str(error))
        return _answer("bad_envelope", "bad request", 400)


def _verify(request: HttpRequest, envelope: Envelope) -> HttpResponse:
    echo = envelope.open(request.GET.get("echostr", ""), **_parameters(request))
    return _answer("verified", echo, 200)


def _receive(request: HttpRequest, envelope: Envelope) -> HttpResponse:
    body = _body(request)
    if body is None:
        return _answer("too_large", "too large", 413)
    message = envelope.open_body(body, **_parameters(request))
    try:
        stored = storing.store_in_time(message)
    except (storing.Hanging, DatabaseError, InterfaceError) as error:
        log.warning("callback could not be stored", reason=f"{type(error).__name__}: {error}".strip())
        return _answer("storage_unavailable", "try again", 503)
    return _answer("repeated" if stored.repeated else "stored", "success", 200)


def _body(request: HttpRequest) -> bytes | None:
    """The body, None when it is over the limit: nothing more than that is ever read. A proxy may send it in chunks."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        body: bytes = request.META["wsgi.input"].read(MAX_BODY + 1)
    elif length.isdigit() and int(length) <= MAX_BODY:
        body = request.read(MAX_BODY + 1)
    else:
        return None
    return body if len(body) <= MAX_BODY else None


def _parameters(request: HttpRequest) -> dict[str, str]:
    return {
        "signature": request.GET.get("msg_signature", ""),
        "timestamp": request.GET.get("timestamp", ""),
        "nonce": request.GET.get("nonce", ""),
    }


def _answer(outcome: str, body: str | bytes, status: int) -> HttpResponse:
    counters.count(outcome)
    response = HttpResponse(body, status=status, content_type="text/plain; charset=utf-8")
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Length"] = str(len(response.content))  # else the server sends it in chunks
    return response


def _envelope() -> Envelope | None:
    if not (settings.WECOM_CALLBACK_TOKEN and settings.WECOM_CALLBACK_AES_KEY and settings.WECOM_CORP_ID):
        return None
    return _envelope_of(settings.WECOM_CALLBACK_TOKEN, settings.WECOM_CALLBACK_AES_KEY, settings.WECOM_CORP_ID)


@lru_cache(maxsize=4)
def _envelope_of(token: str, aes_key: str, corp_id: str) -> Envelope:
    return Envelope.of(token, aes_key, corp_id)
