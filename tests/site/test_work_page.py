"""The page of work: how it goes by lane, why it failed, and doing it again."""

import datetime as dt
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from contacts.models import Staff, SyncRun, SyncStep
from scrm.base.console import naming
from scrm.base.models import AuditRecord, Heartbeat, User, Work
from scrm.base.work import lanes, replay_failed, watch
from scrm.base.work.lanes import QUEUES
from tests.site import world

ADDRESS = "/admin/base/work/"
State = Work.State


@pytest.fixture
def console(alice: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(alice)
    return client


def work(number: int, lane: str = "mirror:contact", state: str = State.QUARANTINED, **fields: Any) -> Work:
    given = {"source_kind": "callback", "entity": f"contact:wm{number}", "error": "WecomError: 40096"} | fields
    return Work.objects.create(source_id=number, lane=lane, state=state, **given)


def messages_of(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_every_lane_and_queue_has_a_name() -> None:
    assert [name for name in [*lanes, *QUEUES] if naming.title(name) == name] == []


def test_every_source_of_work_has_a_name() -> None:
    for kind in ("callback", "sync_step", "dispatch", "reminder", "announcement"):
        assert naming.source_title(kind) != kind


class TestState:
    def test_counts_what_each_lane_settled_lately(self, db: None) -> None:
        work(1, state=State.DONE, settled_at=Now())
        work(2, state=State.IGNORED, settled_at=Now())
        work(3, state=State.DONE, settled_at=Now() - dt.timedelta(minutes=11))
        work(4, lane="welcome", state=State.DONE, settled_at=Now())
        work(5)

        assert watch.settled_lately() == {"mirror:contact": 2, "welcome": 1}

    def test_groups_failures_by_lane_and_how_the_error_begins(self, db: None) -> None:
        for number in range(3):
            work(number)
        last = work(3, lane="welcome", error="ValueError: x")
        work(4, state=State.WAITING, error="ValueError: waits")

        assert watch.errors() == [
            {"lane": "mirror:contact", "start": "WecomError: 40096", "number": 3, "last": last.pk - 1},
            {"lane": "welcome", "start": "ValueError: x", "number": 1, "last": last.pk},
        ]

    def test_tells_a_living_worker_from_one_that_was_seen_long_ago(self, db: None) -> None:
        Heartbeat.objects.create(queue="welcome", worker="one")
        Heartbeat.objects.create(queue="welcome", worker="two")
        Heartbeat.objects.create(queue="mirror", worker="three", seen_at=Now() - dt.timedelta(seconds=31))

        found = {item["queue"]: (item["alive"], item["workers"]) for item in watch.queues()}

        assert found == {"welcome": (2, ["one", "two"]), "mirror": (0, ["three"]), "sending": (0, []), "sync": (0, [])}

    def test_leads_from_an_error_to_its_rows(self, console: Client) -> None:
        work(1, error="KeyError: 'a&b'=?")
        work(2, error="KeyError: other")
        text = console.get(ADDRESS).content.decode()
        link = "?view=failed&amp;lane=mirror%3Acontact&amp;cause=KeyError%3A%20%27a%26b%27%3D%3F"
        assert link in text

        rows = console.get(f"{ADDRESS}{link.replace('&amp;', '&')}").context["cl"].result_list

        assert [row.source_id for row in rows] == [1]

    def test_links_the_source_of_each_row(self, console: Client, moment: dt.datetime) -> None:
        run = SyncRun.objects.create(started_at=moment)
        step = SyncStep.objects.create(run=run, kind="tags")
        work(7)
        work(step.pk, lane="sync", source_kind="sync_step", entity="sync:1")
        work(9, lane="welcome", source_kind="announcement")

        rows = console.get(ADDRESS).context["cl"].result_list

        assert {row.source_kind: row.source_page for row in rows} == {
            "callback": "/admin/wecom/callback/7/change/",
            "sync_step": f"/admin/contacts/syncrun/{run.pk}/change/",
            "announcement": "",
        }


class TestReplayOfALane:
    def test_opens_what_failed_there_and_nothing_else(self, db: None) -> None:
        failed = [work(1), work(2)]
        others = [work(1, lane="welcome"), work(3, state=State.DONE), work(4, state=State.LEASED, attempts=2)]

        assert replay_failed("mirror:contact") == 2

        assert set(Work.objects.filter(state=State.WAITING)) == set(failed)
        for row in others:
            before = (row.state, row.attempts, row.error)
            row.refresh_from_db()
            assert (row.state, row.attempts, row.error) == before

    def test_is_a_button_that_is_noted(self, console: Client) -> None:
        work(1)
        assert "replay-lane" in console.get(ADDRESS).content.decode()

        answer = console.post(f"{ADDRESS}replay-lane/", {"lane": "mirror:contact"}, follow=True)

        assert messages_of(answer) == ["1 项任务将重新处理。"]
        row = Work.objects.get()
        assert (row.state, row.attempts, row.error) == (State.WAITING, 0, "")
        note = AuditRecord.objects.get(deed="work.replay")
        assert (note.username, note.subject, note.detail["count"]) == ("alice", "mirror:contact", 1)

    def test_of_a_lane_without_failures_does_nothing(self, console: Client) -> None:
        work(1, state=State.DONE)
        console.post(f"{ADDRESS}replay-lane/", {"lane": "nosuch"})
        console.post(f"{ADDRESS}replay-lane/", {"lane": "mirror:contact"})
        assert Work.objects.get().state == State.DONE

    def test_is_not_done_by_a_link_nor_by_others(self, console: Client, bob: User) -> None:
        work(1)
        assert console.get(f"{ADDRESS}replay-lane/?lane=mirror:contact").status_code == 302
        client = Client(headers={"host": "localhost"})
        client.force_login(bob)
        assert client.post(f"{ADDRESS}replay-lane/", {"lane": "mirror:contact"}).status_code == 403
        assert Work.objects.get().state == State.QUARANTINED


class TestReplayOfChosen:
    def asked(self, *ids: int, **fields: str) -> dict[str, Any]:
        return {"action": "replay_chosen", "_selected_action": list(ids), **fields}

    def test_asks_first(self, console: Client) -> None:
        rows = [work(1), work(2)]

        answer = console.post(f"{ADDRESS}?view=failed", self.asked(*(row.pk for row in rows)))

        assert answer.context["count"] == 2
        assert answer.context["groups"] == [("客户变更", "失败", 2)]
        assert set(Work.objects.values_list("state", flat=True)) == {State.QUARANTINED}
        assert not AuditRecord.objects.filter(deed="work.replay").exists()

    def test_and_does_it_when_confirmed(self, console: Client) -> None:
        chosen, other = work(1), work(2)

        console.post(f"{ADDRESS}?view=failed", self.asked(chosen.pk, confirmed="1"))

        assert list(Work.objects.filter(state=State.WAITING)) == [chosen]
        assert list(Work.objects.filter(state=State.QUARANTINED)) == [other]
        assert AuditRecord.objects.filter(deed="work.replay", username="alice").count() == 1

    def test_takes_all_that_match_not_only_the_page(self, console: Client) -> None:
        for number in range(35):
            work(number)
        outside = work(99, lane="welcome")
        asked = self.asked(Work.objects.earliest("pk").pk, select_across="1")

        answer = console.post(f"{ADDRESS}?view=failed&lane=mirror:contact", asked)
        assert answer.context["count"] == 35
        kept = {"action", "select_across", "_selected_action"}
        assert {name for name, _value in answer.context["kept"]} == kept
        console.post(answer.context["back"], asked | {"confirmed": "1"})

        assert Work.objects.filter(state=State.WAITING).count() == 35
        outside.refresh_from_db()
        assert outside.state == State.QUARANTINED


class TestBudget:
    def test_shows_calls_failures_and_the_pause(self, console: Client, committed_redis: None) -> None:
        from scrm.wecom import quotas
        from scrm.wecom.gates import SharedGate

        for _ in range(3):
            with quotas.slot("externalcontact/get"):
                pass
        with pytest.raises(RuntimeError), quotas.slot("externalcontact/groupchat/get"):
            raise RuntimeError
        SharedGate(quotas.scope()).pause("externalcontact/groupchat/get")

        answer = console.get("/admin/wecom/apicall/")

        shown = {item.api: (item.hour, item.failed) for item in answer.context["usage"]}
        assert shown == {"externalcontact/get": (3, 0), "externalcontact/groupchat/get": (1, 1)}
        text = answer.content.decode()
        assert "暂停中，还剩" in text
        assert "?api=externalcontact%2Fgroupchat%2Fget&amp;errcode=-" in text

    def test_says_that_redis_is_away(self, console: Client, settings: Any) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        answer = console.get("/admin/wecom/apicall/")
        assert answer.context["usage"] is None
        assert "Redis" in answer.content.decode()

    def test_is_for_administrators(self, bob: User) -> None:
        client = Client(headers={"host": "localhost"})
        client.force_login(bob)
        assert client.get("/admin/wecom/apicall/").status_code == 403


@pytest.fixture
def committed_redis() -> None:
    from scrm.base.redis import client

    client().flushdb()


def test_a_company_s_work_is_shown_with_everything_around_it(
    console: Client, wanglei: Staff, zhaomin: Staff, alice: User, moment: dt.datetime
) -> None:
    world.build(wanglei, zhaomin, alice, moment)
    answer = console.get(f"{ADDRESS}?view=failed")
    assert [item["title"] for item in answer.context["errors"]] == ["客户变更"]
    assert answer.context["cl"].result_count == 2
