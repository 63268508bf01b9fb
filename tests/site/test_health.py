"""/healthz, /readyz, /metrics and the domain proofs."""

import datetime as dt
import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from contacts.models import Staff
from scrm.base.models import Heartbeat, User, Work
from scrm.site.views import health
from scrm.wecom.models import Callback
from tests.site import world


@pytest.fixture
def client() -> Client:
    return Client(headers={"host": "localhost"})


def test_healthz_touches_nothing(client: Client) -> None:
    """No database fixture: a query would raise."""
    assert (client.get("/healthz").status_code, client.get("/healthz").content) == (200, b"ok")


class TestReadyz:
    def test_reports_what_contract_names(
        self, client: Client, wanglei: Staff, zhaomin: Staff, alice: User, moment: dt.datetime
    ) -> None:
        world.build(wanglei, zhaomin, alice, moment, size=3)
        Work.objects.filter(pk=Work.objects.latest("pk").pk).update(state=Work.State.WAITING, not_before=moment)
        Heartbeat.objects.create(queue="mirror", worker="mirror@host")
        answer = client.get("/readyz")
        found = answer.json()
        assert answer.status_code == 200
        assert (found["ready"], found["database"], found["redis"], found["wecom_token"]) == (True, "ok", "ok", "none")
        assert (found["inbox"]["waiting"], found["inbox"]["failed"]) == (1, 2)
        assert 1790 < found["inbox"]["oldest_seconds"] < 1900
        assert list(found["workers"]) == ["mirror"]
        assert 0 <= found["workers"]["mirror"] < 10

    def test_stays_ready_without_redis(self, client: Client, db: None, settings: Any) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["redis"], answer.json()["wecom_token"]) == (200, "away", "unknown")

    def test_says_that_nothing_is_configured(self, client: Client, db: None, settings: Any) -> None:
        settings.WECOM_SECRET = ""
        assert client.get("/readyz").json()["wecom_token"] == "not_configured"

    def test_waits_in_the_demo_until_every_worker_was_seen(
        self, client: Client, db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DEMO_QUEUES", "welcome,mirror,sending")
        Heartbeat.objects.create(queue="mirror", worker="mirror@host")
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["waiting_for"]) == (503, ["sending", "welcome"])
        for queue in ("sending", "welcome"):
            Heartbeat.objects.create(queue=queue, worker=f"{queue}@host")
        assert client.get("/readyz").status_code == 200

    def test_is_not_ready_while_a_migration_is_missing(
        self, client: Client, db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(health, "_migrated", False)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE app = 'contacts'")
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["database"]) == (503, "migrations are missing")

    def test_is_not_ready_without_a_database(self, client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health, "_migrated", False)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute("DROP TABLE base_work CASCADE")
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["ready"]) == (503, False)


class TestMetrics:
    def test_count_what_happened_without_naming_anybody(
        self, client: Client, wanglei: Staff, zhaomin: Staff, alice: User, moment: dt.datetime
    ) -> None:
        world.build(wanglei, zhaomin, alice, moment)
        text = client.get("/metrics").content.decode()
        for line in (
            'scrm_work_failed{lane="mirror:contact"} 2.0',
            'scrm_welcomes_total{outcome="sent"} 4.0',
            "scrm_customers 4.0",
            "scrm_group_chats 2.0",
            "scrm_redis_up 1.0",
            'scrm_sending{position="on"} 1.0',
        ):
            assert line in text.splitlines(), line
        for name in ("wanglei", "王磊", "alice", *Callback.objects.values_list("entity", flat=True)):
            assert name not in text

    def test_are_closed_to_other_machines(self, client: Client, db: None) -> None:
        assert client.get("/metrics", REMOTE_ADDR="10.0.0.9").status_code == 403

    def test_are_closed_to_whom_a_local_proxy_passes_on(self, client: Client, db: None) -> None:
        assert client.get("/metrics", headers={"x-forwarded-for": "203.0.113.7"}).status_code == 403

    @pytest.mark.parametrize(("given", "status"), [("right", 200), ("wrong", 403), ("", 403)])
    def test_open_with_the_token(self, client: Client, db: None, settings: Any, given: str, status: int) -> None:
        settings.METRICS_TOKEN = "right"
        headers = {"authorization": f"Bearer {given}"} if given else {}
        assert client.get("/metrics", REMOTE_ADDR="10.0.0.9", headers=headers).status_code == status

    def test_go_on_without_redis(self, client: Client, db: None, settings: Any) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        assert "scrm_redis_up 0.0" in client.get("/metrics").content.decode().splitlines()

    def test_say_that_the_database_is_away(self, client: Client, db: None) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE base_work CASCADE")
        assert client.get("/metrics").status_code == 503


class TestDomainProofs:
    def test_are_served_from_the_setting(self, client: Client, settings: Any, db: None) -> None:
        settings.DOMAIN_PROOFS = ["WW_verify_abc123.txt=abc123", "MP_verify_x.txt=yz"]
        answer = client.get("/WW_verify_abc123.txt")
        assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (200, b"abc123", "text/plain")
        assert client.get("/MP_verify_x.txt").content == b"yz"

    def test_of_other_names_are_not_found(self, client: Client, settings: Any, db: None) -> None:
        settings.DOMAIN_PROOFS = ["WW_verify_abc123.txt=abc123"]
        assert client.get("/WW_verify_other.txt").status_code == 404


def test_readyz_is_json(client: Client, db: None) -> None:
    assert isinstance(json.loads(client.get("/readyz").content), dict)
