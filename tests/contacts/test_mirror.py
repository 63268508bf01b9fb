"""The mirror of people: what events and reads make of the follow ledger."""

import datetime as dt
import time

import pytest

from contacts import follows, sync
from contacts.models import Customer, Department, Follow, Staff, Tag
from scrm.base import clock
from scrm.base.models import Work
from scrm.base.work import run
from scrm.wecom.models import Callback
from tests.corp import Corp
from tests.passing import Passing
from tests.processes import eventually


def periods(external_userid: str, userid: str = "wanglei") -> list[tuple[int, int | None, str]]:
    """(added, ended, ended by) in unix seconds, oldest first."""
    rows = Follow.objects.filter(customer__external_userid=external_userid, staff__userid=userid).order_by("added_at")
    return [
        (int(row.added_at.timestamp()), int(row.ended_at.timestamp()) if row.ended_at else None, row.ended_by)
        for row in rows
    ]


@pytest.fixture
def t0(moment: dt.datetime) -> int:
    return int(moment.timestamp())


def test_an_add_makes_a_customer_with_an_open_period(corp: Corp, t0: int) -> None:
    made = corp.happens("add", userid="wanglei", external_userid="wmLin", name="小林", state="ch_1", at=t0)

    customer = Customer.objects.get()
    assert (customer.external_userid, customer.name, customer.open_follows) == ("wmLin", "小林", 1)
    assert customer.first_state == "ch_1"
    assert customer.first_added_at == clock.from_unix(t0)
    assert periods("wmLin") == [(t0, None, "")]
    assert made["event"]
    assert not Work.objects.exclude(state="done").exists()


def test_a_customer_who_deletes_is_lost_though_the_platform_keeps_listing_them(corp: Corp, t0: int) -> None:
    corp.happens("add", userid="wanglei", external_userid="wmLin", at=t0)
    corp.happens("delete_by_customer", userid="wanglei", external_userid="wmLin", at=t0 + 100)

    assert periods("wmLin") == [(t0, t0 + 100, "customer")]
    assert Customer.objects.get().lost_at == clock.from_unix(t0 + 100)

    corp.happens("edit", userid="wanglei", external_userid="wmLin", remark="还在列表里")

    assert periods("wmLin") == [(t0, t0 + 100, "customer")]


def test_a_re_add_is_a_new_period_also_with_the_old_createtime(corp: Corp, t0: int) -> None:
    corp.happens("add", userid="wanglei", external_userid="wmLin", state="ch_1", at=t0)
    corp.happens("delete_by_customer", userid="wanglei", external_userid="wmLin", at=t0 + 100)
    corp.happens(
        "add", userid="wanglei", external_userid="wmLin", at=t0 + 300, keep_createtime=True, foreign_state=True
    )

    assert periods("wmLin") == [(t0, t0 + 100, "customer"), (t0 + 300, None, "")]
    assert Customer.objects.get().lost_at is None
    assert Follow.objects.open().get().state == "wb:1:4285486"
    assert Customer.objects.get().first_state == "ch_1"


def test_a_half_add_that_becomes_full_is_one_add(corp: Corp, t0: int) -> None:
    corp.happens("half_add", userid="wanglei", external_userid="wmLin", at=t0)
    assert Follow.objects.get().half

    corp.happens("upgrade", userid="wanglei", external_userid="wmLin", at=t0 + 600)

    assert periods("wmLin") == [(t0, None, "")]
    assert not Follow.objects.get().half


def test_a_staff_members_deletion_ends_the_period(corp: Corp, t0: int) -> None:
    corp.happens("add", userid="wanglei", external_userid="wmLin", at=t0)
    corp.happens("delete_by_staff", userid="wanglei", external_userid="wmLin", at=t0 + 50)

    assert periods("wmLin") == [(t0, t0 + 50, "staff")]


def test_a_hand_over_is_neither_add_nor_loss(corp: Corp, t0: int) -> None:
    corp.happens("add", userid="wanglei", external_userid="wmLin", at=t0)
    corp.happens("transfer", userid="wanglei", taker="zhaomin", external_userid="wmLin", at=t0 + 50)

    assert periods("wmLin") == [(t0, t0 + 50, "transfer")]
    assert Follow.objects.adds().count() == 1
    assert Follow.objects.losses().count() == 0
    assert Customer.objects.get().lost_at is None


