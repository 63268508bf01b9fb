"""Each kind of process killed while traffic runs, and processes changed in turn: the ledgers end as the platform's."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlencode

import pytest

from tests import processes
from tests.corp import Corp
from tests.faults.installation import Installation, Record, Web, answer_of, children, edited, seen

pytestmark = [pytest.mark.timeout(300), pytest.mark.faults]

TAKEN_OVER = 3.0  # seconds after which a dead worker's welcome is in other hands


def greeted(corp: Corp) -> Counter[str]:
    return Counter(row["external_userid"] for row in corp.welcomes())


def add(corp: Corp, web: Web, name: str) -> None:
    corp.act("add", userid="wanglei", external_userid=name, name=name)
    assert web.post(corp, corp.standin.last_callback().xml) == 200


def served(installation: Installation, queue: str, workers: int) -> bool:
    sql = "SELECT count(*) FROM base_heartbeat WHERE queue = %s"
    return installation.rows(sql, queue) == [(workers,)]


@pytest.fixture
def corp(installation: Installation) -> Iterator[Corp]:
    with installation.standin() as driver:
        for userid, name in (("wanglei", "王磊"), ("zhaomin", "赵敏")):
            driver.act("create_user", userid=userid, name=name, departments=[1])
        yield driver


def test_a_dead_workers_welcomes_are_taken_over_in_time(
    installation: Installation, corp: Corp, record_property: Record
) -> None:
    """Three workers; one is killed with welcomes written and not yet sent."""
    with ExitStack() as stack:
        web = stack.enter_context(installation.web())
        doomed = stack.enter_context(installation.worker("welcome", SENDING="on", FAILPOINT="welcome.written:3"))
        stack.enter_context(installation.worker("welcome", SENDING="on"))
        seen(lambda: served(installation, "welcome", 2), 60)
        names = [f"wm{number}" for number in range(200)]
        for name in names:
            add(corp, web, name)
            if doomed.poll() is not None:
                break
        dead = time.monotonic()
        sent = set(names[: names.index(name) + 1])
        assert doomed.returncode == -signal.SIGKILL
        seen(lambda: set(greeted(corp)) == sent, 15)

        took = time.monotonic() - dead
        record_property("s until taken over:", round(took, 2))
        assert took < TAKEN_OVER + 0.5
        assert greeted(corp) == Counter(sent)
        outcomes = "SELECT outcome, count(*) FROM campaigns_welcome GROUP BY 1"  # written after the platform's answer
        seen(lambda: installation.rows(outcomes) == [("sent", len(sent))], 5)


@pytest.mark.parametrize("victim", ["web worker", "web server", "welcome", "mirror", "beat"])
def test_traffic_goes_on_when_a_process_is_killed(installation: Installation, corp: Corp, victim: str) -> None:
    """The killed one is started again, as its supervisor does; the platform tries each event three times."""
    commands = {
        "web server": [
            *processes.granian(processes.free_port()),
            "--respawn-failed-workers",
            "--respawn-interval",
            "1",
        ],
        "welcome": processes.worker("welcome"),
        "mirror": processes.worker("mirror"),
        "beat": processes.beat(),
    }
    port = int(commands["web server"][commands["web server"].index("--port") + 1])
    web = Web(port)
    with ExitStack() as stack:
        running = {name: stack.enter_context(installation.process(it, SENDING="on")) for name, it in commands.items()}
        processes.wait_for(f"http://127.0.0.1:{port}/healthz")
        seen(lambda: served(installation, "welcome", 1) and served(installation, "mirror", 1), 60)
        given_up = []
        for number in range(60):
            if number == 20:
                if victim == "web worker":
                    os.kill(worker_of(running["web server"].pid), signal.SIGKILL)
                else:
                    processes.kill(running[victim])
                    stack.enter_context(installation.process(commands[victim], SENDING="on"))
            corp.act("add", userid="wanglei", external_userid=f"wm{number}", name=f"客户{number}")
            if not tried_as_the_platform_does(web, corp, corp.standin.last_callback().xml):
                given_up.append(number)
        everybody = {f"wm{number}" for number in range(60)}
        seen(lambda: set(greeted(corp)) == everybody, 40)
        seen(lambda: open_work(installation, "mirror:contact") == 0, 60)

        assert given_up == []
        assert greeted(corp) == Counter(everybody)
        assert installation.rows("SELECT DISTINCT outcome FROM campaigns_welcome") == [("sent",)]
        kept = {name for (name,) in installation.rows("SELECT external_userid FROM contacts_customer")}
        assert kept == everybody
        assert installation.rows("SELECT count(*) FROM contacts_follow WHERE ended_at IS NULL") == [(60,)]


def tried_as_the_platform_does(web: Web, corp: Corp, xml: bytes) -> bool:
    """At once, after 5 s and after 10 s (platform.md)."""
    for wait in (0.0, 5.0, 5.0):
        time.sleep(wait)  # the platform's pause, not ours
        if web.post(corp, xml) == 200:
            return True
    return False


def worker_of(server: int) -> int:
    """Granian's process that answers, by its open port: its parent only watches."""
    return max(children(server))


