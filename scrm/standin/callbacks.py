"""Sends events to the callback address by the platform's rule (wecom-api.md §2): encrypted, signed, three tries."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from random import Random
from typing import Any

from .envelope import Envelope, SignedRequest
from .events import Fields, to_xml
from .settings import CALLBACK_SPREAD, Settings
from .wire import Client

KEPT = 20_000  # callbacks remembered for /_standin/callbacks
URL_CHECK_SECONDS = 1.0  # wecom-api.md §2.2
URL_CHECK_PAUSE = 0.5


@dataclass(slots=True)
class Callback:
    """One event on its way. States: kept (no address, or held), waiting, delivered, failed, lost."""

    id: int
    fields: Fields
    xml: bytes
    create_time: int
    state: str = "waiting"
    tries: int = 0
    sent_at: float | None = None  # real unix time of the first try
    answers: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "id": self.id,
            "fields": self.fields,
            "create_time": self.create_time,
            "state": self.state,
            "tries": self.tries,
            "sent_at": self.sent_at,
            "answers": self.answers,
            "xml": self.xml.decode(),
        }


class Callbacks:
    """Outgoing events of one app. `emit` may be called from any thread; sending happens on the loop."""

    def __init__(self, envelope: Envelope, settings: Settings, url: str | None, rng: Random) -> None:
        self._envelope = envelope
        self._settings = settings
        self._rng = rng
        self._ids = itertools.count(1)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client = Client(url) if url else None
        self._gate: asyncio.Semaphore | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._verified: asyncio.Event | None = None
        self._quiet = threading.Condition()
        self._open = 0
        self.log: deque[Callback] = deque(maxlen=KEPT)

    # -- life --------------------------------------------------------------------------------------

    def start(self, loop: asyncio.AbstractEventLoop, *, verify: bool = True) -> None:
        """Called on the loop: check the address, then let callbacks go."""
        self._loop = loop
        self._gate = asyncio.Semaphore(self._settings.callback_connections)
        self._verified = asyncio.Event()
        if self._client is not None and verify:
            self._spawn(self._check_url())
        else:
            self._verified.set()

    async def stop(self) -> None:
        """Called on the loop: end what is on its way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            self._client.close()

    async def verified(self) -> None:
        """Wait until the address has answered the URL check."""
        if self._verified is not None:
            await self._verified.wait()

    @property
    def ready(self) -> bool:
        """Whether the address answered the URL check."""
        return self._verified is not None and self._verified.is_set()

    # -- use ---------------------------------------------------------------------------------------

    def emit(self, fields: Fields, create_time: int) -> Callback:
        """Send an event; it is remembered either way."""
        callback = Callback(next(self._ids), fields, to_xml(self._envelope.corp_id, create_time, fields), create_time)
        self.log.append(callback)
        if self._client is None or self._settings.hold:
            callback.state = "kept"
        elif self._rng.random() < self._settings.lost:
            callback.state = "lost"
        else:
            self._schedule(callback, self._delay())
            if self._rng.random() < self._settings.repeats:
                self._schedule(callback, self._delay() + 1.0)
        return callback

    def deliver(self, ids: list[int], *, in_turn: bool = True) -> None:
        """Send callbacks again, or those held, in the order given: one after the other, or all at once."""
        known = {callback.id: callback for callback in self.log}
        missing = [item for item in ids if item not in known]
        if missing:
            raise ValueError(f"no such callbacks: {missing}")
        if self._client is None:
            raise ValueError("there is no callback address")
        if in_turn:
            self._schedule_all([known[item] for item in ids])
        else:
            for item in ids:
                self._schedule(known[item], 0.0)

    def signed(self, xml: bytes) -> SignedRequest:
        """A request as the platform would send it, for tests that post by themselves."""
        return self._envelope.signed(xml)

    def wait_idle(self, timeout: float = 30.0) -> bool:
        """Wait (real seconds) until nothing is on its way; False when time is up."""
        with self._quiet:
            return self._quiet.wait_for(lambda: self._open == 0, timeout)

    def clear(self) -> None:
        """Forget what was sent."""
        self.log.clear()

    # -- inside ------------------------------------------------------------------------------------

    def _delay(self) -> float:
        spread = self._settings.seconds(self._settings.spread, CALLBACK_SPREAD, self._rng)
        if self._rng.random() < self._settings.out_of_order:
            spread += 3.0 + 5.0 * self._rng.random()
        return spread

    def _schedule(self, callback: Callback, delay: float) -> None:
        self._on_loop(self._after(callback, delay))

    def _schedule_all(self, callbacks: list[Callback]) -> None:
        async def one_by_one() -> None:
            for callback in callbacks:
                await self._send(callback)

        self._on_loop(one_by_one())

    def _on_loop(self, work: Any) -> None:
        loop = self._loop
        if loop is None:
            work.close()
            raise RuntimeError("the stand-in is not started")
        with self._quiet:
            self._open += 1
        loop.call_soon_threadsafe(lambda: self._spawn(self._counted(work)))

    async def _counted(self, work: Any) -> None:
        try:
            await work
        finally:
            with self._quiet:
                self._open -= 1
                if self._open == 0:
                    self._quiet.notify_all()

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _after(self, callback: Callback, delay: float) -> None:
        if delay:
            await asyncio.sleep(delay)
        await self._send(callback)

    async def _send(self, callback: Callback) -> None:
        """Three tries; 200 within 5 s ends them (wecom-api.md §2.5)."""
        await self.verified()
        begun = time.monotonic()
        for pause in self._settings.callback_tries:
            await asyncio.sleep(max(0.0, begun + pause - time.monotonic()))
            if await self._try(callback):
                callback.state = "delivered"
                return
        if callback.state != "delivered":
            callback.state = "failed"

    async def _try(self, callback: Callback) -> bool:
        if self._gate is None or self._client is None:
            return False
        async with self._gate:
            signed = self._envelope.signed(callback.xml)
            callback.tries += 1
            callback.sent_at = callback.sent_at or time.time()
            try:
                async with asyncio.timeout(self._settings.callback_timeout):
                    status, _ = await self._client.send("POST", signed.query, signed.body)
            except (OSError, EOFError, ValueError, TimeoutError) as error:
                callback.answers.append(type(error).__name__)
                return False
        callback.answers.append(str(status))
        return status == 200

    async def _check_url(self) -> None:
        """GET with an encrypted echo until it comes back in plain text, to the byte (wecom-api.md §2.2)."""
        if self._client is None or self._verified is None:
            return
        while not self._verified.is_set():
            echo = str(secrets.randbelow(10**19))
            try:
                async with asyncio.timeout(URL_CHECK_SECONDS):
                    status, body = await self._client.send("GET", self._envelope.url_check(echo))
            except (OSError, EOFError, ValueError, TimeoutError):
                status, body = 0, b""
            if status == 200 and body == echo.encode():
                self._verified.set()
            else:
                await asyncio.sleep(URL_CHECK_PAUSE)
