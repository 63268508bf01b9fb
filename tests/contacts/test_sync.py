"""The full sync of people, over the stand-in's real HTTP."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from contacts import people, sync
from contacts.handlers import apply_read
from contacts.models import Customer, Department, Follow, FollowEvidence, Staff, SyncRun, SyncSeen, Tag
from contacts.sync.job import Job
from contacts.sync.kinds import Found, Removal, removals
from scrm.base import clock
from scrm.base.announcing import subscribe, unsubscribe
from scrm.base.dbclock import db_now
from scrm.base.models import Announcement, Work
from scrm.base.work import lanes
from scrm.base.work.run import run_one
from scrm.wecom.api import contacts as contacts_api
from scrm.wecom.api import staff as staff_api
from tests.faults.dying import dies

ROOT = Path(__file__).resolve().parents[2]
PAGES = "externalcontact/batch/get_by_user"
LONG_AGO = int((clock.now() - dt.timedelta(hours=3)).timestamp())


def hire(standin: Any, *userids: str) -> None:
    for userid in userids:
        standin.act("create_user", callback=False, userid=userid, name=userid.title())


def befriend(standin: Any, userid: str, count: int = 1, **given: Any) -> list[str]:
    given = {"at": LONG_AGO, **given}
    return [standin.act("add", callback=False, userid=userid, **given)["external_userid"] for _ in range(count)]


def quietly(standin: Any, verb: str, userid: str, *persons: str) -> None:
    """What happens without any callback reaching us."""
    for person in persons:
        standin.act(verb, callback=False, userid=userid, external_userid=person)


def synced() -> SyncRun:
    return sync.run_inline(sync.start())


def calls(standin: Any, api: str) -> int:
    return int(standin.calls.as_dict().get(api, {}).get("calls", 0))


def open_friends(userid: str) -> set[str]:
    rows = Follow.objects.open().filter(staff__userid=userid)
    return set(rows.values_list("customer__external_userid", flat=True))


def test_reads_every_page_of_every_staff_member(standin: Any) -> None:
    hire(standin, "wanglei", "zhaomin")
    mine = befriend(standin, "wanglei", 230, state="ch_1")
    others = befriend(standin, "zhaomin", 5)

    run = synced()

    assert (run.state, run.error, run.first) == ("done", "", True)
    assert (open_friends("wanglei"), open_friends("zhaomin")) == (set(mine), set(others))
    assert Follow.objects.open().filter(staff__userid="wanglei", state="ch_1", added_known_by="sync").count() == 230
    assert calls(standin, PAGES) == 4
    assert (run.counts["customers"], run.counts["follows"], run.counts["staff"]) == (235, 235, 2)


def test_takes_over_what_the_platform_tells_of_a_friendship(standin: Any) -> None:
    hire(standin, "wanglei")
    tag = standin.act("create_tag", callback=False, group="来源", name="直播")
    (person,) = befriend(standin, "wanglei", state="ch_1", name="小林", add_way=16)
    standin.act("edit", callback=False, userid="wanglei", external_userid=person, remark="小林-杭州", tags=[tag["id"]])

    synced()

    follow = Follow.objects.get()
    assert (follow.remark, follow.add_way, follow.state, follow.tag_ids) == ("小林-杭州", 16, "ch_1", [tag["id"]])
    assert (int(follow.added_at.timestamp()), follow.listed_at) == (LONG_AGO, follow.added_at)
    customer = Customer.objects.get()
    assert (customer.name, customer.first_state, customer.open_follows) == ("小林", "ch_1", 1)
    assert "xi" in customer.search and Customer.objects.named_like("xl").count() == 1
    assert Tag.objects.get().name == "直播"


def test_friendships_by_hand_over_are_no_adds(standin: Any) -> None:
    hire(standin, "wanglei")
    befriend(standin, "wanglei", add_way=202)

    synced()

    assert Follow.objects.get().by_transfer
    assert Follow.objects.adds().count() == 0


def test_a_first_sync_announces_and_sends_nothing(standin: Any) -> None:
    subscribe("follow.began", lane="sync", live_only=False)
    try:
        hire(standin, "wanglei")
        befriend(standin, "wanglei", 20)
        synced()
    finally:
        unsubscribe("follow.began", lane="sync")

    assert Announcement.objects.count() == 0
    assert not Work.objects.exclude(source_kind="sync_step").exists()
    assert list(standin.welcomes()) == []


def test_a_later_sync_announces_as_sync(standin: Any) -> None:
    hire(standin, "wanglei")
    befriend(standin, "wanglei")
    synced()
    subscribe("follow.began", lane="sync", live_only=False)
    try:
        (late,) = befriend(standin, "wanglei")
        synced()
    finally:
        unsubscribe("follow.began", lane="sync")

    assert list(Announcement.objects.values_list("entity", "source")) == [(f"contact:{late}", "sync")]


def test_a_second_sync_finds_no_drift_and_changes_nothing(standin: Any) -> None:
    hire(standin, "wanglei", "zhaomin")
    befriend(standin, "wanglei", 120)
    befriend(standin, "zhaomin", 3)
    synced()
    before = list(Follow.objects.order_by("pk").values_list("pk", "changed_at"))

    run = synced()

    assert (run.state, run.drift, run.first) == ("done", {}, False)
    assert list(Follow.objects.order_by("pk").values_list("pk", "changed_at")) == before
    assert not SyncSeen.objects.exists()


def test_heals_and_counts_what_callbacks_have_missed(standin: Any) -> None:
    hire(standin, "wanglei")
    friends = befriend(standin, "wanglei", 200)
    synced()
    (new,) = befriend(standin, "wanglei")
    quietly(standin, "delete_by_staff", "wanglei", *friends[:3])
    standin.act("edit", callback=False, userid="wanglei", external_userid=friends[10], remark="贵客")

    run = synced()

    assert run.state == "done"
    assert run.drift == {"customers_missing": 1, "follows_missing": 1, "follows_changed": 1, "follows_gone": 3}
    assert open_friends("wanglei") == {*friends[3:], new}
    ended = Follow.objects.filter(ended_by="staff", ended_known_by="sync")
    assert set(ended.values_list("customer__external_userid", flat=True)) == set(friends[:3])
    assert Customer.objects.filter(lost_at__isnull=False).count() == 3
    assert synced().drift == {}


def test_who_deleted_us_stays_ended_although_the_platform_lists_them(standin: Any) -> None:
    hire(standin, "wanglei")
    (person,) = befriend(standin, "wanglei")
    synced()
    quietly(standin, "delete_by_customer", "wanglei", person)
    Follow.objects.update(ended_at=clock.now(), ended_by="customer", ended_known_by="event")

    run = synced()

    assert run.drift == {}
    assert list(Follow.objects.values_list("ended_by", flat=True)) == ["customer"]


def test_an_end_whose_beginning_was_never_told_is_no_open_friendship(standin: Any) -> None:
    hire(standin, "wanglei")
    (person,) = befriend(standin, "wanglei")
    staff = Staff.objects.create(userid="wanglei")
    customer = Customer.objects.create(external_userid=person)
    gone = clock.now() - dt.timedelta(hours=1)
    FollowEvidence.objects.create(staff=staff, customer=customer, kind="ended", at=gone, ended_by="customer")

    synced()

    follow = Follow.objects.get()
    assert (int(follow.added_at.timestamp()), follow.ended_at, follow.ended_by) == (LONG_AGO, gone, "customer")


def test_a_later_read_wins_over_an_older_page(standin: Any) -> None:
    hire(standin, "wanglei")
    (person,) = befriend(standin, "wanglei", name="旧名")
    later = db_now() + dt.timedelta(minutes=5)
    Customer.objects.create(external_userid=person, name="新名", read_at=later)

    synced()

    customer = Customer.objects.get()
    assert (customer.name, customer.read_at) == ("新名", later)
    assert not Follow.objects.exists()


def test_pages_of_two_staff_members_who_share_customers_do_not_outdate_each_other(standin: Any) -> None:
    hire(standin, "wanglei", "zhaomin")
    shared = befriend(standin, "wanglei", 30)
    for person in shared:
        standin.act("add", callback=False, userid="zhaomin", external_userid=person, at=LONG_AGO)
    standin.faults.add({"api": PAGES, "call": 1, "action": "delay", "value": 1})  # begun first, there last

    synced()

    assert open_friends("wanglei") == open_friends("zhaomin") == set(shared)


def test_a_period_too_young_for_a_read_is_looked_at_again_before_it_ends(standin: Any, settings: Any) -> None:
    settings.FRESH_READ_SECONDS = 3
    hire(standin, "wanglei")
    befriend(standin, "wanglei", 60)
    (person,) = befriend(standin, "wanglei", at=int(clock.now().timestamp()))
    synced()
    quietly(standin, "delete_by_staff", "wanglei", person)

    run = synced()

    follow = Follow.objects.get(customer__external_userid=person)
    assert run.drift == {"follows_gone": 1}
    assert follow.ended_at is not None and follow.ended_at - follow.added_at >= dt.timedelta(seconds=3)


def test_half_failed_paging_deletes_nothing(standin: Any) -> None:
    hire(standin, "wanglei", "zhaomin")
    mine, others = befriend(standin, "wanglei", 150), befriend(standin, "zhaomin", 150)
    synced()
    quietly(standin, "delete_by_staff", "wanglei", mine[0])
    quietly(standin, "delete_by_staff", "zhaomin", others[0])
    standin.faults.add({"api": PAGES, "from": 2, "count": 0, "action": "errcode", "value": 60011})

    run = synced()

    assert run.state == "failed"
    assert "60011" in run.error
    assert Follow.objects.open().count() == 300
    standin.faults.clear()
    assert synced().drift == {"follows_gone": 2}


def test_a_platform_that_fails_for_a_while_is_waited_for(standin: Any) -> None:
    hire(standin, "wanglei")
    befriend(standin, "wanglei", 250)
    standin.faults.add({"api": PAGES, "call": 2, "action": "status", "value": 502})

    run = synced()

    assert run.state == "done"
    assert Follow.objects.open().count() == 250
    assert calls(standin, PAGES) == 4


def test_a_refused_cursor_begins_the_paging_anew(standin: Any) -> None:
    hire(standin, "wanglei")
    befriend(standin, "wanglei", 250)
    standin.faults.add({"api": PAGES, "call": 2, "action": "errcode", "value": 50100})

    run = synced()

    assert (run.state, Follow.objects.open().count()) == ("done", 250)
    assert calls(standin, PAGES) == 5


@pytest.mark.crash
def test_a_killed_worker_s_step_goes_on_at_its_page(standin: Any) -> None:
    hire(standin, "wanglei")
    befriend(standin, "wanglei", 450)
    run = sync.start()

    dies("sync.contacts.page_written:3", "sync")
    run.refresh_from_db()
    assert (run.state, Follow.objects.count()) == ("running", 300)

    sync.run_inline(run)

    assert (run.state, Follow.objects.open().count()) == ("done", 450)
    assert calls(standin, PAGES) == 5


def test_removing_more_than_two_percent_waits_for_a_person(standin: Any) -> None:
    hire(standin, "wanglei")
    friends = befriend(standin, "wanglei", 100)
    synced()
    quietly(standin, "delete_by_staff", "wanglei", *friends[:3])

    run = synced()

    assert (run.state, run.held) == ("held", 3)
    assert len(open_friends("wanglei")) == 100
    sync.accept_removals(run)
    sync.run_inline(run)
    assert (run.state, run.drift) == ("done", {"follows_gone": 3})
    assert open_friends("wanglei") == set(friends[3:])
    with pytest.raises(sync.NotHeld):
        sync.accept_removals(run)


def test_who_came_back_before_the_removals_were_accepted_stays(standin: Any) -> None:
    hire(standin, "wanglei")
    friends = befriend(standin, "wanglei", 50)
    synced()
    quietly(standin, "delete_by_staff", "wanglei", *friends[:10])
    run = synced()
    quietly(standin, "add", "wanglei", *friends[:4])

    sync.accept_removals(run)
    sync.run_inline(run)

    assert open_friends("wanglei") == {*friends[:4], *friends[10:]}


def test_a_new_run_takes_the_place_of_a_held_one(standin: Any) -> None:
    hire(standin, "wanglei")
    friends = befriend(standin, "wanglei", 20)
    synced()
    quietly(standin, "delete_by_staff", "wanglei", *friends[:5])
    held = synced()

    again = synced()

    held.refresh_from_db()
    assert (held.state, again.state, again.held) == ("done", "held", 5)
    assert SyncSeen.objects.exclude(run_id=again.pk).count() == 0


def test_starting_while_one_runs_joins_it(standin: Any) -> None:
    hire(standin, "wanglei")

    assert sync.start() == sync.start()


def test_staff_who_left_take_their_friendships_with_them_as_nobodys_loss(standin: Any) -> None:
    hire(standin, "wanglei", "zhaomin")
    befriend(standin, "wanglei", 100)
    befriend(standin, "zhaomin", 1)
    synced()
    standin.act("delete_user", callback=False, userid="zhaomin")

    run = synced()

    assert run.drift == {"staff_gone": 1, "follows_of_gone_staff": 1}
    zhaomin = Staff.objects.get(userid="zhaomin")
    assert zhaomin.left_at is not None
    assert list(zhaomin.follows.values_list("ended_by", "ended_known_by")) == [("staff_left", "sync")]
    assert Customer.objects.lost().count() == 0


def test_nobody_shown_where_people_are_known_is_an_error_that_names_the_page(standin: Any) -> None:
    hire(standin, "wanglei")
    befriend(standin, "wanglei", 5)
    synced()
    standin.act("update_user", callback=False, userid="wanglei", follows=False)

    run = synced()

    assert run.state == "failed"
    assert "可见范围" in run.error and "可调用接口的应用" in run.error
    assert Follow.objects.open().count() == 5


def test_departments_keep_their_path_and_their_end(standin: Any) -> None:
    standin.act("create_party", callback=False, name="销售", party_id=2)
    standin.act("create_party", callback=False, name="华东", party_id=3, parentid=2)
    synced()
    assert dict(Department.objects.present().values_list("pk", "path")) == {1: [1], 2: [1, 2], 3: [1, 2, 3]}
    standin.act("delete_party", callback=False, party_id=3)

    run = synced()

    assert run.drift == {"departments_gone": 1}
    assert set(Department.objects.present().values_list("pk", flat=True)) == {1, 2}


def test_tags_that_are_gone_are_marked_deleted(standin: Any) -> None:
    kept = standin.act("create_tag", callback=False, group="来源", name="直播")["id"]
    gone = standin.act("create_tag", callback=False, group="来源", name="门店")["id"]
    synced()
    standin.act("delete_tag", callback=False, tag_id=gone)

    run = synced()

    assert run.drift == {"tags_gone": 1}
    assert list(Tag.objects.filter(deleted_at=None).values_list("tag_id", flat=True)) == [kept]


def test_small_staff_members_share_pages(standin: Any) -> None:
    hire(standin, "a", "b", "c")
    for userid in "abc":
        befriend(standin, userid, 10)
    synced()
    before = calls(standin, PAGES)

    run = synced()

    assert run.drift == {}
    assert calls(standin, PAGES) - before == 1


def test_one_unreadable_staff_member_does_not_hide_the_others(standin: Any) -> None:
    hire(standin, "a", "b")
    befriend(standin, "a", 60)
    befriend(standin, "b", 60)
    synced()
    new = {userid: befriend(standin, userid)[0] for userid in "ab"}
    standin.faults.add({"api": PAGES, "from": 1, "count": 2, "action": "errcode", "value": 40003})

    run = synced()  # the common page is refused, then that of the one who is asked for first

    assert run.drift == {"customers_missing": 1, "follows_missing": 1}
    assert [new[userid] in open_friends(userid) for userid in "ab"].count(True) == 1
    assert Follow.objects.open().count() == 121


def test_removals_rest_on_the_pages_where_whole_lists_are_refused(standin: Any) -> None:
    hire(standin, "wanglei")
    friends = befriend(standin, "wanglei", 60)
    synced()
    quietly(standin, "delete_by_staff", "wanglei", friends[0])
    standin.faults.add({"api": "externalcontact/list", "count": 0, "action": "errcode", "value": 48002})

    assert synced().drift == {"follows_gone": 1}


def test_a_whole_list_that_still_names_somebody_keeps_them(standin: Any) -> None:
    """A page that the platform's paging has skipped is no proof."""
    hire(standin, "wanglei")
    friends = befriend(standin, "wanglei", 60)
    synced()
    listed = standin.world.book.staff["wanglei"].people
    listed.remove(friends[0])
    run = sync.start()
    while not run.steps.filter(kind="removals").exists():
        run_one(lanes["sync"])
    listed.append(friends[0])

    sync.run_inline(run)

    assert (run.state, run.drift) == ("done", {})
    assert friends[0] in open_friends("wanglei")