def open_work(installation: Installation, lane: str) -> int:
    sql = "SELECT count(*) FROM base_work WHERE lane = %s AND state IN ('waiting', 'leased') AND attempts < 3"
    ((count,),) = installation.rows(sql, lane)
    return int(count)


class Proxy:
    """As nginx before two servers with the README's `proxy_next_upstream`: a server that takes no connection, or breaks it,
    is passed over. A server that ends resets what waits at its door."""

    def __init__(self, *ports: int) -> None:
        self.ports = ports

    def post(self, corp: Corp, xml: bytes) -> int:
        signed = corp.standin.callbacks.signed(xml)
        for port in self.ports:
            url = f"http://127.0.0.1:{port}/wecom/callback/?{urlencode(signed.query)}"
            if status := answer_of(url, signed.body, 5)[0]:
                return status
        return 0


@contextmanager
def under_load(post: object, corp: Corp, answers: dict[str, int]) -> Iterator[None]:
    """Four senders post one event after the other while the block lasts."""
    over = threading.Event()

    def send(sender: int) -> None:
        number = 0
        while not over.is_set():
            name = f"wm{sender}x{number}"
            answers[name] = post(corp, edited(name))  # type: ignore[operator]
            number += 1

    senders = [threading.Thread(target=send, args=(sender,)) for sender in range(4)]
    for sender in senders:
        sender.start()
    try:
        yield
    finally:
        over.set()
        for sender in senders:
            sender.join()


def test_two_web_servers_changed_in_turn_fail_no_callback(installation: Installation, corp: Corp) -> None:
    """README, Upgrading: SIGTERM to one, its next version started, then the other."""
    answers: dict[str, int] = {}
    with ExitStack() as stack:
        first, second = stack.enter_context(installation.web()), stack.enter_context(installation.web())
        with under_load(Proxy(first.port, second.port).post, corp, answers):
            for web in (first, second):
                before = len(answers)
                seen(lambda: len(answers) > before + 40, 60)  # noqa: B023  seen at once
                begun = time.monotonic()
                assert web.child is not None
                web.child.terminate()
                web.child.wait(20)
                assert time.monotonic() - begun < 10.0
                stack.enter_context(installation.process(processes.granian(web.port)))
                processes.wait_for(f"http://127.0.0.1:{web.port}/healthz")

        assert Counter(answers.values()) == {200: len(answers)}
        assert {f"contact:{name}" for name in answers} == installation.stored()


def test_a_worker_that_is_told_to_end_has_ended_within_ten_seconds(
    installation: Installation, corp: Corp, record_property: Record
) -> None:
    """What it has in hand is finished, what waits is the next one's; nobody is greeted twice."""
    with installation.web() as web, installation.worker("welcome", SENDING="on") as old:
        seen(lambda: served(installation, "welcome", 1), 60)
        with installation.worker("welcome", SENDING="on"):
            seen(lambda: served(installation, "welcome", 2), 60)
            for number in range(40):
                add(corp, web, f"wm{number}")
                if number == 30:
                    old.terminate()
            begun = time.monotonic()
            old.wait(20)
            took = time.monotonic() - begun
            record_property("s until ended:", round(took, 2))
            assert took < 10.0
            everybody = {f"wm{number}" for number in range(40)}
            seen(lambda: set(greeted(corp)) == everybody, 30)

            assert greeted(corp) == Counter(everybody)
