"""The full sync of a corp: how fast customers come in, beside the same pages merely fetched, and what it takes.

`cpu_ratio` is the processor time of this process ÷ the stand-in's for the same sync. The stand-in only writes out rows
that it holds in memory; `cpu_s_fetch` says what this process takes for merely fetching and reading its answers.
`memory_mb` is what this process has at a tenth of the customers and at the end.

The stand-in runs in a process of its own, without lag. Needs an empty, migrated database and Django set up.
"""

import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.test import override_settings

from contacts import sync
from contacts.models import Customer, Department, Follow, Staff, SyncRun
from contacts.sync.lane import THREADS
from groups.models import GroupChat, Stay
from scrm.embedded.ports import free_port
from scrm.wecom.api import contacts as contacts_api
from scrm.wecom.api import group_chats as chats_api
from tests.benchmarks import usage

DEFAULT_SIZE = 10_000


def run(size: int = DEFAULT_SIZE) -> Iterator[dict[str, Any]]:
    """A first sync of `size` customers with their chats, then a second one that finds nothing to change."""
    memory = _Memory(size)
    with (
        _standin(size) as (url, platform),
        override_settings(WECOM_API_URL=url, WECOM_CALLS_PER_MINUTE=10**6, WECOM_CALLS_PER_HOUR=10**8),
    ):
        memory.start()
        before = time.process_time(), usage.cpu(platform)
        first = _sync()
        ours, theirs = time.process_time() - before[0], usage.cpu(platform) - before[1]
        memory.end()
        follows, stays = Follow.objects.count(), Stay.objects.count()
        least = _fewest_calls()
        before_fetch = time.process_time()
        bare = _fetch_everything()
        fetching = time.process_time() - before_fetch
        yield {
            **_line("sync_first", (follows + stays) / first[1], bare=(follows + stays) / bare, unit="rows/s"),
            "seconds": round(first[1], 1),
            "cpu_s": round(ours, 1),
            "cpu_s_fetch": round(fetching, 1),
            "cpu_s_platform": round(theirs, 2),
            "cpu_ratio": round(ours / theirs, 3),
            "memory_mb": memory.megabytes,
        }
        second = _sync()
        assert second[0].drift == {}, second[0].drift
        yield _line("sync_again", (follows + stays) / second[1], bare=(follows + stays) / bare, unit="rows/s")
        yield _line("sync_calls", second[0].api_calls, bare=least, unit="calls")


class _Memory(threading.Thread):
    """Looks what this process has when a tenth of the customers are there, and at the end."""

    def __init__(self, size: int) -> None:
        super().__init__(daemon=True)
        self.tenth = size // 10
        self.megabytes: list[float] = []
        self._over = threading.Event()

    def run(self) -> None:
        while Customer.objects.count() < self.tenth and not self._over.wait(0.2):
            pass
        self._note()
        connection.close()

    def end(self) -> None:
        self._over.set()
        self.join()
        self._note()

    def _note(self) -> None:
        self.megabytes.append(round(usage.memory(os.getpid()) / 2**20, 1))


def _sync() -> tuple[SyncRun, float]:
    begun = time.monotonic()
    done = sync.run_inline(sync.start())
    assert done.state == SyncRun.State.DONE, done.error
    return done, time.monotonic() - begun


def _fetch_everything() -> float:
    """Seconds for the same calls by as many threads, their answers thrown away."""
    userids = list(Staff.objects.filter(serves_customers=True).values_list("userid", flat=True))
    chat_ids = list(GroupChat.objects.values_list("chat_id", flat=True))
    begun = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(_fetch_pages, userids))
        list(pool.map(chats_api.fetch, chat_ids))
    return time.monotonic() - begun


def _fetch_pages(userid: str) -> None:
    cursor, more = "", True
    while more:
        cursor = contacts_api.fetch_page([userid], cursor).next_cursor
        more = bool(cursor)


def _fewest_calls() -> int:
    """Full pages of every friendship that the platform lists, each chat and department once, and the four lists."""
    pages = -(-Follow.objects.values("staff", "customer").distinct().count() // 100)
    return pages + GroupChat.objects.count() + Department.objects.count() + 4


def _line(bench: str, value: float, *, bare: float, unit: str) -> dict[str, Any]:
    size = Customer.objects.added().count()
    ratio = round(value / bare, 3)
    return {
        "bench": bench,
        "value": round(value, 1),
        "unit": unit,
        "baseline": round(bare, 1),
        "ratio": ratio,
        "size": size,
    }


@contextmanager
def _standin(size: int) -> Iterator[tuple[str, int]]:
    """The address of its API and its process id."""
    port = free_port()
    command = [sys.executable, "-m", "scrm.standin", "--port", str(port), "--scenario", "beauty"]
    command += ["--customers", str(size), "--no-traffic", "--quiet"]
    process = subprocess.Popen(command, env=os.environ.copy(), stdout=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}/cgi-bin/"
        _wait_for(url, process)
        yield url, process.pid
    finally:
        connection.close()
        process.terminate()
        process.wait(20)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + 120
    while time.monotonic() < end:
        assert process.poll() is None, "the stand-in has ended"
        try:
            opener.open(f"{url}gettoken", timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return
    raise AssertionError("the stand-in does not answer")