def test_whom_a_later_read_shows_before_the_removals_are_written_stays(
    standin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking for all that is gone may take minutes. Meanwhile a customer and a member of staff, both really gone from
    the lists, are read as being there."""
    hire(standin, "wanglei", "zhaomin")
    friends = befriend(standin, "wanglei", 60)
    synced()
    listed = standin.world.book.staff["wanglei"].people
    listed.remove(friends[0])
    standin.world.book.staff["zhaomin"].follows = False
    away = standin.world.book.staff.pop("zhaomin")

    def look(_job: Job) -> Found:
        standin.world.book.staff["zhaomin"] = away
        customer = Customer.objects.get(external_userid=friends[0])
        started_at, member, detail = db_now(), staff_api.fetch_one("zhaomin"), contacts_api.fetch(friends[0])
        with transaction.atomic():
            people.describe_staff([member], started_at=started_at)
            apply_read(customer, detail, started_at=started_at)
        return Found(0, 0)

    monkeypatch.setitem(removals, "slow", Removal("slow", "follows", look, lambda _job, _found: {}))
    run = synced()

    assert (run.state, run.drift) == ("done", {})
    assert friends[0] in open_friends("wanglei")
    assert Staff.objects.present().filter(userid="zhaomin").exists()


def test_departments_out_of_range_hide_nobody_else(standin: Any) -> None:
    standin.act("create_party", callback=False, name="销售", party_id=2)
    standin.act("create_user", callback=False, userid="wanglei", departments=[2])
    standin.faults.add({"api": "user/list", "call": 1, "action": "errcode", "value": 60011})

    run = synced()

    assert (run.state, Staff.objects.get().userid) == ("done", "wanglei")


def test_removals_of_one_ledger_are_judged_together(standin: Any) -> None:
    hire(standin, "wanglei", "zhaomin")
    friends = befriend(standin, "wanglei", 98)
    befriend(standin, "zhaomin", 2)
    synced()
    quietly(standin, "delete_by_staff", "wanglei", friends[0])
    standin.act("delete_user", callback=False, userid="zhaomin")

    run = synced()

    assert (run.state, run.held) == ("held", 3)


def test_progress_tells_how_far_a_run_is(standin: Any) -> None:
    hire(standin, "wanglei")
    befriend(standin, "wanglei", 3)
    run = sync.start()
    assert (sync.progress(run).state, sync.progress(run).steps_done) == ("running", 0)

    sync.run_inline(run)

    end = sync.progress(run)
    assert (end.state, end.steps_done, end.steps) == ("done", 6, 6)
    assert end.api_calls == run.api_calls > 0
