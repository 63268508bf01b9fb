"""The demo's child processes: what each of them runs, under its real command line."""

import sys
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from scrm.embedded.children import Child
from scrm.site.demo.options import EMPTY, Options
from scrm.site.demo.surroundings import WORKERS

LOG_BYTES: Final = 20 * 1024 * 1024


def standin(options: Options, api_url: str, state: Path, logs: Path) -> Child:
    """The platform, listening where `api_url` says; it keeps its world in the file `state`."""
    command = [sys.executable, "-m", "scrm.standin", "--port", str(urlsplit(api_url).port)]
    command += ["--scenario", options.scenario, "--until", options.until, "--state", str(state)]
    command += ["--callback-url", f"http://127.0.0.1:{options.port}/wecom/callback/"]
    if options.scenario != EMPTY:
        command += ["--customers", str(options.customers), "--days", str(options.days)]
    if not options.traffic:
        command.append("--no-traffic")
    return _child("standin", command, logs, patience=5)


def web(port: int, logs: Path) -> Child:
    """One web server process with one worker."""
    command = [*_script("granian"), "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--blocking-threads", "1024", "--respawn-failed-workers", "--respawn-interval", "1"]
    command += ["--workers-kill-timeout", "5", "--log-level", "warning", "scrm.wsgi:application"]
    return _child("web", command, logs)


def workers(logs: Path) -> list[Child]:
    """One process for each group of queues."""
    options = ["--pool", "threads", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    celery = [*_script("celery"), "-A", "scrm", "worker"]
    return [
        _child(f"worker-{name}", [*celery, "-Q", queues, "-n", f"{name}@%h", *options], logs, patience=15)
        for name, queues in WORKERS.items()
    ]


def beat(schedule: Path, logs: Path) -> Child:
    """The clock that starts what has a fixed rhythm."""
    command = [*_script("celery"), "-A", "scrm", "beat", "--pidfile=", "--loglevel", "WARNING"]
    return _child("beat", [*command, "--schedule", str(schedule)], logs, patience=5)


def _child(name: str, command: list[str], logs: Path, patience: float = 10.0) -> Child:
    log = logs / f"{name}.log"
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    return Child(name, command, log, patience)


def _script(name: str) -> list[str]:
    """A command of the environment that we run in, under its own name."""
    path = Path(sys.executable).parent / name
    return [str(path)] if path.exists() else [sys.executable, "-m", name]