def test_edits_bring_remark_and_tags(corp: Corp, t0: int) -> None:
    tag = corp.happens("create_tag", group="意向", name="高")["id"]
    corp.happens("add", userid="wanglei", external_userid="wmLin", at=t0)
    corp.happens("edit", userid="wanglei", external_userid="wmLin", remark="小林-杭州", add_tags=[tag])

    follow = Follow.objects.get()
    assert (follow.remark, follow.tag_ids) == ("小林-杭州", [tag])
    assert Tag.objects.get().name == "高"


def test_staff_are_renamed_and_leave(corp: Corp, t0: int) -> None:
    corp.happens("add", userid="wanglei", external_userid="wmLin", at=t0)
    corp.happens("rename_user", userid="wanglei", new_userid="wanglei2")

    assert periods("wmLin", "wanglei2") == [(t0, None, "")]
    assert not Staff.objects.filter(userid="wanglei").exists()

    corp.happens("delete_user", userid="wanglei2")

    assert Follow.objects.get().ended_by == "staff_left"
    assert Follow.objects.losses().count() == 0


def test_departments_follow_their_events(corp: Corp) -> None:
    corp.happens("create_party", name="华东", party_id=7, parentid=2)

    assert Department.objects.get(pk=7).path == [1, 2, 7]


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_the_order_of_events_does_not_matter(corp: Corp, t0: int, order: tuple[int, int, int]) -> None:
    corp.act("add", userid="wanglei", external_userid="wmLin", at=t0)
    corp.act("delete_by_customer", userid="wanglei", external_userid="wmLin", at=t0 + 100)
    corp.act("add", userid="wanglei", external_userid="wmLin", at=t0 + 200)
    events = corp.waiting

    for index in order:
        corp.deliver([events[index]], times=3)
        run.run_due()

    assert periods("wmLin") == [(t0, t0 + 100, "customer"), (t0 + 200, None, "")]
    assert Callback.objects.count() == 3
    assert {row.repeats for row in Callback.objects.all()} == {2}


def test_a_late_read_is_waited_for(corp: Corp, passes: Passing, settings: object) -> None:
    corp.standin.settings.change({"lag": 60})
    settings.CONTACT_READ_DELAYS = (0.0, 2.0)  # type: ignore[attr-defined]

    corp.happens("add", userid="wanglei", external_userid="wmLin", name="小林")

    assert Customer.objects.get().name == ""
    assert Work.objects.get(lane="mirror:contact").state == "waiting"

    passes(61)
    eventually(corp.nothing_is_left, 10)

    assert Customer.objects.get().name == "小林"
    assert Work.objects.get(lane="mirror:contact").state == "done"


def test_a_half_friend_whom_reads_do_not_show_is_not_lost(corp: Corp, t0: int, settings: object) -> None:
    corp.standin.settings.change({"half_listed": False})
    settings.FRESH_READ_SECONDS = 0  # type: ignore[attr-defined]
    Staff.objects.create(userid="wanglei", serves_customers=True)
    corp.happens("half_add", userid="wanglei", external_userid="wmLin", at=t0)

    assert periods("wmLin") == [(t0, None, "")]


def test_settled_work_keeps_no_reason_for_waiting(corp: Corp, settings: object) -> None:
    settings.CONTACT_READ_DELAYS = (0.0, 0.2)  # type: ignore[attr-defined]
    corp.happens("add", userid="wanglei", external_userid="wmLin", welcome=False)
    time.sleep(0.3)
    run.run_due()

    row = Work.objects.get(lane="mirror:contact")
    assert (row.state, row.error) == ("done", "")


def test_a_rename_merges_what_the_new_userid_has_made_already(corp: Corp, t0: int) -> None:
    corp.happens("add", userid="wanglei", external_userid="wmLin", at=t0)
    corp.act("rename_user", userid="wanglei", new_userid="wanglei2")
    rename = corp.waiting
    corp.act("add", userid="wanglei2", external_userid="wmMei", at=t0 + 60)
    corp.deliver(corp.waiting[1:])
    run.run_due()
    corp.deliver(rename)
    run.run_due()

    assert [row.userid for row in Staff.objects.all()] == ["wanglei2"]
    assert (periods("wmLin", "wanglei2"), periods("wmMei", "wanglei2")) == ([(t0, None, "")], [(t0 + 60, None, "")])


