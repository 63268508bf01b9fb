"""Steps over the address book and the tag library: small, read whole."""

from django.db.models.functions import Now
from django.utils.translation import gettext as _

from contacts import address_book, people
from contacts.models import Department, Follow, Staff, SyncRun, Tag
from contacts.sync.job import Job
from contacts.sync.kinds import Part, UnlikelyAnswer
from scrm.base import clock
from scrm.wecom import errors
from scrm.wecom.api import staff as staff_api
from scrm.wecom.errors import WecomError
from scrm.wecom.schemas import StaffInfo


def read_departments(job: Job) -> bool:
    """The tree of departments within the app's visible range."""
    started_at = job.reading()
    infos = address_book.fetch_departments()
    if not infos and Department.objects.present().exists():
        raise UnlikelyAnswer(_("WeCom shows no department at all. Check 企微后台 > 应用管理 > the app > 可见范围."))
    known, shown = set(Department.objects.present().values_list("pk", flat=True)), {info.id for info in infos}
    with job.page(rows=len(shown)):
        job.counted(departments=len(shown))
        if address_book.apply_departments(infos, started_at=started_at):
            job.drifted(departments_missing=len(shown - known), departments_gone=len(known - shown))
    return True


def plan_staff(run: SyncRun) -> list[Part]:
    """One step over all departments."""
    return [Part(payload=list(Department.objects.present().order_by("pk").values_list("pk", flat=True)))]


def read_staff(job: Job) -> bool:
    """Members of each department, then who of them may serve customers. The cursor counts departments."""
    departments = [int(pk) for pk in job.step.payload]
    done = int(job.step.cursor or 0)
    while done < len(departments):
        if job.out_of_time:
            return False
        _read_department(job, departments[done], done + 1)
        done += 1
    _read_follow_users(job)
    return True


def _read_department(job: Job, department: int, done: int) -> None:
    started_at = job.reading()
    started = clock.now()
    infos = _members(department)
    userids = [info.userid for info in infos]
    known = set(Staff.objects.present().filter(userid__in=userids).values_list("userid", flat=True))
    read_already = Staff.objects.filter(userid__in=userids, read_at__gte=job.run.started_real_at).count()
    with job.page(rows=len(infos), cursor=str(done)):
        job.counted(staff=len(infos) - read_already)
        told = people.describe_staff(infos, started_at=started_at)
        Staff.objects.filter(userid__in=told, left_at__lt=started).update(left_at=None, changed_at=Now())
        job.drifted(staff_missing=len(set(userids) - known))


def _members(department: int) -> list[StaffInfo]:
    """The department's members; nobody where it is out of our range or was deleted a moment ago."""
    try:
        return staff_api.fetch_department(department)
    except WecomError as error:
        if error.gone or error.code == errors.OUT_OF_RANGE:
            return []
        raise


def _read_follow_users(job: Job) -> None:
    """Who has the customer-contact function. Members outside every department that we see are read one by one."""
    started_at = job.reading()
    userids = set(staff_api.fetch_follow_users())
    if not userids and Follow.objects.open().exists():
        raise UnlikelyAnswer(
            _(
                "WeCom names no staff member with the customer-contact function, although customers are known. Check "
                "企微后台 > 应用管理 > the app > 可见范围, and 客户联系 > 可调用接口的应用."
            )
        )
    known = set(Staff.objects.filter(userid__in=userids).exclude(read_at=None).values_list("userid", flat=True))
    infos: list[StaffInfo] = []
    for userid in sorted(userids - known):
        job.reading()
        info = address_book.fetch_staff(userid)
        infos += [info] if info else []
    with job.page():
        people.describe_staff(infos, started_at=started_at)
        address_book.apply_serving(userids, started_at=started_at)
        job.counted(staff=len(infos))
        job.drifted(staff_missing=len(infos))


def read_tags(job: Job) -> bool:
    """The whole library of corporate tags."""
    started_at = job.reading()
    groups = address_book.fetch_tags()
    if groups is None:
        return True
    shown = {tag.tag_id for group in groups for tag in group.tags}
    known = set(Tag.objects.filter(deleted_at=None).values_list("tag_id", flat=True))
    with job.page(rows=len(shown)):
        job.counted(tags=len(shown))
        if address_book.apply_tags(groups, started_at=started_at):
            job.drifted(tags_missing=len(shown - known), tags_gone=len(known - shown))
    return True
