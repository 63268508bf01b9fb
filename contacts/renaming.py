"""Giving a staff member another userid everywhere, in one transaction (platform.md 25)."""

from collections.abc import Callable

from django.db.models.functions import Now

from contacts import follows
from contacts.caches import lock_customers, refresh_customers
from contacts.models import Customer, Follow, FollowEvidence, Notice, Staff
from scrm.base.models import User

# Higher rooms add what they keep: userids as text (called with the old and the new one), rows that point at a member
# (called with the row that goes and the row that stays).
renamings: list[Callable[[str, str], None]] = []
mergings: list[Callable[[Staff, Staff], None]] = []


def rename_staff(old: str, new: str) -> None:
    """Renames; where events under the new userid came first, what they made is merged into the member's row."""
    staff = Staff.objects.select_for_update().filter(userid=old).first()
    if staff is None:
        return
    double = Staff.objects.select_for_update().filter(userid=new).first()
    if double is not None:
        _merge(double, into=staff)
    former = sorted({*staff.former_userids, old})
    Staff.objects.filter(pk=staff.pk).update(userid=new, former_userids=former, changed_at=Now())
    User.objects.filter(wecom_userid=old).update(wecom_userid=new)  # who logs in as this member still does
    for renamed in renamings:
        renamed(old, new)


def _merge(double: Staff, *, into: Staff) -> None:
    """Moves everything of `double` to the other row and deletes it; friendships are computed anew from both."""
    keys = lock_customers(Follow.objects.filter(staff=double).values_list("customer_id", flat=True))
    customers = list(Customer.objects.filter(pk__in=keys))
    evidence = list(FollowEvidence.objects.filter(staff=double))
    for row in evidence:
        row.pk, row.staff = None, into
    FollowEvidence.objects.bulk_create(evidence, ignore_conflicts=True)
    doubled = Follow.objects.filter(staff=double, customer__follows__staff=into)
    _take_back_ends(into, list(doubled.open().values_list("customer_id", flat=True)))
    Follow.objects.filter(pk__in=list(doubled.values_list("pk", flat=True))).delete()
    Follow.objects.filter(staff=double).update(staff=into, changed_at=Now())
    told = Notice.objects.filter(staff=into).values("key")
    Notice.objects.filter(staff=double).exclude(key__in=told).update(staff=into)
    for customer in customers:
        follows.recompute(into, customer)
    refresh_customers(keys)
    for merged in mergings:
        merged(double, into)
    double.delete()


def _take_back_ends(staff: Staff, customers: list[int]) -> None:
    """Reads after the rename missed the old userid and so concluded that friendships had ended, which go on."""
    concluded = Follow.objects.filter(
        staff=staff, customer__in=customers, ended_known_by__in=[Follow.KnownBy.READ, Follow.KnownBy.SYNC]
    )
    latest = concluded.order_by("customer", "-added_at").distinct("customer").values_list("pk", flat=True)
    Follow.objects.filter(pk__in=list(latest)).update(ended_at=None, ended_by="", ended_known_by="", changed_at=Now())
