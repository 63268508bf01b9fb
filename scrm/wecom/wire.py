"""How an exchange with the platform goes over the wire: one connection kept open, no redirects, bounded answers."""

import logging
import time
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ContentDecodingError
from urllib3 import Timeout
from urllib3.exceptions import DecodeError, HTTPError, ReadTimeoutError

CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0
ANSWER_SECONDS = 20.0  # for the whole of an answer, however it drips
# Of an answer, unpacked. The largest that we ask for is a department's members: 20,000 of them take about half of it.
MOST_BYTES = 16 * 1024 * 1024

# urllib3 writes whole addresses at DEBUG, and those carry the secret and the token.
logging.getLogger("urllib3.connectionpool").addFilter(lambda record: record.levelno >= logging.WARNING)


class TooLarge(requests.RequestException):
    """An answer of more than MOST_BYTES."""


class _Bounded(HTTPAdapter):
    """Takes an answer in piece by piece: neither its size nor its time is left to whoever answers."""

    def send(
        self, request: requests.PreparedRequest, stream: bool = False, timeout: Any = None, *args: Any, **more: Any
    ) -> requests.Response:
        """As every adapter's; `timeout` comes from `limits`: its `total` counts for the whole answer."""
        until = time.monotonic() + timeout.total
        response = super().send(request, True, timeout, *args, **more)
        try:
            response._content = _taken_in(response, until)
        except BaseException:
            response.close()
            raise
        return response


def _taken_in(response: requests.Response, until: float) -> bytes:
    """The unpacked content. Raises RequestException."""
    content = bytearray()
    try:
        while piece := response.raw.read1(65536, decode_content=True):
            content += piece
            if len(content) > MOST_BYTES:
                raise TooLarge
            if time.monotonic() > until:
                raise requests.ReadTimeout
    except ReadTimeoutError as error:
        raise requests.ReadTimeout from error
    except DecodeError as error:
        raise ContentDecodingError from error
    except HTTPError as error:
        raise requests.ConnectionError from error
    return bytes(content)


def limits(left: float | None) -> Timeout:
    """Time-outs of one exchange; `left`: seconds that the caller's own limit leaves."""
    if left is None:
        return Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS, total=ANSWER_SECONDS)
    left = max(0.05, left)
    return Timeout(connect=min(CONNECT_SECONDS, left), read=left, total=left)


def session(api_url: str) -> requests.Session:
    """One connection kept open. A platform on this machine (the stand-in) is never asked through a proxy."""
    made = requests.Session()
    made.trust_env = urlsplit(api_url).hostname not in {"localhost", "127.0.0.1", "::1"}
    for scheme in ("http://", "https://"):
        made.mount(scheme, _Bounded(pool_connections=1, pool_maxsize=1, max_retries=0))
    made.hooks["response"].append(_no_redirect)
    return made


def _no_redirect(response: requests.Response, **_: Any) -> None:
    """wechatpy takes any status below 400 for an answer; the platform never redirects."""
    if 300 <= response.status_code < 400:
        raise requests.HTTPError(response=response)
