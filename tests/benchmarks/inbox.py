"""Receiving: callbacks stored a second by one web process, against a bare insert loop of the same rows."""

import hashlib
import statistics
import time
from collections.abc import Iterator
from typing import Any

import psycopg2
from django.conf import settings
from django.db import connection
from psycopg2.extensions import connection as Connection

from scrm.base import clock
from tests import processes
from tests.benchmarks import load

SIZE = 6000
ROUNDS = 5

_EVENT = (
    "<xml><ToUserName><![CDATA[{corp}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>"
    "<CreateTime>{at}</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[change_external_contact]]></Event>"
    "<ChangeType><![CDATA[add_external_contact]]></ChangeType><UserID><![CDATA[wanglei]]></UserID>"
    "<ExternalUserID><![CDATA[wm{number:032d}]]></ExternalUserID><State><![CDATA[poster-07]]></State>"
    "<WelcomeCode><![CDATA[code{number:039d}]]></WelcomeCode></xml>"
)

# The baseline stores the same row in an equal table: same columns, same unique digest, no work beside it.
_BARE_TABLE = "CREATE TABLE bare (LIKE wecom_callback INCLUDING ALL)"
_BARE_INSERT = """
INSERT INTO bare (digest, app, received_domain_at, happened_at, event, change_type, entity, welcome_code, raw)
VALUES (%s, 'customer', %s, %s, 'change_external_contact', 'add_external_contact', %s, %s, %s)
"""


def run(size: int = SIZE) -> Iterator[dict[str, Any]]:
    """`size` callbacks in all, in rounds that alternate with the baseline; then a fifth as many at half load."""
    port = processes.free_port()
    with processes.process(processes.granian(port)):
        processes.wait_for(f"http://127.0.0.1:{port}/healthz")
        load.send(port, _requests(port, -400, 400))  # connections opened, code warm
        part = size // ROUNDS
        stored, bare = [], []
        for number in range(ROUNDS):
            bare.append(_bare(number * part, part))
            stored.append(_stored(port, number * part, part))
        yield _throughput(stored, bare)
        yield _half_load(port, size, statistics.median(stored) / 2)


def _throughput(stored: list[float], bare: list[float]) -> dict[str, Any]:
    value, baseline = statistics.median(stored), statistics.median(bare)
    return {
        "value": round(value),
        "unit": "callbacks/s stored by one web process",
        "baseline": round(baseline),
        "ratio": round(value / baseline, 3),
        "ratios": [round(one / other, 3) for one, other in zip(stored, bare, strict=True)],
        "baseline_is": "psycopg2 autocommit loop, one connection, same row in an equal table",
        "clients": load.CLIENTS,
    }


def _half_load(port: int, first: int, rate: float) -> dict[str, Any]:
    count = max(200, int(min(first / 5, rate * 10)))
    answers = load.send(port, _requests(port, first, count), rate=rate)
    _all_acknowledged(answers)
    ordered = sorted(answers.latencies)
    return {
        "bench": "inbox_half_load",
        "value": round(1000 * ordered[int(len(ordered) * 0.99)], 1),
        "unit": "ms p99 at half load",
        "baseline": None,
        "ratio": None,
        "p50": round(1000 * statistics.median(ordered), 1),
        "rate": round(rate),
    }


def _stored(port: int, first: int, count: int) -> float:
    answers = load.send(port, _requests(port, first, count))
    _all_acknowledged(answers)
    _assert_rows(first, count)
    return answers.per_second


def _all_acknowledged(answers: load.Load) -> None:
    if answers.refused:
        raise RuntimeError(f"{answers.refused} callbacks were not acknowledged")


def _assert_rows(first: int, count: int) -> None:
    """A rate counts only if the rows are there."""
    codes = [f"code{number:039d}" for number in range(first, first + count)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM wecom_callback WHERE welcome_code = ANY (%s)", [codes])
        (found,) = cursor.fetchone() or (0,)
    if found != count:
        raise RuntimeError(f"{found} of {count} callbacks are stored")


def _requests(port: int, first: int, count: int) -> list[bytes]:
    keys = load.envelope()
    return [load.request_of(_event(number), port, keys) for number in range(first, first + count)]


def _event(number: int) -> bytes:
    return _EVENT.format(corp=settings.WECOM_CORP_ID, at=1_795_000_000 + number, number=number).encode()


def _bare(first: int, count: int) -> float:
    """Rows a second of the bare loop. The digests are made before the clock runs."""
    rows = [
        (hashlib.sha256(text).digest(), clock.now(), clock.from_unix(1_795_000_000 + number),
         f"contact:wm{number:032d}", f"code{number:039d}", text.decode())
        for number, text in ((number, _event(number)) for number in range(first, first + count))
    ]  # fmt: skip
    link = _autocommit()
    try:
        with link.cursor() as cursor:
            cursor.execute(_BARE_TABLE.replace("TABLE", "TABLE IF NOT EXISTS"))
            begun = time.perf_counter()
            for row in rows:
                cursor.execute(_BARE_INSERT, row)
            return count / (time.perf_counter() - begun)
    finally:
        link.close()


def _autocommit() -> Connection:
    connection.ensure_connection()
    link: Connection = psycopg2.connect(connection.connection.dsn, password=connection.settings_dict["PASSWORD"])
    link.autocommit = True
    return link
