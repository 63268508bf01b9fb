"""A corp with 10,000 customers is connected: everybody is known, nobody hears from us."""

from collections.abc import Iterator
from typing import Any

import pytest

from contacts import sync
from contacts.models import Customer, Follow, SyncRun
from groups.models import GroupChat, Stay
from scrm.base.models import Announcement, Work
from scrm.standin.server import StandIn

CUSTOMERS = 10_000


@pytest.fixture
def large(committed: None, settings: Any) -> Iterator[StandIn]:
    server = StandIn(
        scenario="beauty",
        customers=CUSTOMERS,
        corp_id=settings.WECOM_CORP_ID,
        secret=settings.WECOM_SECRET,
        callback_token=settings.WECOM_CALLBACK_TOKEN,
        aes_key=settings.WECOM_CALLBACK_AES_KEY,
    )
    server.start()
    settings.WECOM_API_URL = server.url
    yield server
    server.stop()


@pytest.mark.timeout(240)
def test_the_first_sync_of_ten_thousand_customers_sends_nothing(large: StandIn) -> None:
    run = sync.start()
    sync.run_inline(run)

    run.refresh_from_db()
    assert (run.state, run.first) == (SyncRun.State.DONE, True), run.error
    assert Customer.objects.added().count() >= CUSTOMERS
    assert Follow.objects.open().count() >= CUSTOMERS
    assert GroupChat.objects.count() > 10
    assert Stay.objects.present().count() > 1_000
    assert Stay.objects.joins().count() == 0
    assert list(large.ledger.of("welcome")) == []
    assert "externalcontact/send_welcome_msg" not in large.calls.as_dict()
    assert not Work.objects.exclude(lane="sync").exists()
    assert not Announcement.objects.exists()
