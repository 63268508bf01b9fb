"""Measures the stand-in itself: `python -m scrm.standin.measure [--customers N]`, one JSON object a line.

Goals: 300,000 customers within one GB, pages of 100 customers at 100 a second or more, 300 callbacks a second,
broadcasts that take a second for 100,000 receivers, 20,000 rows of their results a second.
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from .server import DEMO_CORP_ID, DEMO_SECRET, StandIn

STARTING = 120.0  # seconds


def measure_pages(customers: int, port: int) -> list[dict[str, Any]]:
    """Start a process with so many customers and read every page of them over one connection."""
    command = [sys.executable, "-m", "scrm.standin", "--quiet", "--no-traffic", "--scenario", "beauty"]
    process = subprocess.Popen([*command, "--port", str(port), "--customers", str(customers)])
    try:
        begun = time.monotonic()
        connection = _connect(port)
        ready = time.monotonic() - begun
        pages, rows, seconds = _read_all(connection)
        memory = _resident_mb(process.pid)
    finally:
        process.terminate()
        process.wait(10)
    return [
        {"bench": "standin_start", "value": round(ready, 1), "unit": "s", "customers": customers},
        {"bench": "standin_pages", "value": round(pages / seconds), "unit": "pages/s", "rows": rows},
        {"bench": "standin_memory", "value": memory, "unit": "MB", "customers": customers},
    ]


def measure_broadcasts(receivers: int) -> list[dict[str, Any]]:
    """Calls to 10,000 customers each, their confirmation, and every page of the results, over one connection."""
    standin = StandIn()
    standin.act("create_user", userid="wanglei", callback=False)
    people = [standin.act("add", userid="wanglei", welcome=False, callback=False) for _ in range(10_000)]
    body = {"sender": "wanglei", "external_userid": [row["external_userid"] for row in people]}
    with standin:
        connection = _connect(standin.port)
        token = _ask(connection, f"gettoken?corpid={DEMO_CORP_ID}&corpsecret={DEMO_SECRET}")["access_token"]
        begun = time.monotonic()
        path = f"externalcontact/add_msg_template?access_token={token}"
        made = [_ask(connection, path, {**body, "text": {"content": "a"}}) for _ in range(receivers // 10_000)]
        called = time.monotonic()
        standin.act("confirm")
        confirmed = time.monotonic()
        rows = sum(_results(connection, token, answer["msgid"]) for answer in made)
        read = time.monotonic()
    return [
        {"bench": "standin_broadcasts", "value": round(called - begun, 2), "unit": "s", "receivers": receivers},
        {"bench": "standin_confirmations", "value": round(confirmed - called, 2), "unit": "s", "receivers": receivers},
        {"bench": "standin_results", "value": round(rows / (read - confirmed)), "unit": "rows/s", "rows": rows},
    ]


def _results(connection: http.client.HTTPConnection, token: str, msgid: str) -> int:
    rows, cursor = 0, ""
    while rows == 0 or cursor:
        body = {"msgid": msgid, "userid": "wanglei", "limit": 1000, "cursor": cursor}
        answer = _ask(connection, f"externalcontact/get_groupmsg_send_result?access_token={token}", body)
        rows, cursor = rows + len(answer["send_list"]), answer["next_cursor"]
    return rows


def measure_callbacks(count: int) -> dict[str, Any]:
    """Events a second from the act to the receiver's 200, with a receiver in this process."""
    receiver = _Server(("127.0.0.1", 0), _Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    standin = StandIn(callback_url=f"http://127.0.0.1:{receiver.server_port}/", verify_url=False)
    with standin:
        standin.act("create_user", userid="wanglei", callback=False)
        begun = time.monotonic()
        for _ in range(count):
            standin.act("add", userid="wanglei")
        standin.callbacks.wait_idle(300)
        seconds = time.monotonic() - begun
    receiver.shutdown()
    return {"bench": "standin_callbacks", "value": round(count / seconds), "unit": "callbacks/s", "size": count}


class _Server(ThreadingHTTPServer):
    request_queue_size = 256


class _Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


def _connect(port: int) -> http.client.HTTPConnection:
    end = time.monotonic() + STARTING
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.connect()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return connection


def _ask(connection: http.client.HTTPConnection, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    method = "GET" if body is None else "POST"
    connection.request(method, f"/cgi-bin/{path}", json.dumps(body).encode() if body is not None else None)
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    return answer


def _read_all(connection: http.client.HTTPConnection) -> tuple[int, int, float]:
    token = _ask(connection, f"gettoken?corpid={DEMO_CORP_ID}&corpsecret={DEMO_SECRET}")["access_token"]
    users = _ask(connection, f"externalcontact/get_follow_user_list?access_token={token}")["follow_user"]
    pages, rows, cursor, begun = 0, 0, "", time.monotonic()
    while True:
        body = {"userid_list": users[:100], "limit": 100, "cursor": cursor}
        answer = _ask(connection, f"externalcontact/batch/get_by_user?access_token={token}", body)
        pages, rows, cursor = pages + 1, rows + len(answer["external_contact_list"]), answer["next_cursor"]
        if not cursor:
            return pages, rows, time.monotonic() - begun


def _resident_mb(pid: int) -> int:
    """Peak resident memory of a process (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    return 0


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(prog="standin.measure")
    parser.add_argument("--customers", type=int, default=300_000)
    parser.add_argument("--port", type=int, default=9199)
    parser.add_argument("--callbacks", type=int, default=3000)
    parser.add_argument("--receivers", type=int, default=320_000)
    options = parser.parse_args()
    for row in (
        *measure_pages(options.customers, options.port),
        measure_callbacks(options.callbacks),
        *measure_broadcasts(options.receivers),
    ):
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
