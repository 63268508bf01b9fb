"""The lane `notice`: one claim holds messages of equal text; each goes to up to 1,000 members in one call.

*Sending* is committed before the call. What was *sending* when its worker died, or got no answer, is *unknown* and stays
so: nobody can ask the platform whether it arrived.
"""

from collections import defaultdict
from collections.abc import Iterator

from django.db.models.functions import Now
from django.utils.translation import gettext as _

from contacts.models import Notice
from contacts.notices import outcome
from contacts.notices.writing import LANE
from contacts.querysets import NoticeQuerySet
from scrm.base import clock
from scrm.base.failpoints import failpoint
from scrm.base.limits import Bucket
from scrm.base.models import Work
from scrm.base.work import Claim, lane
from scrm.wecom import brake
from scrm.wecom.api.app_messages import MAX_RECIPIENTS

LEASE = 60.0
# The platform drops the 31st message to a member within a minute without a word (wecom-api.md §1.3); our count is near,
# not exact, and others may write with the same app.
PER_MINUTE = Bucket("app_message", "25/minute")
FULL_SECONDS = 20.0

State = Notice.State


@lane(LANE, queue="sending", lease=LEASE, threads=2)
def send_notices(claim: Claim) -> None:
    """Sends what may be sent now, closes what never can be, puts off the rest."""
    notices = Notice.objects.filter(pk__in=claim.source_ids(Notice.WORK_SOURCE)).select_related("staff")
    waiting, ends = [], defaultdict(list)
    for notice in notices:
        if end := _end_of(notice):
            ends[end].append(notice)
        else:
            waiting.append(notice)
    with claim.writing():
        for (state, reason), ended in ends.items():
            _close(claim, ended, state, reason)
    for part in _parts(_let_through(claim, waiting)):
        _send(claim, part)
    claim.ignored(reason="no such message")


def _end_of(notice: Notice) -> tuple[State, str] | None:
    """The state and reason with which it ends without a call; None: it is to be sent."""
    if notice.state == State.SENDING:
        return State.UNKNOWN, _("The worker ended while it was being sent.")
    if notice.state != State.WAITING:
        return State(notice.state), notice.error
    if notice.send_before <= clock.now():
        return State.FAILED, notice.error or _("It could not be sent in time.")
    if not notice.staff.is_at_work:
        return State.FAILED, _("The staff member is no longer at work.")
    return None


def _close(claim: Claim, notices: list[Notice], state: State, reason: str) -> None:
    _rows(notices).exclude(state=state).update(state=state, error=reason[:300], changed_at=Now())
    claim.done(_works(claim, notices))


def _let_through(claim: Claim, notices: list[Notice]) -> list[Notice]:
    """Those that neither the brake nor the minute's limit holds; the others wait."""
    held, full, passed = [], [], []
    all_free = brake.allows([notice.staff.userid for notice in notices])
    for notice in notices:
        if not (all_free or brake.allows([notice.staff.userid])):
            held.append(notice)
        elif not PER_MINUTE.allow(notice.staff.userid):
            full.append(notice)
        else:
            passed.append(notice)
    _put_off(claim, held, outcome.BRAKE_SECONDS, outcome.held())
    _put_off(claim, full, FULL_SECONDS, _("The staff member gets too many messages within a minute."))
    return passed


def _put_off(claim: Claim, notices: list[Notice], seconds: float, reason: str) -> None:
    """Back to wait, with the reason on the row in case that time runs out."""
    if not notices:
        return
    with claim.writing():
        _rows(notices).update(state=State.WAITING, error=reason[:300], changed_at=Now())
        claim.again(seconds, _works(claim, notices), reason=reason)


def _parts(notices: list[Notice]) -> Iterator[list[Notice]]:
    """By calls: at most 1,000 members each, nobody twice in one."""
    rest = notices
    while rest:
        part: list[Notice] = []
        later: list[Notice] = []
        members: set[int] = set()
        for notice in rest:
            fits = len(part) < MAX_RECIPIENTS and notice.staff_id not in members
            (part if fits else later).append(notice)
            members.add(notice.staff_id)
        yield part
        rest = later


def _send(claim: Claim, part: list[Notice]) -> None:
    claim.extend(LEASE)
    with claim.writing():
        _rows(part).update(state=State.SENDING, changed_at=Now())
    failpoint("notice.sending")
    result = outcome.call([notice.staff.userid for notice in part], part[0].card())
    failpoint("notice.called")
    if result.retry_after is not None:
        _put_off(claim, part, result.retry_after, result.reason)
        return
    ends = defaultdict(list)
    for notice in part:
        ends[result.of(notice.staff.userid)].append(notice)
    with claim.writing():
        for (state, reason), ended in ends.items():
            sent_at = clock.now() if state == State.SENT else None
            _rows(ended).update(
                state=state, error=reason[:300], msgid=result.msgid[:128], sent_at=sent_at, changed_at=Now()
            )
        claim.done(_works(claim, part))
    failpoint("notice.recorded")


def _rows(notices: list[Notice]) -> NoticeQuerySet:
    return Notice.objects.filter(pk__in=[notice.pk for notice in notices])


def _works(claim: Claim, notices: list[Notice]) -> list[Work]:
    ids = {notice.pk for notice in notices}
    return [work for work in claim.works if work.source_kind == Notice.WORK_SOURCE and work.source_id in ids]
