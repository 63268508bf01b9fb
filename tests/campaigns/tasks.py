"""The corp of the broadcast tests: staff with customers on both sides, and what the platform's ledger says."""

import datetime as dt
import json
import urllib.request
from typing import Any

from contacts.caches import refresh_customers
from contacts.models import Customer, Follow, Staff
from scrm.base import clock
from scrm.base.models import Work
from scrm.base.work import run
from tests.corp import Corp

LANES = ("send", "results")


class Tasks:
    """王磊 (wanglei) with wmW0…2 and 赵敏 (zhaomin) with wmZ0…2, in the stand-in and with us."""

    def __init__(self, corp: Corp) -> None:
        self.corp = corp
        for letter, userid, name in (("W", "wanglei", "王磊"), ("Z", "zhaomin", "赵敏")):
            staff = Staff.objects.create(userid=userid, name=name, serves_customers=True)
            for number in range(3):
                self.befriend(staff, f"wm{letter}{number}")
        self.settings(confirm="never")

    def befriend(self, staff: Staff, external_userid: str, *, half: bool = False) -> None:
        """Friends on both sides; no callback, so that tests of sending begin at once."""
        at = clock.now() - dt.timedelta(days=1)
        self.corp.standin.act(
            "half_add" if half else "add", callback=False, welcome=False, userid=staff.userid,
            external_userid=external_userid, at=int(at.timestamp()),
        )  # fmt: skip
        customer, _ = Customer.objects.get_or_create(external_userid=external_userid, name=external_userid)
        known = Follow.KnownBy.SYNC
        Follow.objects.create(staff=staff, customer=customer, added_at=at, added_known_by=known, half=half)
        refresh_customers([customer.pk])

    def settings(self, **given: Any) -> None:
        """Parameters of the stand-in."""
        self._post("settings", given)

    def fault(self, api: str, action: str, *, value: float = 0, times: int = 1) -> None:
        """The next `times` calls of `api` go wrong."""
        self._post("faults", {"api": api, "action": action, "value": value, "count": times})

    def no_faults(self) -> None:
        self.corp.standin.faults.clear()

    def work(self, rounds: int = 6) -> None:
        """Does what is due now; what waits for a while is due a few times more."""
        for _ in range(rounds):
            Work.objects.filter(lane__in=LANES, state="waiting").update(not_before="2000-01-01T00:00:00Z")
            run.run_due(LANES)

    def confirm(self, userid: str | None = None) -> None:
        """Staff press the button; we read what became of it."""
        self.corp.act("confirm", **({"userid": userid} if userid else {}))
        self.work()

    def chat(self, chat_id: str, owner: str, *, people: int) -> None:
        """A chat with so many external members."""
        self.corp.act("create_chat", owner=owner, name=chat_id, chat_id=chat_id)
        self.corp.act("join", chat_id=chat_id, members=[f"wmW{number}" for number in range(people)])
        self.corp.deliver()
        Work.objects.filter(state="waiting").update(not_before="2000-01-01T00:00:00Z")
        run.run_due()

    def ledger(self, kind: str) -> list[dict[str, Any]]:
        return [
            {key: value for key, value in row.items() if key not in {"seq", "kind", "at", "domain_at"}}
            for row in self.corp.standin.ledger.of(kind)
        ]

    def created(self) -> list[dict[str, Any]]:
        """Calls that made a task, oldest first."""
        return self.ledger("broadcast")

    def recipients(self) -> list[list[str]]:
        """The recipients of each of them, in an order that does not depend on who was faster."""
        return sorted(sorted(row["recipients"]) for row in self.created())

    def cancelled(self) -> list[str]:
        return [row["msgid"] for row in self.ledger("cancellation")]

    def _post(self, page: str, given: Any) -> None:
        address = f"{self.corp.standin.control_url.rstrip('/')}/{page}"
        body = json.dumps(given).encode()
        with urllib.request.urlopen(urllib.request.Request(address, data=body, method="POST"), timeout=5):
            pass
