"""The demo's processes: services, stand-in, web, workers, beat; started, watched, ended."""

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from scrm import embedded, env
from scrm.embedded import notes, ports, processes
from scrm.embedded.children import MARK, Child, Children, end_marked
from scrm.embedded.lifeline import on_our_death
from scrm.embedded.services import DEMO_NOTE
from scrm.site.demo import database, family, surroundings
from scrm.site.demo.lifetime import only_one, stop_on_signal
from scrm.site.demo.options import DemoError, Options, check, complete
from scrm.site.demo.readiness import Readiness
from scrm.site.demo.story import Story

STANDIN_PORT: Final = 9100
TICK_SECONDS: Final = 0.2
PATIENCE_SECONDS: Final = 20.0  # between two words about what is missing until ready
FOREVER: Final = float("inf")
FAILED_STARTS: Final = 4  # quick deaths in a row, before ready, after which we give up

Say = Callable[[str], None]


def run(options: Options, say: Say) -> None:
    """Runs the demo until a signal or `--exit-after`. Raises DemoError."""
    var = env.data_dir()
    check(options, real_platform=surroundings.given("WECOM_API_URL"))
    var.mkdir(parents=True, exist_ok=True)
    with stop_on_signal() as stop, only_one(var):
        end_marked(str(var))  # what a killed demo left behind
        if not ports.is_free(options.port):
            raise DemoError(f"Port {options.port} is in use: give another, for example --port {options.port + 10}.")
        Demo(options, var, say, stop).run()


@dataclass
class Round:
    """Something that is done every so many seconds."""

    seconds: float
    do: Callable[[], None]
    next: float = 0.0

    def when_due(self) -> None:
        if time.monotonic() >= self.next:
            self.next = time.monotonic() + self.seconds
            self.do()


