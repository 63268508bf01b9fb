"""The one way out to the platform: wechatpy's request shell with time-outs, budgets, one retry and our own errors.

`client().read(...)` asks, `client().act(...)` changes something. Everything that wechatpy's ready endpoints send goes
through `_request` too, so it obeys the same rules. Secrets and tokens never reach an error text or a log.
"""

import os
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError
from wechatpy.exceptions import WeChatClientException
from wechatpy.work import WeChatClient

from scrm.base import clock
from scrm.wecom import calllog, errors, quotas, tokens, wire
from scrm.wecom.errors import ConfigurationError, Kind, Unreachable, WecomError
from scrm.wecom.schemas import number

TRIES = 3  # of a read that the platform was too busy for; its own advice (wecom-api.md §1.3)
DEFAULT_TOKEN_LIFE = 7200

Answer = dict[str, Any]
Failure = WecomError | ConfigurationError


@dataclass(frozen=True, slots=True)
class Access:
    """Whom we ask and as whom; the process id, because a forked child must not share a connection."""

    api_url: str
    corp_id: str
    secret: str
    pid: int

    @classmethod
    def from_settings(cls) -> "Access":
        """Raises ConfigurationError when the corp id or the secret is missing."""
        for name in ("WECOM_CORP_ID", "WECOM_SECRET"):
            if not getattr(settings, name):
                words = _("%(setting)s is empty") % {"setting": name}
                raise ConfigurationError(words, api="gettoken", setting=name)
        url = settings.WECOM_API_URL.rstrip("/") + "/"
        return cls(url, settings.WECOM_CORP_ID, settings.WECOM_SECRET, os.getpid())


_thread = threading.local()


def client() -> "Client":
    """This thread's client (one HTTP session per thread). Raises ConfigurationError for missing settings."""
    access = Access.from_settings()
    held: Client | None = getattr(_thread, "client", None)
    if held is None or held.access != access:
        held = _thread.client = Client(access)
    return held


def forget() -> None:
    """As a process that has just begun, so far as this thread is concerned: nothing is known of any platform, no
    connection is kept. For tests, whose platforms follow one another, now and then at one address."""
    _thread.__dict__.clear()
    tokens.forget()
    quotas.forget()


def told(answer: Mapping[str, Any], name: str, kind: type, *, api: str) -> None:
    """Raises Unreachable where `answer` lacks its main part: nobody told of would be read as nobody there."""
    if not isinstance(answer.get(name), kind):
        raise _unreadable(api)


def listed(answer: Mapping[str, Any], name: str, *, api: str) -> bool:
    """Whether `answer` names its list at all: an empty one may be left out. Raises Unreachable where it is no list."""
    if answer.get(name) is None:
        return False
    told(answer, name, list, api=api)
    return True


def endless(api: str) -> Unreachable:
    """For a list whose pages do not end: what was read of it is not the whole."""
    return Unreachable(_("the platform's list has no end"), api=api, maybe_done=True)


