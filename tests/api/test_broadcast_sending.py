"""`broadcasts/` with a platform behind: what is posted and approved arrives."""

import time
from collections.abc import Callable
from typing import Any

from campaigns.models import Delivery, Dispatch
from contacts.models import Staff
from scrm.base import clock
from scrm.base.models import Work
from scrm.base.work import run
from tests.api.conftest import Api, iso
from tests.corp import Corp


def _work(until: Callable[[], bool]) -> None:
    """Lets the lanes work until it is so, for some seconds at most."""
    end = time.monotonic() + 15
    while not until() and time.monotonic() < end:
        Work.objects.filter(lane__in=["send", "results"], state="waiting").update(not_before="2000-01-01T00:00:00Z")
        run.run_due(["send", "results"])
    assert until()


def test_what_is_posted_and_approved_arrives(corp: Corp, api: Api, settings: Any, departments: list[Any]) -> None:
    settings.SENDING, settings.QUIET_HOURS = "on", "none"
    an_hour_ago = int(clock.now().timestamp()) - 3600  # the platform's times have no parts of a second
    for userid in ("wanglei", "zhaomin"):
        corp.happens("add", userid=userid, external_userid=f"wmOf{userid}", name="小林", welcome=False, at=an_hour_ago)
    Staff.objects.update(serves_customers=True)
    given = {"external_userids": ["wmOfwanglei", "wmOfzhaomin"]}
    pk = api.post("broadcasts/", {"name": "上新", "audience": given, "content": {"text": "新品上架"}}, status=201)["id"]
    run.run_due(["send"])
    assert corp.standin.ledger.of("broadcast") == []
    api.post(f"broadcasts/{pk}/approve/")

    _work(lambda: Dispatch.objects.filter(state="sent").count() == 2)
    assert [row["state"] for row in api.get(f"broadcasts/{pk}/deliveries/")["results"]] == ["waiting"] * 2
    corp.act("confirm", userid="wanglei")
    _work(lambda: Dispatch.objects.filter(settled_at__isnull=False).exists())

    shown = api.get(f"broadcasts/{pk}/")
    assert (shown["state"], shown["deliveries_sent"], shown["deliveries_open"]) == ("running", 1, 1)
    assert (shown["delivery_rate"], shown["confirm_rate"], shown["on_time_rate"]) == (0.5, 0.5, 0.5)
    assert (shown["confirmations_per_staff"], shown["group_reach"]) == (1.0, 1)
    (sent,) = api.get(f"broadcasts/{pk}/deliveries/", {"state": "sent"})["results"]
    told = Delivery.objects.get(state="sent")
    assert told.sent_at is not None and told.dispatch is not None
    assert sent == {
        "external_userid": "wmOfwanglei", "chat_id": None, "userid": "wanglei", "state": "sent", "reason": None,
        "msgid": told.dispatch.msgid, "sent_at": iso(told.sent_at),
    }  # fmt: skip
    api.post(f"broadcasts/{pk}/cancel/")
    _work(lambda: not Dispatch.objects.filter(settled_at__isnull=True).exists())
    shown = api.get(f"broadcasts/{pk}/")
    assert (shown["deliveries_sent"], shown["deliveries_cancelled"], shown["deliveries_open"]) == (1, 1, 0)
    assert len(corp.standin.ledger.of("broadcast")) == 2
    entry = api.get("customers/wmOfwanglei/timeline/")["results"][0]
    assert (entry["kind"], entry["cause"]) == ("broadcast", {"kind": "broadcast", "id": str(pk)})
    assert entry["occurred_at"] == iso(told.sent_at)
    assert entry["detail"] == {"name": "上新", "state": "sent", "text": "新品上架", "attachments": []}
    assert [row["kind"] for row in api.get("customers/wmOfzhaomin/timeline/")["results"]] == ["added"]
