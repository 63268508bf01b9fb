"""A slow read that began before an event takes nothing back of what the event's own read has said."""

from typing import Any

import pytest
from django.db import transaction

from contacts import address_book, people
from contacts.models import Department, Staff, Tag
from scrm.base.dbclock import db_now
from scrm.base.work import replay, run
from scrm.wecom.api import staff as staff_api
from scrm.wecom.models import Callback
from tests.corp import Corp


def names(model: Any) -> set[str]:
    return set(model.objects.filter(deleted_at=None).values_list("name", flat=True))


def test_of_departments(corp: Corp) -> None:
    corp.happens("create_party", name="华东", party_id=7, parentid=2)
    earlier, slow = db_now(), address_book.fetch_departments()
    corp.happens("delete_party", party_id=7)
    now = names(Department)
    assert "华东" not in now

    with transaction.atomic():
        assert not address_book.apply_departments(slow, started_at=earlier)
    assert names(Department) == now
    with transaction.atomic():
        assert address_book.apply_departments(slow, started_at=db_now())
    assert names(Department) == {*now, "华东"}


def test_of_tags(corp: Corp) -> None:
    gone = corp.happens("create_tag", group="意向", name="高")["id"]
    corp.happens("create_tag", group="意向", name="低")
    earlier, slow = db_now(), address_book.fetch_tags()
    assert slow is not None
    corp.happens("delete_tag", tag_id=gone)

    with transaction.atomic():
        assert not address_book.apply_tags(slow, started_at=earlier)
    assert names(Tag) == {"低"}
    with transaction.atomic():
        assert address_book.apply_tags(slow, started_at=db_now())
    assert names(Tag) == {"高", "低"}


def test_of_a_members_name(corp: Corp) -> None:
    earlier, slow = db_now(), staff_api.fetch_department(2)
    Staff.objects.create(userid="wanglei", name="王磊")
    corp.happens("update_user", userid="wanglei", name="王大磊")

    assert "wanglei" not in people.describe_staff(slow, started_at=earlier)
    assert Staff.objects.get(userid="wanglei").name == "王大磊"
    assert "wanglei" in people.describe_staff(slow, started_at=db_now())
    assert Staff.objects.get(userid="wanglei").name == "王磊"


def test_of_a_member_who_left(corp: Corp) -> None:
    Staff.objects.create(userid="wanglei", name="王磊")
    earlier, slow = db_now(), staff_api.fetch_department(2)
    corp.happens("delete_user", userid="wanglei")

    people.describe_staff(slow, started_at=earlier)

    staff = Staff.objects.get(userid="wanglei")
    assert (staff.status, staff.left_at is None) == (Staff.Status.LEFT, False)


def test_of_a_member_who_was_renamed(corp: Corp) -> None:
    Staff.objects.create(userid="wanglei", name="王磊")
    earlier, slow = db_now(), staff_api.fetch_one("wanglei")
    corp.happens("rename_user", userid="wanglei", new_userid="wanglei2")

    with transaction.atomic():
        address_book.apply_staff_events("wanglei", [], slow, started_at=earlier)

    staff = Staff.objects.get(former_userids=["wanglei"])
    assert (staff.userid, Staff.objects.filter(userid="wanglei").exists()) == ("wanglei2", False)


def serving() -> set[str]:
    return set(Staff.objects.filter(serves_customers=True).values_list("userid", flat=True))


def test_of_who_serves_customers(corp: Corp) -> None:
    earlier, slow = db_now(), staff_api.fetch_follow_users()
    assert set(slow) == {"wanglei", "zhaomin"}
    corp.act("update_user", userid="zhaomin", follows=False)
    later, now = db_now(), staff_api.fetch_follow_users()
    with transaction.atomic():
        assert address_book.apply_serving(now, started_at=later)
    assert serving() == {"wanglei"}

    with transaction.atomic():
        assert not address_book.apply_serving(slow, started_at=earlier)
    assert serving() == {"wanglei"}
    with transaction.atomic():
        assert address_book.apply_serving(slow, started_at=db_now())
    assert serving() == {"wanglei", "zhaomin"}


@pytest.mark.parametrize("known", [False, True])
def test_of_who_serves_customers_while_a_member_gets_a_friend(corp: Corp, *, known: bool) -> None:
    """The list lacks 赵敏, who was given the function, and a friend, after its read had begun."""
    Staff.objects.create(userid="zhaomin", name="赵敏", serves_customers=known)
    earlier = db_now()
    corp.happens("add", userid="zhaomin", external_userid="wmLin")

    with transaction.atomic():
        assert address_book.apply_serving(["wanglei"], started_at=earlier)
    assert serving() == {"wanglei", "zhaomin"}
    with transaction.atomic():
        assert address_book.apply_serving(["wanglei"], started_at=db_now())
    assert serving() == {"wanglei"}


def test_of_an_old_friendship_that_is_told_of_again(corp: Corp) -> None:
    """A callback from before the list says nothing of who serves customers now."""
    corp.happens("add", userid="zhaomin", external_userid="wmLin")
    with transaction.atomic():
        address_book.apply_serving(["wanglei"], started_at=db_now())

    replay(Callback.WORK_SOURCE, Callback.objects.values_list("pk", flat=True))
    run.run_due()
    assert serving() == {"wanglei"}

    corp.happens("add", userid="zhaomin", external_userid="wmMei")
    assert serving() == {"wanglei", "zhaomin"}


def test_of_who_serves_customers_by_a_former_userid(corp: Corp) -> None:
    earlier, slow = db_now(), staff_api.fetch_follow_users()
    Staff.objects.create(userid="wanglei", name="王磊", serves_customers=True)
    corp.happens("rename_user", userid="wanglei", new_userid="wang.lei")

    with transaction.atomic():
        assert address_book.apply_serving(slow, started_at=earlier)

    assert serving() == {"wang.lei", "zhaomin"}