class Demo:
    """One run of the demo."""

    def __init__(self, options: Options, var: Path, say: Say, stop: threading.Event) -> None:
        self.options, self.var, self.say, self.stop = options, var, say, stop
        self.logs = var / "log"
        self.postgres = embedded.Postgres(var / "postgres")
        self.redis = embedded.Redis(var / "redis")
        self.story = Story(self._company_time)
        self.database_url = ""
        self.standin_state = var / "standin.state"
        self.own: dict[str, str] = {}  # settings that the environment does not give
        self.environment: dict[str, str] = {}
        self.children: Children | None = None
        self.readiness = Readiness(options.port)
        self.ready = False
        self.begun = time.monotonic()
        self.next_word = self.begun + PATIENCE_SECONDS
        self.ends = FOREVER

    def run(self) -> None:
        self.logs.mkdir(exist_ok=True)
        try:
            self._start_services()
            self._note()
            if self._start_platform() and self._prepare():
                self._start_processes()
                self._watch()
        finally:
            self._end()

    # --- start ---------------------------------------------------------------------------------------------

    def _start_services(self) -> None:
        database_url, redis_url = surroundings.given_value("DATABASE_URL"), surroundings.given_value("REDIS_URL")
        if self.options.fresh and not database_url:
            self.postgres.clear()
            (self.var / surroundings.CLOCK).unlink(missing_ok=True)
        self.database_url = database_url or self.postgres.start()
        note = database.recognise(self.database_url, ours=not database_url)
        clock = surroundings.clock(self.var, self.options.speed)
        self.options = complete(
            self.options,
            note,
            surroundings.domain_now({**os.environ, **clock}),
            real_platform=surroundings.given("WECOM_API_URL"),
            **({"cure": "Give another DATABASE_URL for other options."} if database_url else {}),
        )
        own = {
            **surroundings.kept_secrets(self.var),
            **clock,
            "DATA_DIR": str(self.var),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": redis_url or self.redis.start(),
            "PUBLIC_URL": f"http://127.0.0.1:{self.options.port}",
            **surroundings.platform(ports.free_port(STANDIN_PORT)),
            "SENDING": "on",
            "STORY": "true",
            "DEMO_QUEUES": ",".join(surroundings.WORKERS.values()),
            "DEMO_SCENARIO": self.options.scenario if self.options.traffic else "",
        }
        own["DEMO_PASSWORD"] = surroundings.given_value("DEMO_PASSWORD") or own["DEMO_PASSWORD"]
        self.own = {
            name: value for name, value in own.items() if name == "DEMO_PASSWORD" or not surroundings.given(name)
        }
        fixed = {"PYTHONUNBUFFERED": "1", "DJANGO_SETTINGS_MODULE": "scrm.settings"}
        self.environment = {**os.environ, **self.own, **fixed}

    def _note(self) -> None:
        """For the other commands of this checkout (scrm.env reads it)."""
        note = {
            "demo": processes.identity(os.getpid()).noted(),
            "port": self.options.port,
            "environment": surroundings.noted(self.own, list(env.SETTINGS)),
        }
        notes.write(self.var / DEMO_NOTE, note)
        self.children = Children(self.environment, env.BASE_DIR, str(self.var))

    def _start_platform(self) -> bool:
        """The stand-in, unless a platform was given. It starts beside the preparation."""
        assert self.children is not None
        if not surroundings.given("WECOM_API_URL"):
            standin = family.standin(self.options, self.environment["WECOM_API_URL"], self.standin_state, self.logs)
            self.story.follow(standin.log)
            self.children.start(standin)
        return not self.stop.is_set()

    def _prepare(self) -> bool:
        """Migrations, user, history. False when a signal ended it."""
        note = database.read_note(self.database_url)
        prepared = surroundings.fingerprint(env.BASE_DIR, self.options.played(), self.environment)
        if note.get("prepared") == prepared:
            return True
        self.say("Preparing the database …")
        if "scenario" not in note:
            database.write_note(self.database_url, {"unfinished": True})
        if not self._run_preparation():
            return False
        database.write_note(self.database_url, {**self.options.played(), "prepared": prepared})
        return True

    def _run_preparation(self) -> bool:
        process = subprocess.Popen(
            [sys.executable, "-m", "scrm.site.demo.prepare", self.options.to_json()],
            env={**self.environment, MARK: str(self.var)},
            cwd=env.BASE_DIR,
            start_new_session=True,
            preexec_fn=on_our_death(signal.SIGTERM),
        )
        while process.poll() is None:
            if self.stop.wait(TICK_SECONDS / 4):
                process.terminate()
                process.wait(10)
                return False
        if process.returncode:
            raise DemoError("The database could not be prepared, see above.")
        return True

    def _start_processes(self) -> None:
        assert self.children is not None
        database.forget_workers(self.database_url)
        beat = family.beat(self.var / "celerybeat-schedule", self.logs)
        children = [family.web(self.options.port, self.logs), *family.workers(self.logs), beat]
        for child in children:
            self.story.follow(child.log)
        self.children.start(*children)

    # --- watch ---------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        assert self.children is not None
        rounds = [
            Round(0.0, self._tell_story),
            Round(2.0, self._keep_services),
            Round(5.0, lambda: surroundings.keep_clock(self.var, self.environment)),
        ]
        while not self.stop.is_set() and time.monotonic() < self.ends:
            self.children.look(self._on_death)
            for one in rounds:
                one.when_due()
            if not self.ready:
                self._look_whether_ready()
            self.stop.wait(TICK_SECONDS)

    def _tell_story(self) -> None:
        for line in self.story.new_lines():
            self.say(line)

    def _look_whether_ready(self) -> None:
        if self.readiness.ready():
            self.ready = True
            self.ends = time.monotonic() + (self.options.exit_after if self.options.exit_after is not None else FOREVER)
            self._welcome()
        elif time.monotonic() > self.next_word:
            self.next_word += PATIENCE_SECONDS
            self.say(f"Not ready yet: {self.readiness.said}")

    def _company_time(self) -> dt.datetime:
        zone = ZoneInfo(self.environment.get("COMPANY_TIME_ZONE") or "Asia/Shanghai")
        return surroundings.domain_now(self.environment).astimezone(zone)

    def _on_death(self, child: Child) -> None:
        if not self.ready and child.quick_deaths + 1 >= FAILED_STARTS:
            raise DemoError(f"{child.name} does not start ({child.log}):\n{child.last_words()}")
        self.say(f"{child.name} has ended by itself and is started again (see {_short(child.log)})")

    def _keep_services(self) -> None:
        """An embedded service that died is started again at its old address."""
        for service in (self.postgres, self.redis):
            if service.died():
                self.say(f"{type(service).__name__} has ended by itself and is started again")
                service.start()

    def _welcome(self) -> None:
        user, password = "admin", self.environment["DEMO_PASSWORD"]
        seconds = time.monotonic() - self.begun
        self.say("")
        self.say(f"  ready after {seconds:.0f} s:  http://127.0.0.1:{self.options.port}/")
        self.say(f"  user {user}, password {password}")
        self.say(f"  logs in {_short(self.logs)}; Ctrl-C ends everything")
        self.say("")

    # --- end -----------------------------------------------------------------------------------------------

    def _end(self) -> None:
        """Processes first, services last."""
        self.say("Ending …")
        try:
            if self.children is not None:
                self.children.stop()
            if self.environment:
                surroundings.keep_clock(self.var, self.environment)
        finally:
            (self.var / DEMO_NOTE).unlink(missing_ok=True)
            embedded.Services(self.postgres, self.redis).stop()
        self.say("Ended.")


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
