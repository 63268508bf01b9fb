"""Command line of the stand-in; credentials come from the WECOM_* environment, else demo values."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from .clock import Clock
from .server import DEMO_AES_KEY, DEMO_AGENT_ID, DEMO_CORP_ID, DEMO_SECRET, DEMO_TOKEN, StandIn
from .settings import CHOICES, Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options, shared with `manage.py standin`."""
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9100, help="0 takes a free one")
    parser.add_argument("--scenario", default="empty", help="empty, beauty, mother_baby")
    parser.add_argument("--customers", type=int, default=3000, help="customers when the history ends")
    parser.add_argument("--days", type=int, default=30, help="days of history")
    parser.add_argument("--until", help="ISO time at which the history ends; default: now, whole minutes")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same world")
    parser.add_argument("--callback-url", help="where events are sent")
    parser.add_argument("--no-traffic", action="store_true", help="nobody does anything by themselves")
    parser.add_argument("--pace", type=float, default=6.0, help="least adds a minute of live traffic at first")
    parser.add_argument("--confirm", choices=CHOICES["confirm"], default="natural", help="how staff confirm broadcasts")
    parser.add_argument("--confirm-speed", type=float, default=1.0, help="how much faster than people really do")
    parser.add_argument("--state", type=Path, help="file that keeps the world over restarts")
    parser.add_argument("--quiet", action="store_true", help="no lag, no jitter, no repeats (as in tests)")


def _setting(name: str, default: str) -> str:
    """An environment variable, or the file named by its `_FILE` twin."""
    if path := os.environ.get(f"{name}_FILE"):
        return Path(path).read_text(encoding="utf-8").strip()
    return os.environ.get(name) or default


def build(options: argparse.Namespace) -> StandIn:
    """A stand-in as the options and the environment say; ValueError names what is wrong."""
    if options.confirm_speed <= 0:
        raise ValueError(f"--confirm-speed {options.confirm_speed:g}: give a number above 0")
    settings = Settings() if options.quiet else Settings.platform()
    settings.change({"confirm": options.confirm, "confirm_speed": options.confirm_speed})
    if host := urlsplit(_setting("PUBLIC_URL", "")).netloc:
        settings.trusted_domains = (host,)
    return StandIn(
        scenario=options.scenario,
        corp_id=_setting("WECOM_CORP_ID", DEMO_CORP_ID),
        secret=_setting("WECOM_SECRET", DEMO_SECRET),
        agent_id=int(_setting("WECOM_AGENT_ID", str(DEMO_AGENT_ID))),
        callback_token=_setting("WECOM_CALLBACK_TOKEN", DEMO_TOKEN),
        aes_key=_setting("WECOM_CALLBACK_AES_KEY", DEMO_AES_KEY),
        callback_url=options.callback_url,
        host=options.host,
        port=options.port,
        seed=options.seed,
        settings=settings,
        clock=Clock.from_environment(),
        customers=options.customers,
        days=options.days,
        until=datetime.fromisoformat(options.until).astimezone(UTC) if options.until else None,
        traffic=not options.no_traffic,
        pace=options.pace,
        say=say,
        state_file=options.state,
    )


def say(line: str) -> None:
    """A line of the story, to standard output."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def run(options: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; exit code 2 for wrong options, 1 when the port cannot be taken."""
    try:
        standin = build(options)
    except ValueError as error:
        sys.stderr.write(f"stand-in: {error}\n")
        return 2
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: standin.stop())
    gc.freeze()  # the world stays; later collections need not walk it
    try:
        standin.run()
    except OSError as error:
        sys.stderr.write(f"stand-in: cannot listen on port {options.port}: {error.strerror or error}\n")
        return 1
    return 0


def main() -> None:
    """Entry of `python -m scrm.standin`."""
    parser = argparse.ArgumentParser(prog="standin", description="A stand-in WeCom for trial and tests")
    add_arguments(parser)
    raise SystemExit(run(parser.parse_args()))
