"""Steps over the customers of staff members: pages of 100, each written in one transaction of a few statements."""

from collections.abc import Sequence

from django.conf import settings
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from contacts.models import Staff, SyncRun
from contacts.sync import pages
from contacts.sync.job import Job
from contacts.sync.kinds import Part, UnlikelyAnswer
from scrm.base import clock
from scrm.wecom import errors
from scrm.wecom.api import contacts as api
from scrm.wecom.errors import WecomError

CONTACTS = "contacts"
PAGE = 100  # customers
TOGETHER = 2_000  # customers that fill a step: small staff members share pages, large ones are read side by side
FIRST_STEPS = 32  # steps of a run that knows nobody's number of customers yet


def plan_contacts(run: SyncRun) -> list[Part]:
    """Steps of about equal work. Members with few customers share one: an almost empty page costs as much as a full."""
    serving = Staff.objects.present().filter(serves_customers=True)
    counted = serving.annotate(friends=Count("follows", filter=Q(follows__ended_at=None))).order_by("-friends", "pk")
    rows = list(counted.values_list("userid", "friends"))
    guess = 1 if any(friends for _, friends in rows) else TOGETHER // -(-max(1, len(rows)) // FIRST_STEPS)
    chunks: list[list[str]] = []
    room = 0
    for userid, friends in rows:
        size = friends or guess
        if size > room or len(chunks[-1]) == api.MAX_STAFF_PER_PAGE:
            chunks.append([])
            room = TOGETHER
        chunks[-1].append(userid)
        room -= size
    return [Part(chunk[0], chunk) for chunk in chunks]


def read_contacts(job: Job) -> bool:
    """Pages of the step's staff members from the cursor on. A cursor that the platform refuses begins anew."""
    while not job.out_of_time:
        started_at, started = job.reading(), clock.now()
        try:
            page = api.fetch_page(_userids(job), job.step.cursor, PAGE)
        except WecomError as error:
            if error.code == errors.CURSOR_REFUSED and job.step.cursor:
                _begin_anew(job)
                continue
            if error.gone:
                return _without(job, error)
            raise
        if page.next_cursor and (page.next_cursor == job.step.cursor or job.step.pages > _most_pages(job)):
            raise UnlikelyAnswer(_("WeCom gives the same page of customers again and again."))
        with job.page(rows=len(page.contacts), cursor=page.next_cursor):
            pages.write(job, page, started_at=started_at, started=started)
            if not page.proof:
                job.step.payload = []  # whom the step lacks stays: only those in its payload are looked for
        if not page.next_cursor:
            return True
    return False


def _userids(job: Job) -> Sequence[str]:
    return [str(userid) for userid in job.step.payload]


def _most_pages(job: Job) -> int:
    """What all of the step's staff members can have, three times over: cursors that lead in a circle, or that are refused
    again and again, have no end."""
    return 3 * (1 + len(job.step.payload) * settings.STAFF_CAPACITY // PAGE)


def _begin_anew(job: Job) -> None:
    """What has been seen stays seen: a friendship that ended meanwhile waits for the next run."""
    with job.page(cursor=""):
        pass


def _without(job: Job, error: WecomError) -> bool:
    """Somebody of the step can't be read: everyone is then read alone, so that only that one is left out.

    84061 for one who serves customers means that nobody is there (wecom-api.md §5.1).
    """
    userids = _userids(job)
    with job.page():
        if len(userids) > 1:
            job.add_steps(CONTACTS, [(f"{userid}/alone", [userid]) for userid in userids])
        if len(userids) > 1 or error.code != errors.NOT_A_CONTACT:
            job.step.payload = []
            job.step.save(update_fields=["payload"])
    return True
