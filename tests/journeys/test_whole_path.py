"""The whole path with real processes: scan → callback → welcome → join → leave → rejoin → sync → numbers."""

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from campaigns.models import Welcome
from contacts.models import Channel, Follow
from groups.models import Stay
from scrm.base import clock
from scrm.base.models import ApiToken, User
from scrm.standin.server import StandIn
from tests import processes

pytestmark = pytest.mark.timeout(240)


class Deployment:
    """Our web server and workers, and the corp whose events reach them over HTTP."""

    def __init__(self, standin: StandIn, port: int, token: str) -> None:
        self.standin = standin
        self.base = f"http://127.0.0.1:{port}"
        self._headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str, **parameters: Any) -> Any:
        answer = requests.get(f"{self.base}/api/v1/{path}", params=parameters, headers=self._headers, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any) -> Any:
        answer = requests.post(f"{self.base}/api/v1/{path}", json=body, headers=self._headers, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def value(self, metric: str) -> Any:
        (point,) = self.get("metrics/", metric=metric)
        return point["value"]


@pytest.fixture
def deployment(committed: None, settings: Any, alice: User) -> Iterator[Deployment]:
    port = processes.free_port()
    standin = StandIn(
        scenario="empty",
        corp_id=settings.WECOM_CORP_ID,
        secret=settings.WECOM_SECRET,
        callback_token=settings.WECOM_CALLBACK_TOKEN,
        aes_key=settings.WECOM_CALLBACK_AES_KEY,
        callback_url=f"http://127.0.0.1:{port}/wecom/callback/",
    )
    standin.start()
    environment = {"WECOM_API_URL": standin.url}
    settings.WECOM_API_URL = standin.url
    with (
        processes.process(processes.granian(port), environment),
        processes.process(processes.worker("welcome,mirror,sync,rollup"), environment),
    ):
        processes.wait_for(f"http://127.0.0.1:{port}/healthz")
        yield Deployment(standin, port, ApiToken.issue(alice, "admin"))
    standin.stop()


def manage(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=processes.ROOT, capture_output=True, text=True, check=False
    )


def test_from_the_scan_to_the_number_on_the_funnel(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    standin, begun = deployment.standin, clock.today().isoformat()
    monkeypatch.setenv("WECOM_API_URL", standin.url)
    standin.act("create_user", userid="wanglei", name="王磊", departments=[1])
    standin.act("create_tag", group="意向", name="高")
    Channel.objects.create(state="ch_1", name="包裹卡")
    assert manage("syncall").returncode == 0

    lin = standin.act("add", userid="wanglei", name="小林", state="ch_1")["external_userid"]
    processes.eventually(lambda: len(list(standin.welcomes())) == 1)
    processes.eventually(lambda: bool(deployment.get(f"customers/{lin}/")["name"]))
    customer = deployment.get(f"customers/{lin}/")
    assert customer["name"] == "小林"
    assert customer["channel"] == {"state": "ch_1", "name": "包裹卡"}
    assert [follow["userid"] for follow in customer["follows"]] == ["wanglei"]

    chat = standin.act("create_chat", owner="wanglei", name="福利群")["chat_id"]
    processes.eventually(lambda: bool(deployment.get("group-chats/")["results"]))
    for verb, stays, present in (("join", 1, 1), ("leave", 1, 0), ("join", 2, 1)):
        standin.act(verb, chat_id=chat, members=lin)
        rows = Stay.objects.filter(member_id=lin)
        processes.eventually(lambda: (rows.count(), rows.present().count()) == (stays, present))  # noqa: B023  waited for here
        time.sleep(1.1)  # another second for the next happening
    members = deployment.get(f"group-chats/{chat}/members/")["results"]
    mine = [row for row in members if row["member_id"] == lin]
    assert [(row["kind"], row["left_known_by"]) for row in mine] == [("customer", None), ("customer", "event")]

    done = manage("syncall")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (Follow.objects.count(), Stay.objects.filter(member_id=lin).count()) == (1, 2)
    assert len(list(standin.welcomes())) == 1

    assert manage("drain", "--timeout", "60").returncode == 0
    assert {name: deployment.value(name) for name in ("adds", "new_customers", "joins", "joiners", "leaves")} == {
        "adds": 1, "new_customers": 1, "joins": 2, "joiners": 1, "leaves": 1,
    }  # fmt: skip
    assert (deployment.value("customers"), deployment.value("members")) == (1, 1)
    assert (deployment.value("welcomes_due"), deployment.value("welcomes_sent")) == (1, 1)
    assert deployment.value("welcome_rate") == 1
    steps = deployment.post("funnels/", {"steps": ["added", "welcomed", "joined"], "from": begun, "window_days": 7})
    assert [(step["step"], step["customers"]) for step in steps] == [("added", 1), ("welcomed", 1), ("joined", 1)]
    latency = Welcome.objects.get().latency_ms
    assert latency is not None and latency < 18_000