@pytest.mark.parametrize("late", [False, True])
def test_events_under_the_old_userid_are_the_same_members(corp: Corp, t0: int, late: bool) -> None:
    corp.happens("add", userid="wanglei", external_userid="wmLin", at=t0)
    corp.act("add", userid="wanglei", external_userid="wmMei", at=t0 + 60)
    corp.act("rename_user", userid="wanglei", new_userid="wanglei2")
    for event in reversed(corp.waiting) if late else corp.waiting:
        corp.deliver([event])
        run.run_due()

    assert [row.userid for row in Staff.objects.all()] == ["wanglei2"]
    assert periods("wmMei", "wanglei2") == [(t0 + 60, None, "")]


def test_reads_lag_by_the_machines_seconds_however_fast_the_domain_runs(corp: Corp, settings: object) -> None:
    """At 60 times the speed a friend of five minutes is five seconds old: no read need know of them yet."""
    settings.CLOCK_SPEED = 60  # type: ignore[attr-defined]
    Staff.objects.create(userid="wanglei", serves_customers=True)
    customer = Customer.objects.create(external_userid="wmLin")
    staff, now = Staff.objects.get(), clock.now()
    young = Follow.objects.create(staff=staff, customer=customer, added_at=now - dt.timedelta(minutes=5))

    assert follows.end_where_absent([staff], customer) == []

    Follow.objects.update(added_at=now - dt.timedelta(minutes=61))
    assert follows.end_where_absent([staff], customer) == [young]


def test_staff_first_named_by_an_event_are_introduced(corp: Corp, t0: int) -> None:
    corp.happens("add", userid="wanglei", external_userid="wmLin", at=t0, welcome=False)

    staff = Staff.objects.get()
    assert (staff.name, staff.department_ids) == ("王磊", [2])


def test_nobody_is_made_of_a_leave_of_somebody_unknown(corp: Corp) -> None:
    corp.act("create_user", userid="ghost", name="鬼", callback=False)
    corp.happens("delete_user", userid="ghost")

    assert Staff.objects.count() == 0


def test_tags_departments_and_staff_are_read_again_when_the_first_read_was_stale(
    corp: Corp, passes: Passing, settings: object
) -> None:
    settings.CONTACT_READ_DELAYS = (0.0, 2.0)  # type: ignore[attr-defined]
    Staff.objects.create(userid="wanglei", name="王磊")
    corp.standin.settings.change({"lag": 60})
    corp.act("create_tag", group="意向", name="高")
    corp.act("create_party", name="华东", party_id=7, parentid=2)
    corp.act("update_user", userid="wanglei", name="王大磊")
    corp.deliver()
    run.run_due()
    assert not Tag.objects.exists()

    passes(61)
    eventually(corp.nothing_is_left, 10)

    assert Tag.objects.get().name == "高"
    assert Department.objects.filter(pk=7).exists()
    assert Staff.objects.get().name == "王大磊"


def test_a_staff_members_leave_outlives_later_reads(corp: Corp, t0: int) -> None:
    corp.happens("add", userid="wanglei", external_userid="wmLin", at=t0)
    corp.happens("delete_user", userid="wanglei")
    corp.happens("add", userid="zhaomin", external_userid="wmLin")

    assert Follow.objects.get(staff__userid="wanglei").ended_by == "staff_left"


def test_a_member_known_only_from_a_callback_is_found_gone_by_the_sync(corp: Corp, t0: int, settings: object) -> None:
    settings.FRESH_READ_SECONDS = 0  # type: ignore[attr-defined]
    corp.happens("add", userid="wanglei", external_userid="wmLin", at=t0)
    corp.act("add", userid="zhaomin", external_userid="wmLin", at=t0)  # somebody whom the sync still finds
    corp.act("delete_user", userid="wanglei", callback=False)
    corp.deliver([])
    held = sync.start()
    sync.run_inline(held)
    sync.accept_removals(held)
    sync.run_inline(held)

    assert Staff.objects.get(userid="wanglei").left_at is not None
    assert Follow.objects.get(staff__userid="wanglei").ended_by == "staff_left"