class Client(WeChatClient):  # type: ignore[misc]  # wechatpy has no types
    """wechatpy's client of one app, held to our rules."""

    def __init__(self, access: Access) -> None:
        super().__init__(access.corp_id, access.secret, timeout=wire.limits(None), auto_retry=False)
        self.API_BASE_URL = access.api_url
        self.access = access
        self._tokens = tokens.source(access.api_url, access.corp_id, access.secret)
        self._http = wire.session(access.api_url)
        self._http.hooks["response"].append(self._compare_clocks)
        self.clock_ahead: float | None = None

    def _compare_clocks(self, response: requests.Response, **_: Any) -> None:
        """Notes by how many seconds this machine's clock is ahead of the platform's `Date`."""
        try:
            theirs = parsedate_to_datetime(response.headers["Date"])
            self.clock_ahead = (clock.real_now() - theirs).total_seconds()
        except (KeyError, TypeError, ValueError):
            self.clock_ahead = None

    # --- what the api modules use ------------------------------------------------------------------------------------

    def read(
        self,
        api: str,
        params: Mapping[str, Any] | None = None,
        *,
        body: Mapping[str, Any] | None = None,
        timeout: float | None = None,
        urgent: bool = False,
    ) -> Answer:
        """Asks: GET with `params`, or POST with `body`. Tries again when the platform was busy (≤ 3 tries in all) and
        once when it could not be connected to. `timeout`: seconds for all of it, tries included."""
        deadline = None if timeout is None else time.monotonic() + timeout
        tried: list[Failure] = []
        while True:
            try:
                left = None if deadline is None else deadline - time.monotonic()
                return self._send(api, params, body, timeout=left, urgent=urgent)
            except WecomError as error:
                tried.append(error)
                pause = _pause_before_retry(tried)
                if pause is None or (deadline is not None and time.monotonic() + pause >= deadline):
                    raise
            time.sleep(pause)

    def act(self, api: str, body: Mapping[str, Any], *, timeout: float | None = None, urgent: bool = False) -> Answer:
        """Changes something: POST with `body`, once. Whether it may be sent again is the caller's decision: see
        `error.maybe_done`."""
        return self._send(api, None, body, timeout=timeout, urgent=urgent)

    def upload(self, api: str, name: str, data: bytes, kind: str, *, timeout: float | None = None) -> Answer:
        """Hands over a file: POST with `data` (MIME type `kind`) as the part `media`, once. `name` in plain ASCII."""
        return self._request("post", api, timeout=timeout, urgent=False, files={"media": (name, data, kind)})

    def prove_secret(self) -> None:
        """Asks for a token anew although one may live. Errors: ConfigurationError for a corp id or secret that was
        refused, at once where that is known already; WecomError where there is no answer."""
        _forbid_open_transaction("gettoken")
        self._tokens.prove(self._gettoken)

    def _send(
        self,
        api: str,
        params: Mapping[str, Any] | None,
        body: Mapping[str, Any] | None,
        *,
        timeout: float | None,
        urgent: bool,
    ) -> Answer:
        content: dict[str, Any] = {} if body is None else {"data": dict(body)}
        method = "get" if body is None else "post"
        return self._request(method, api, params=dict(params or {}), timeout=timeout, urgent=urgent, **content)

    # --- wechatpy's seams --------------------------------------------------------------------------------------------

    def _request(self, method: str, url_or_endpoint: str, **kwargs: Any) -> Answer:
        """One request with this secret's token; one more when the platform refuses the token."""
        _forbid_open_transaction(url_or_endpoint)
        token = self._tokens.get(self._gettoken)
        try:
            return self._exchange(method, url_or_endpoint, token, **kwargs)
        except WecomError as error:
            if error.code not in errors.TOKEN_CODES or not self._tokens.drop(token):
                raise
        return self._exchange(method, url_or_endpoint, self._tokens.get(self._gettoken), **kwargs)

    @property
    def access_token(self) -> str:
        """The token that wechatpy's own endpoints ask for."""
        return self._tokens.get(self._gettoken).value

    def fetch_access_token(self) -> Answer:
        """wechatpy's name for making sure that there is a token."""
        return {"access_token": self.access_token}

    # --- one exchange with the platform ------------------------------------------------------------------------------

    def _exchange(
        self,
        method: str,
        api: str,
        token: tokens.Token,
        *,
        timeout: float | None = None,
        urgent: bool = False,
        params: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Answer:
        """Waits for room in the budget, asks once, logs. `timeout` covers the wait and the whole answer."""
        deadline = time.monotonic() + (wire.CONNECT_SECONDS + wire.READ_SECONDS if timeout is None else timeout)
        wait = quotas.LONGEST_WAIT if timeout is None else max(0.0, min(quotas.LONGEST_WAIT, timeout))
        query = {**(params or {}), "access_token": token.value}
        with calllog.timed(api) as call, quotas.slot(api, urgent=urgent, wait=wait):
            call.start()
            limits = wire.limits(None if timeout is None else deadline - time.monotonic())
            return self._ask(api, method, api, params=query, timeout=limits, allow_redirects=False, **kwargs)

    def _ask(self, api: str, method: str, endpoint: str, **kwargs: Any) -> Answer:
        """wechatpy's request with every outcome but a good answer as our error."""
        try:
            answer = super()._request(method, endpoint, **kwargs)
        except WeChatClientException as error:
            failure: Failure = _refusal(error, api)
        except requests.RequestException as error:
            failure = _lost(error, api)
        except (TypeError, ValueError, OverflowError, RecursionError):
            failure = _unreadable(api)
        else:
            if isinstance(answer, dict):
                return answer
            failure = _unreadable(api)
        raise failure  # outside of the except blocks: their errors carry the address with the token

    def _gettoken(self) -> tuple[str, float]:
        """(token, seconds of life) from the platform; tries again when it was busy."""
        _forbid_open_transaction("gettoken")
        query = {"corpid": self.access.corp_id, "corpsecret": self.access.secret, "access_token": None}
        for attempt in range(TRIES):
            try:
                with calllog.timed("gettoken") as call:
                    call.start()
                    answer = self._ask(
                        "gettoken", "get", "gettoken", params=query, timeout=wire.limits(None), allow_redirects=False
                    )
                    return _token_of(answer)
            except WecomError as error:
                if error.kind is not Kind.BUSY or attempt == TRIES - 1:
                    raise
            time.sleep(random.uniform(0.1, 0.4))
        raise AssertionError("unreachable")


def _forbid_open_transaction(api: str) -> None:
    if connection.in_atomic_block:
        raise RuntimeError(f"{api} is called inside a database transaction: its locks would wait for the network")


def _token_of(answer: Mapping[str, Any]) -> tuple[str, float]:
    value, life = answer.get("access_token"), number(answer, "expires_in", DEFAULT_TOKEN_LIFE)
    if not isinstance(value, str) or not value or life <= 0:
        raise _unreadable("gettoken")
    return value, float(life)


def _refusal(error: WeChatClientException, api: str) -> Failure:
    """The error for an errcode, or for an HTTP status that is no success."""
    if error.errcode is None:
        return _bad_status(error.response, api)
    return errors.refused(error.errcode, api, str(error.errmsg))


def _bad_status(response: requests.Response, api: str) -> Unreachable:
    words = _("the platform answered with HTTP %(status)s") % {"status": response.status_code}
    return Unreachable(words, api=api, maybe_done=response.status_code >= 500)


def _lost(error: requests.RequestException, api: str) -> Unreachable:
    """The error for a request without an answer."""
    if error.response is not None:
        return _bad_status(error.response, api)
    if isinstance(error, wire.TooLarge):
        words = _("the platform's answer has more than %(most)d MB") % {"most": wire.MOST_BYTES // 1024 // 1024}
        return Unreachable(words, api=api, maybe_done=True)
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return _unreadable(api)
    if isinstance(error, requests.ConnectTimeout) or _never_connected(error):
        return Unreachable(_("no connection to the platform"), api=api, maybe_done=False, connected=False)
    if isinstance(error, requests.Timeout):
        return Unreachable(_("no answer in time"), api=api, maybe_done=True)
    return Unreachable(_("the connection broke"), api=api, maybe_done=True)


def _never_connected(error: requests.RequestException) -> bool:
    """True when the request can't have left: no address, refused, or no route."""
    reason = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _unreadable(api: str) -> Unreachable:
    return Unreachable(_("the platform's answer can't be read"), api=api, maybe_done=True)


def _pause_before_retry(tried: list[Failure]) -> float | None:
    """Seconds until a read is tried again; None when it isn't."""
    error = tried[-1]
    if isinstance(error, Unreachable):
        unreachable = sum(isinstance(earlier, Unreachable) for earlier in tried)
        return None if error.connected or unreachable > 1 else random.uniform(0.05, 0.2)
    if isinstance(error, WecomError) and error.kind in (Kind.BUSY, Kind.CONCURRENCY) and len(tried) < TRIES:
        return random.uniform(0.2, 0.6) * len(tried)
    return None
