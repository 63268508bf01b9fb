"""Verbs of the follow ledger that meet at one customer: the customer's row is locked first, so nobody waits in a circle."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import OperationalError, connection, transaction

from contacts import address_book, follows, people
from contacts.models import Customer, Follow, Staff
from contacts.renaming import rename_staff
from scrm.base import clock
from scrm.wecom.schemas import FollowInfo

LISTED = FollowInfo(
    userid="wanglei", remark="小林", description="", created_at=None, tag_ids=(), remark_mobiles=(), remark_corp_name="",
    oper_userid="", add_way=1, state="",
)  # fmt: skip


def leave() -> None:
    address_book.staff_left("wanglei", clock.now())


def merge() -> None:
    rename_staff("wangl", "wanglei")


def wait_for_somebody_who_waits() -> None:
    """Until another connection of this database waits for a lock."""
    end = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < end:
            cursor.execute(
                "SELECT EXISTS (SELECT 1 FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock')"
            )
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_stat_clear_snapshot()")
    raise AssertionError("nobody waits")


@pytest.mark.parametrize("verb", [leave, merge])
def test_a_read_of_a_customer_and_a_change_of_staff_do_not_cross(committed: None, verb: Callable[[], None]) -> None:
    staff = Staff.objects.create(userid="wanglei", name="王磊")
    Staff.objects.create(userid="wangl")
    customer = Customer.objects.create(external_userid="wmLin", open_follows=1)
    Follow.objects.create(staff=staff, customer=customer, added_at=clock.now(), added_known_by="read")

    def change() -> None:
        try:
            with transaction.atomic():
                verb()
        except OperationalError as error:
            failures.append(error)
        finally:
            connection.close()

    failures: list[OperationalError] = []

    other = threading.Thread(target=change)
    with transaction.atomic():
        held = people.customer_of("wmLin")
        other.start()
        wait_for_somebody_who_waits()
        follows.recompute(staff, held, listed=LISTED)
    other.join()

    assert failures == []
    row = Follow.objects.get()
    assert row.remark == "小林"
    assert (row.ended_by, row.staff.userid) == (("staff_left", "wanglei") if verb is leave else ("", "wanglei"))
