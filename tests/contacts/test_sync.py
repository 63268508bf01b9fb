"""The full sync of people, over the stand-in's real HTTP."""

from typing import Any

from contacts import sync
from contacts.models import Customer, Follow, Staff, SyncRun
from scrm.base.models import Work


def hire(standin: Any, *userids: str) -> None:
    for userid in userids:
        standin.act("create_user", callback=False, userid=userid, name=userid.title())


def befriend(standin: Any, userid: str, count: int, **given: Any) -> list[str]:
    return [standin.act("add", callback=False, userid=userid, **given)["external_userid"] for _ in range(count)]


def synced() -> SyncRun:
    return sync.run_inline(sync.start())


def test_reads_every_page_of_every_staff_member(standin: Any) -> None:
    hire(standin, "wanglei", "zhaomin")
    mine = befriend(standin, "wanglei", 230, state="ch_1")
    others = befriend(standin, "zhaomin", 5)

    run = synced()

    assert (run.state, run.error) == ("done", "")
    assert set(Customer.objects.values_list("external_userid", flat=True)) == {*mine, *others}
    assert Follow.objects.open().filter(staff__userid="wanglei", state="ch_1", added_known_by="sync").count() == 230
    assert Staff.objects.filter(serves_customers=True).count() == 2
    assert standin.calls.as_dict()["externalcontact/batch/get_by_user"]["calls"] == 4
    assert run.counts["customers"] == 235
