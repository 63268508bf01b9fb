"""The lane of callbacks that no other lane took. A replay reads them again with the code of today."""

from scrm.base.models import Work
from scrm.base.work import Claim, enqueue_many, lane
from scrm.wecom.callback.events import UnreadableEvent, parse
from scrm.wecom.callback.inbox import INBOX_LANE
from scrm.wecom.callback.routes import jobs_of
from scrm.wecom.models import Callback


@lane(INBOX_LANE, queue="mirror", threads=1)
def read_again(claim: Claim) -> None:
    """Hands replayed callbacks to the lanes that take them by now."""
    for callback in Callback.objects.filter(pk__in=claim.source_ids(Callback.WORK_SOURCE)):
        works = [work for work in claim.works if work.source_id == callback.pk]
        try:
            event = parse(callback.raw)
        except UnreadableEvent as error:
            claim.quarantine(str(error)[:500], works)
            continue
        jobs = jobs_of(event)
        with claim.writing():
            enqueue_many(
                Work(source_kind=Callback.WORK_SOURCE, source_id=callback.pk, lane=job.lane, entity=job.entity)
                for job in jobs
            )
            if jobs:
                claim.done(works)
            else:
                claim.ignored(works)
