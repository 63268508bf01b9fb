"""What a run takes away from people's ledgers once everything has been read: staff who left, friendships that are gone."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest, Now
from django.utils.translation import gettext as _

from contacts import address_book, announcements
from contacts.caches import lock_customers, refresh_customers
from contacts.models import Follow, Staff, SyncSeen
from contacts.querysets import FollowQuerySet
from contacts.sync.contacts import CONTACTS
from contacts.sync.job import Job
from contacts.sync.kinds import Found, UnlikelyAnswer
from scrm.base import clock, fences
from scrm.base.dbclock import db_now
from scrm.base.models.announcement import Source
from scrm.wecom.api import contacts as api
from scrm.wecom.errors import ConfigurationError, Paused, WecomError

LIST_TRIES = 4
LOOK_AGAIN = 10.0  # seconds between looks at a friendship that is too young for its absence to prove anything

# Half friends are not listed by every corp: their absence proves nothing (platform.md 18).
_UNSEEN = """
SELECT f.id, f.staff_id, c.external_userid FROM contacts_follow f JOIN contacts_customer c ON c.id = f.customer_id
WHERE f.ended_at IS NULL AND NOT f.half AND f.staff_id = ANY(%(staff)s)
  AND NOT EXISTS (SELECT 1 FROM contacts_syncseen s
                  WHERE s.run_id = %(run)s AND s.staff_id = f.staff_id AND s.customer_id = f.customer_id)
"""


@dataclass(frozen=True)
class _Unseen:
    pk: int
    external_userid: str


@dataclass(frozen=True)
class _Gone:
    """Rows that are gone by what was read from `started_at` on, by the database's clock."""

    rows: list[int]
    started_at: dt.datetime


def find_gone_staff(job: Job) -> Found:
    """Members whom the address book showed before this run and no longer shows, each asked for once more.

    Whom this run was told to serve customers has not left: the address book need not show them to the app.
    """
    started_at = db_now()
    never_read = Q(read_at=None, changed_at__lt=Now() - dt.timedelta(seconds=settings.FRESH_READ_SECONDS))
    rows = Staff.objects.present().filter(Q(read_at__lt=job.run.started_real_at) | never_read, serves_customers=False)
    gone = [staff.pk for staff in rows.order_by("pk") if _is_gone(job, staff.userid)]
    count = Follow.objects.open().filter(staff__in=gone).count()
    return Found(count, Follow.objects.open().count(), [_Gone(gone, started_at)])


def _is_gone(job: Job, userid: str) -> bool:
    job.keep()
    job.reading()
    return address_book.fetch_staff(userid) is None


def let_staff_go(job: Job, found: Found) -> dict[str, int]:
    """Marks them as left, unless a later read has shown them since; that their friendships end is nobody's loss
    (metrics.md)."""
    (gone,) = found.rows
    staff = Staff.objects.present().filter(fences.open_to(gone.started_at), pk__in=gone.rows).order_by("pk")
    keys = [row.pk for row in staff.select_for_update(no_key=True)]
    Staff.objects.filter(pk__in=keys).update(left_at=clock.now(), status=Staff.Status.LEFT, changed_at=Now())
    ended = _end(Follow.objects.open().filter(staff__in=keys), Follow.EndedBy.STAFF_LEFT)
    if not job.run.first:
        announcements.ended(ended, source=Source.SYNC)
    return {"staff_gone": len(keys), "follows_of_gone_staff": len(ended)}


def find_gone_follows(job: Job) -> Found:
    """Open friendships that neither the pages nor a second, whole list of the staff member hold: the staff member
    deleted the customer. (Customers who deleted us stay listed for ever, platform.md 17.)"""
    started_at = db_now()
    total = Follow.objects.open().count()
    if total and not SyncSeen.objects.filter(run_id=job.run.pk).exists():
        raise UnlikelyAnswer(
            _(
                "WeCom shows no customer at all, although %(count)d friendships are known. Check "
                "企微后台 > 应用管理 > the app > 可见范围, and 客户联系 > 可调用接口的应用."
            )
            % {"count": total}
        )
    gone: list[int] = []
    wait = 0.0
    for staff_id, unseen in _unseen(job).items():
        sure, longest = _look_again(job, Staff.objects.get(pk=staff_id), unseen)
        gone += sure
        wait = max(wait, longest)
    return Found(len(gone), total, [_Gone(gone, started_at)], wait)


def _unseen(job: Job) -> dict[int, list[_Unseen]]:
    """By staff member whose paging was whole: open friendships that no page held."""
    payloads = job.run.steps.filter(kind=CONTACTS, error="").exclude(finished_at=None).values_list("payload", flat=True)
    userids = {userid for payload in payloads for userid in payload}
    staff = list(Staff.objects.filter(userid__in=userids, left_at=None).values_list("pk", flat=True))
    found: dict[int, list[_Unseen]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_UNSEEN, {"staff": staff, "run": job.run.pk})
        for pk, staff_id, external_userid in cursor.fetchall():
            found[staff_id].append(_Unseen(pk, external_userid))
    return found


def _look_again(job: Job, staff: Staff, unseen: list[_Unseen]) -> tuple[list[int], float]:
    """Follows that a whole list lacks as well, and the seconds until the youngest of those lacking is old enough."""
    started = clock.now()
    listed = _listed(job, staff.userid)
    lacking = [item.pk for item in unseen if item.external_userid not in listed]
    fresh = settings.FRESH_READ_SECONDS
    dated = dict(Follow.objects.open().filter(pk__in=lacking).values_list("pk", "added_at"))
    young = {pk: added_at for pk, added_at in dated.items() if clock.is_young(added_at, fresh, at=started)}
    waits = [clock.real_seconds(added_at - started) + fresh for added_at in young.values()]
    return [pk for pk in dated if pk not in young], max(waits, default=0.0)


def _listed(job: Job, userid: str) -> set[str]:
    """The whole list. Where the platform does not give it, not even after some tries, the pages alone are the proof."""
    job.keep()
    job.reading()
    try:
        return set(api.fetch_list(userid))
    except Paused:
        raise
    except (WecomError, ConfigurationError) as error:
        tries = int(job.step.cursor or 0) + 1
        if isinstance(error, WecomError) and error.temporary and tries < LIST_TRIES:
            job.step.cursor = str(tries)
            job.save()
            raise
    return set()


def end_follows(job: Job, found: Found) -> dict[str, int]:
    """Ends them as deleted by the staff member, at the moment of being found, unless a later read of the customer has
    judged them since."""
    (gone,) = found.rows
    unread = Q(customer__read_at=None) | Q(customer__read_at__lte=gone.started_at)
    ended = _end(Follow.objects.open().filter(unread, pk__in=gone.rows), Follow.EndedBy.STAFF)
    if not job.run.first:
        announcements.ended(ended, source=Source.SYNC)
    return {"follows_gone": len(ended)}


def _end(rows: FollowQuerySet, ended_by: Follow.EndedBy) -> list[int]:
    customers = lock_customers(rows.values_list("customer_id", flat=True))
    pks = list(rows.values_list("pk", flat=True))
    Follow.objects.filter(pk__in=pks).update(
        ended_at=Greatest(F("added_at"), Value(clock.now())),
        ended_by=ended_by,
        ended_known_by=Follow.KnownBy.SYNC,
        changed_at=Now(),
    )
    refresh_customers(customers)
    return pks
