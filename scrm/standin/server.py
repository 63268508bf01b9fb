"""`StandIn`: the whole stand-in in one object, with its own thread and event loop."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import inspect
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from . import control, pages, wire
from .actions import actions
from .behaviour import LivePeople
from .callbacks import Callback, Callbacks
from .clock import Clock
from .envelope import Envelope, SignedRequest
from .faults import Faults
from .ledger import Ledger
from .limits import CallCounts, Limits
from .load import load
from .platform import Platform
from .scenarios import history
from .settings import Settings
from .snapshot import Snapshot
from .tokens import Tokens
from .world import World

# What the demo uses when the environment says nothing; no real corp can have them.
DEMO_CORP_ID = "wwdemo0000000001"
DEMO_AGENT_ID = 1000002
DEMO_SECRET = "demo-secret-of-the-stand-in-0000000000000001"  # noqa: S105 - of an invented corp
DEMO_TOKEN = "DemoCallbackToken0001"  # noqa: S105 - of an invented corp
DEMO_AES_KEY = "demo1demo2demo3demo4demo5demo6demo7demo8abc"
START_SECONDS = 10.0


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Millions of new rows and no cycles: the collector would walk them again and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class StandIn:
    """A platform for one corp. `url` is the base address for `WECOM_API_URL` once started."""

    def __init__(
        self,
        *,
        scenario: str = "empty",
        corp_id: str = DEMO_CORP_ID,
        secret: str = DEMO_SECRET,
        agent_id: int = DEMO_AGENT_ID,
        callback_token: str = DEMO_TOKEN,
        aes_key: str = DEMO_AES_KEY,
        callback_url: str | None = None,
        verify_url: bool = True,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 1,
        settings: Settings | None = None,
        clock: Clock | None = None,
        secrets: dict[str, int] | None = None,
        customers: int = 0,
        days: int = 30,
        until: datetime | None = None,
        traffic: bool = False,
        pace: float = 0.0,
        say: Callable[[str], None] | None = None,
        state_file: Path | None = None,
    ) -> None:
        """`secrets` adds further apps of the corp: secret → agent id. `port` 0 takes a free one.

        `scenario`, `customers`, `days`, `until` (default: the domain's present minute) and `seed` name the
        history whose end is the world's beginning; ValueError for a scenario that does not exist. `traffic`
        lets people act by themselves, at least `pace` adds a minute at first; `say` gets a line for each act.
        `state_file` keeps the world over restarts.
        """
        self.scenario = scenario
        self.settings = settings or Settings()
        self.rng = Random(seed)
        self.world = World(clock=clock or Clock.from_environment(), settings=self.settings, seed=seed)
        end = until or datetime.fromtimestamp(self.world.now() // 60 * 60, UTC)
        origin = {
            "scenario": scenario,
            "customers": customers,
            "days": days,
            "until": int(end.timestamp()),
            "seed": seed,
        }
        self._snapshot = Snapshot(self.world, state_file, origin) if state_file is not None else None
        restored = self._snapshot is not None and self._snapshot.restore()
        if not restored:
            with _no_garbage_collection():
                load(self.world, history(scenario, customers=customers, days=days, until=end, seed=seed), app=agent_id)
        self.ledger = Ledger()
        self.faults = Faults()
        self.calls = CallCounts()
        self.limits = Limits(self.settings)
        self.tokens = Tokens(corp_id, {secret: agent_id, **(secrets or {})}, self.settings)
        envelope = Envelope(token=callback_token, aes_key=aes_key, corp_id=corp_id, agent_id=agent_id)
        self.callbacks = Callbacks(envelope, self.settings, callback_url, self.rng)
        self._platform = Platform(
            self.world, self.settings, self.ledger, self.tokens, self.limits, self.faults, self.calls, self.rng
        )
        self._actions = actions(self.world)
        # After a restart other people come than before: the world has gone on.
        lived = int(self.world.now()) if restored else 0
        self._people = LivePeople(self, scenario, customers, seed=seed + lived, pace=pace, say=say) if traffic else None
        self._say = say
        self._verify_url = verify_url
        self._host, self._port = host, port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._started = threading.Event()
        self._stopping: asyncio.Event | None = None
        self._failure: BaseException | None = None

    # -- life --------------------------------------------------------------------------------------

    def start(self) -> StandIn:
        """Listen, in a thread of its own; returns when the address answers."""
        self._thread = threading.Thread(target=self._run, name="standin", daemon=True)
        self._thread.start()
        if not self._started.wait(START_SECONDS):
            raise RuntimeError("the stand-in did not start")
        if self._failure is not None:
            raise self._failure
        return self

    def run(self) -> None:
        """Listen in this thread until `stop` or KeyboardInterrupt."""
        self._run()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End everything; callbacks on their way are dropped."""
        if self._loop is not None and self._stopping is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopping.set)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(START_SECONDS)

    def __enter__(self) -> StandIn:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Base address, ends in `/cgi-bin/`."""
        return f"http://{self._host}:{self._port}/cgi-bin/"

    @property
    def site_url(self) -> str:
        """Base address of the platform's web pages (`pages`)."""
        return f"http://{self._host}:{self._port}/"

    @property
    def control_url(self) -> str:
        """Base address of the hidden pages."""
        return f"http://{self._host}:{self._port}{control.PREFIX}"

    @property
    def port(self) -> int:
        """The port listened on."""
        return self._port

    # -- use ---------------------------------------------------------------------------------------

    def act(self, action: str, /, *, callback: bool = True, **given: Any) -> dict[str, Any]:
        """Do one of the verbs of `actions` and send its event, unless `callback` is False.

        Returns what changed, with `callback_id` (None when no event goes out). ValueError for an unknown
        verb or parameter, Refusal for what the platform would not allow.
        """
        verb = self._actions.get(action)
        if verb is None:
            raise ValueError(f"no such action: {action}; there are {', '.join(sorted(self._actions))}")
        try:
            inspect.signature(verb).bind(**given)
        except TypeError as error:
            raise ValueError(f"{action}: {error}") from None
        with self.world.lock:
            change = verb(**given)
            self.world.changes += 1
            sent = None
            at = self.world.now() if change.at is None else change.at
            if change.event is not None and callback:
                sent = self.callbacks.emit(change.event, at)
            if change.also is not None and callback:
                self.callbacks.emit(change.also, at)
        return {**change.result, "callback_id": sent.id if sent is not None else None}

    def last_callback(self) -> Callback:
        """The latest event, sent or kept."""
        return self.callbacks.log[-1]

    def request_of(self, callback: Callback) -> SignedRequest:
        """One fresh signed request of an event: `query` and `body`, as a test client posts them."""
        return self.callbacks.signed(callback.xml)

    def welcomes(self) -> Iterable[dict[str, Any]]:
        """Accepted welcomes, oldest first."""
        return self.ledger.of("welcome")

    # -- inside ------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        connect = functools.partial(wire.serve_connection, self._handle)
        server = await asyncio.start_server(connect, self._host, self._port, limit=wire.MAX_HEAD, backlog=512)
        self._port = server.sockets[0].getsockname()[1]
        self.callbacks.start(self._loop, verify=self._verify_url)
        self._started.set()
        if self._say is not None:
            count = len(self.world.contacts.customers)
            self._say(f"Stand-in WeCom listens on {self.url} ({self.scenario}, {count} people)")
        tasks = [asyncio.create_task(self._live()), asyncio.create_task(self.world.broadcasts.live())]
        if self._snapshot is not None:
            tasks.append(asyncio.create_task(self._snapshot.keep()))
        try:
            await self._stopping.wait()
        finally:
            for task in tasks:
                task.cancel()
            if self._snapshot is not None:
                self._snapshot.save()
            server.close()
            await self.callbacks.stop()

    async def _live(self) -> None:
        """People begin to act when the address for events has answered."""
        if self._people is not None:
            await self.callbacks.verified()
            await self._people.live()

    async def _handle(self, request: wire.Request) -> wire.Response | None:
        if request.path.startswith(control.PREFIX):
            return control.answer(self, request)
        if request.path in pages.PATHS:
            return pages.answer(self, request)
        return await self._platform.answer(request)
