"""Our product, connected to the other platform."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as configured
from wechatpy.work.crypto import WeChatCrypto

from contacts import sync
from contacts.models import Customer, Follow, SyncRun
from groups.models import Stay
from scrm.base.models import Work
from scrm.base.work import run
from tests.corp import ask
from tests.otherplatform.callbacks import Channel, Query, deliver
from tests.otherplatform.corp import Corp
from tests.otherplatform.corp import Stay as Truth
from tests.otherplatform.server import App, Platform, serving

PATIENCE = 20.0  # seconds for reads that wait for a newer answer


class Clock:
    """The other platform's time, which passes when a test says so."""

    def __init__(self, at: float) -> None:
        self.at = float(int(at))

    def __call__(self) -> float:
        return self.at

    def pass_(self, seconds: float) -> None:
        self.at += seconds


class World:
    """A company at the other platform, and our product behind its callbacks."""

    def __init__(self, corp: Corp, platform: Platform) -> None:
        self.corp, self.platform = corp, platform
        crypto = WeChatCrypto(configured.WECOM_CALLBACK_TOKEN, configured.WECOM_CALLBACK_AES_KEY, corp.corp_id)
        self.channel = Channel(configured.WECOM_CALLBACK_TOKEN, crypto.key, corp.corp_id, 1000002)

    def post(self, query: Query, body: bytes) -> int:
        return ask("POST", query, body).status_code

    def deliver(self) -> None:
        """Every callback that waits reaches us."""
        assert deliver(self.corp, self.channel, self.post) == []

    def settle(self) -> None:
        """Does the work, also what waits for a later read."""
        until = time.monotonic() + PATIENCE
        run.run_due()
        while Work.objects.filter(state__in=["waiting", "leased"]).exists():
            assert time.monotonic() < until, list(Work.objects.values("lane", "entity", "state", "error"))
            time.sleep(0.02)
            run.run_due()

    def catch_up(self) -> None:
        self.deliver()
        self.settle()

    def sync(self) -> SyncRun:
        """A full sync, which must end well."""
        found = sync.start()
        sync.run_inline(found)
        found.refresh_from_db()
        assert found.state == SyncRun.State.DONE, (found.state, found.error)
        return found

    # The truth beside the ledger, in the same words.

    def true_follows(self) -> list[tuple[Any, ...]]:
        return sorted(
            (each.external_userid, each.userid, each.since, each.until, each.ended_by)
            for each in self.corp.truth.follows
        )

    def true_stays(self) -> list[tuple[Any, ...]]:
        return sorted(
            (each.chat_id, each.id, each.since, each.until, "staff" if each.type == 1 else "customer")
            for each in self.corp.truth.stays
        )

    def assert_ledgers_are_true(self) -> None:
        assert our_follows() == self.true_follows()
        assert our_stays(self.corp.truth.stays) == self.true_stays()
        for customer in Customer.objects.all():
            true = [each for each in self.corp.truth.listed(external_userid=customer.external_userid) if each.is_open]
            assert customer.open_follows == len(true), customer.external_userid


def our_follows() -> list[tuple[Any, ...]]:
    rows = Follow.objects.select_related("customer", "staff")
    return sorted(
        (row.customer.external_userid, row.staff.userid, seconds(row.added_at), seconds(row.ended_at), row.ended_by)
        for row in rows
    )


def our_stays(truth: list[Truth] | None = None) -> list[tuple[Any, ...]]:
    """Every stay. A leave that only a read showed is dated within bounds (platform.md 11): then the truth in them."""
    ends = {(each.chat_id, each.id, each.since): each.until for each in truth or []}
    found = []
    for row in Stay.objects.select_related("chat"):
        key = (row.chat.chat_id, row.member_id, int(row.joined_at.timestamp()))
        end, true = seconds(row.left_at), ends.get(key)
        if row.left_after and end and true and true <= end:
            end = true
        found.append((*key, end, "staff" if row.staff_id else "customer"))
    return sorted(found)


def seconds(moment: Any) -> int | None:
    return int(moment.timestamp()) if moment else None


@pytest.fixture
def passing() -> Clock:
    """Six hours ago: what happens in a test lies behind us, minutes apart."""
    return Clock(time.time() - 6 * 3600)


@pytest.fixture
def world(committed: None, settings: Any, passing: Clock) -> Iterator[World]:
    """王磊, 赵敏, a member whom the address book does not show, and one without customers; nothing known to us yet."""
    settings.CHAT_REREAD_DELAYS = (0.05, 0.05, 0.05)
    corp = Corp(settings.WECOM_CORP_ID, clock=passing)
    corp.department(2, "销售")
    corp.department(3, "客服")
    corp.hire("wanglei", "王磊", departments=[2])
    corp.hire("zhaomin", "赵敏🌸", departments=[3, 2])
    corp.hire("hidden", "", in_address_book=False)
    corp.hire("idle", "闲人", departments=[3])
    corp.tag("et1", "高", "etg1", "意向")
    corp.tag("et2", "低", "etg1", "意向")
    platform = Platform(corp, [App(settings.WECOM_SECRET, 1000002), App("another app's secret", 1000003)])
    with serving(platform) as address:
        settings.WECOM_API_URL = f"{address}/cgi-bin/"
        yield World(corp, platform)
    assert platform.unknown == set(), "the product asks for something that the other platform lacks"


@pytest.fixture
def later(world: World, passing: Clock) -> Callable[[], None]:
    """What has happened reaches us and is dealt with; two minutes pass."""

    def pass_() -> None:
        world.catch_up()
        passing.pass_(120)

    return pass_
