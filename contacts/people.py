"""Finding people by the platform's ids, and creating the ones that a callback or a read names first."""

import datetime as dt
import json
from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models.functions import Now

from contacts import search
from contacts.models import Customer, Staff
from scrm.base import clock, fences, ledgers
from scrm.wecom.schemas import ContactDetail, StaffInfo

EXTERNAL_PREFIXES = ("wm", "wo")  # wecom-api.md §0 "ID shapes"


def staff_by_userid(userids: Iterable[str]) -> dict[str, Staff]:
    """The staff rows of these userids; unknown ones are created with nothing but the userid."""
    wanted = {userid for userid in userids if userid}
    found = {row.userid: row for row in Staff.objects.filter(userid__in=wanted)}
    missing = sorted(wanted - found.keys())
    if missing:  # an event may come late, under the userid that a member had before
        renamed = Staff.objects.filter(former_userids__overlap=missing)
        found |= {userid: row for row in renamed for userid in row.former_userids if userid in missing}
        missing = sorted(wanted - found.keys())
    if missing:
        Staff.objects.bulk_create([Staff(userid=userid) for userid in missing], ignore_conflicts=True)
        found |= {row.userid: row for row in Staff.objects.filter(userid__in=missing)}
    return found


def customer_of(external_userid: str) -> Customer:
    """The person's row, locked until the transaction ends; created when nobody has told of them yet."""
    Customer.objects.bulk_create([Customer(external_userid=external_userid)], ignore_conflicts=True)
    customer: Customer = Customer.objects.select_for_update(no_key=True).get(external_userid=external_userid)
    return customer


def customers_by_id(names: dict[str, str]) -> dict[str, Customer]:
    """The rows of these external ids ({id: name as a chat tells it}); unknown persons are created as strangers."""
    meet(names)
    return {row.external_userid: row for row in Customer.objects.filter(external_userid__in=names)}


# In order of the ids, as every verb that writes many customers.
_MEET = """
INSERT INTO contacts_customer AS c (external_userid, name, search, avatar, type, gender, unionid, position, corp_name,
                                    corp_full_name, first_state, open_follows)
SELECT p.external_userid, p.name, p.search, '', 1, 0, '', '', '', '', '', 0
FROM jsonb_to_recordset(%s) AS p (external_userid text, name text, search text[])
ORDER BY p.external_userid
ON CONFLICT (external_userid) DO UPDATE SET name = excluded.name, search = excluded.search
WHERE c.name = '' AND excluded.name <> ''
"""


def meet(names: dict[str, str]) -> None:
    """Makes strangers of those of whom nobody has told yet, and names those without a name ({id: name or ""})."""
    known = dict(Customer.objects.filter(external_userid__in=names).values_list("external_userid", "name"))
    news = {key: name[:128] for key, name in names.items() if key not in known or (name and not known[key])}
    if news:
        rows = [{"external_userid": key, "name": name, "search": search.index(name)} for key, name in news.items()]
        with connection.cursor() as cursor:
            cursor.execute(_MEET, [json.dumps(rows)])


def set_do_not_contact(customer: Customer, wanted: bool) -> bool:
    """Whether the customer is left out of all broadcasts from now on. False when it was so already."""
    rows = Customer.objects.filter(pk=customer.pk, do_not_contact_at__isnull=wanted)
    return bool(rows.update(do_not_contact_at=clock.now() if wanted else None, changed_at=Now()))


def is_external(member_id: str) -> bool:
    """Whether an id in a chat's event is a customer's; a staff member of that userid decides otherwise."""
    return member_id.startswith(EXTERNAL_PREFIXES) and not Staff.objects.filter(userid=member_id).exists()


def profile_of(detail: ContactDetail) -> dict[str, object]:
    """Fields of `Customer` that a read tells, as long as they may be."""
    return {
        "name": detail.name[:128],
        "avatar": detail.avatar[:500],
        "type": detail.type,
        "gender": detail.gender,
        "unionid": detail.unionid[:64],
        "position": detail.position[:128],
        "corp_name": detail.corp_name[:128],
        "corp_full_name": detail.corp_full_name[:256],
    }


def profile(customer: Customer, detail: ContactDetail) -> None:
    """Takes over name, picture and company."""
    fresh = profile_of(detail)
    if not any(getattr(customer, name) != value for name, value in fresh.items()):
        return
    if fresh["name"] != customer.name:
        fresh["search"] = search.index(str(fresh["name"]))
    Customer.objects.filter(pk=customer.pk).update(**fresh, changed_at=Now())


def told_of(info: StaffInfo) -> dict[str, object]:
    """Fields of `Staff` that the address book tells; absent ones (new apps get few) are left out, so that ours stay."""
    told = {
        "name": info.name[:64],
        "alias": info.alias[:64],
        "position": info.position[:128],
        "avatar": info.avatar[:500],
        "department_ids": list(info.departments),
        "main_department": info.main_department,
        "status": info.status,
    }
    return {name: value for name, value in told.items() if value}


def describe_staff(infos: Iterable[StaffInfo], *, started_at: dt.datetime) -> list[str]:
    """Takes over what the address book says of members, in a few statements; writes only what differs.

    `started_at`: when the read began, by the database's clock. Who has been read later stays as they are. Returns the
    userids of those whom the read told of.
    """
    wanted = {info.userid: told_of(info) for info in infos if info.userid}
    with transaction.atomic():
        keys = {row.pk: userid for userid, row in staff_by_userid(wanted).items()}
        rows = Staff.objects.filter(fences.open_to(started_at), pk__in=keys).order_by("pk")
        fresh = list(rows.select_for_update(no_key=True))
        changed = [row for row in fresh if ledgers.take_over(row, wanted[keys[row.pk]])]
        for row in changed:
            row.changed_at = Now()  # the database's clock
        fields = ["name", "alias", "position", "avatar", "department_ids", "main_department", "status", "changed_at"]
        Staff.objects.bulk_create(changed, update_conflicts=True, unique_fields=["userid"], update_fields=fields)
        Staff.objects.filter(pk__in=[row.pk for row in fresh]).update(read_at=started_at)
    return [keys[row.pk] for row in fresh]