def test_a_refusal_about_something_else_ends_no_friendship(corp: Corp, t0: int, settings: object) -> None:
    """Only what says that the customer is gone does; anything else is asked once more."""
    settings.FRESH_READ_SECONDS = 0  # type: ignore[attr-defined]
    corp.standin.faults.add({"api": "externalcontact/get", "call": 1, "action": "errcode", "value": 60111})
    corp.happens("add", userid="wanglei", external_userid="wmLin", name="小林", at=t0)
    assert list(Work.objects.filter(lane="mirror:contact").values_list("state", "attempts")) == [("waiting", 1)]
    assert periods("wmLin") == [(t0, None, "")]

    Work.objects.update(not_before=clock.from_unix(t0))
    run.run_due(["mirror:contact"])

    assert not Work.objects.exclude(state="done").exists()
    assert (Customer.objects.get().name, periods("wmLin")) == ("小林", [(t0, None, "")])


@pytest.mark.parametrize("by", ["page", "read"])
def test_who_was_taken_for_gone_because_a_read_lacked_them_is_a_friend_again_when_shown(
    corp: Corp, t0: int, settings: object, by: str
) -> None:
    settings.FRESH_READ_SECONDS = 0  # type: ignore[attr-defined]
    corp.standin.faults.add({"api": "externalcontact/get", "call": 1, "action": "errcode", "value": 84061})
    corp.happens("add", userid="wanglei", external_userid="wmLin", name="小林", at=t0)
    ((added, ended, ended_by),) = periods("wmLin")
    assert (added, ended is not None, ended_by) == (t0, True, "staff")

    if by == "page":
        sync.run_inline(sync.start())
    else:
        corp.happens("edit", userid="wanglei", external_userid="wmLin", remark="还在")

    assert periods("wmLin") == [(t0, None, "")]
    customer = Customer.objects.get()
    assert (customer.open_follows, customer.lost_at) == (1, None)


def test_who_was_deleted_unnoticed_and_added_again_has_two_periods(corp: Corp, t0: int) -> None:
    """The end was concluded; the event of the new beginning explains why lists show them."""
    corp.happens("add", userid="wanglei", external_userid="wmLin", name="小林", at=t0)
    corp.standin.act("delete_by_staff", callback=False, userid="wanglei", external_userid="wmLin", at=t0 + 50)
    Follow.objects.update(ended_at=clock.from_unix(t0 + 50), ended_by="staff", ended_known_by="sync")

    corp.happens("add", userid="wanglei", external_userid="wmLin", at=t0 + 100)
    sync.run_inline(sync.start())

    assert periods("wmLin") == [(t0, t0 + 50, "staff"), (t0 + 100, None, "")]


@pytest.mark.parametrize("by", ["page", "read"])
@pytest.mark.parametrize("ended_by", ["customer", "staff"])
@pytest.mark.parametrize("keeps_date", [False, True])
def test_who_is_added_again_unnoticed_begins_anew_where_the_list_says_since_when(
    corp: Corp, t0: int, by: str, ended_by: str, keeps_date: bool
) -> None:
    """Both events of the end and of the beginning may be lost. The platform may keep the old date: then the list is no
    proof of a new friendship, and those whom it had lacked go on as before."""
    corp.happens("add", userid="wanglei", external_userid="wmLin", name="小林", at=t0)
    if ended_by == "customer":
        corp.happens("delete_by_customer", userid="wanglei", external_userid="wmLin", at=t0 + 100)
    else:  # a sync has found them gone
        Follow.objects.update(ended_at=clock.from_unix(t0 + 100), ended_by="staff", ended_known_by="sync")
        if not keeps_date:
            corp.act("delete_by_staff", userid="wanglei", external_userid="wmLin", at=t0 + 100)
    if ended_by == "customer" or not keeps_date:
        corp.act("add", userid="wanglei", external_userid="wmLin", at=t0 + 300, keep_createtime=keeps_date)
    corp.deliver([])

    for _ in range(2):  # what was decided stays
        if by == "page":
            sync.run_inline(sync.start())
        else:
            corp.happens("edit", userid="wanglei", external_userid="wmLin", remark="又来了")

    first = (t0, t0 + 100, ended_by)
    if not keeps_date:
        assert periods("wmLin") == [first, (t0 + 300, None, "")]
    else:
        assert periods("wmLin") == ([first] if ended_by == "customer" else [(t0, None, "")])
    assert Customer.objects.get().open_follows == len(Follow.objects.open())
