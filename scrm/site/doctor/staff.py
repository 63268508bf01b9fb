"""Visible range: whom of the company the app sees, and whether customers can add them."""

from itertools import islice

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from scrm.site.doctor import places
from scrm.site.doctor.registry import Result, check, failed, fine, unknown, warning
from scrm.wecom import errors
from scrm.wecom.api import access, departments, staff

MOST_DEPARTMENTS = 30  # read in one trial, a call each
NAMED = 5
ACTIVE = 1


@check(
    "visible_range",
    part="range",
    title=gettext_lazy("Visible range"),
    place=places.VISIBLE_RANGE,
    asks_platform=True,
)
def visible_range() -> Result:
    """Who serves customers within the app's range, and how much of the company the range is."""
    serving = len(staff.fetch_follow_users())
    seen = departments.fetch_all()
    if not serving and not seen:
        words = _("Read departments and serving staff: the app sees nobody. Put departments or members into its range.")
        return failed(words, places.VISIBLE_RANGE)
    if not serving:
        words = _(
            "Read %(departments)d departments: none of their members has customer contact. Give it to those who serve"
            " customers, and see that they are in the app's visible range."
        )
        return failed(words % {"departments": len(seen)}, places.CONTACT_RANGE)
    words = _("The app sees %(staff)d members with customer contact and %(departments)d departments.")
    words = words % {"staff": serving, "departments": len(seen)}
    if settings.WECOM_AGENT_ID:
        app = access.fetch_app(settings.WECOM_AGENT_ID)
        words += _(" In its range by name: %(staff)d members, %(departments)d departments, %(tags)d tags.") % {
            "staff": app.staff,
            "departments": app.departments,
            "tags": app.tags,
        }
    return fine(words)


@check(
    "staff_active",
    part="range",
    title=gettext_lazy("Staff are activated"),
    place=places.MEMBERS,
    asks_platform=True,
)
def staff_active() -> Result:
    """Codes refuse members who never logged in with 41054; their customers get no welcome."""
    serving = set(staff.fetch_follow_users())
    if not serving:
        return unknown(_("Nobody with customer contact is visible, so nobody's activation could be read."))
    seen = departments.fetch_all()
    read: dict[str, tuple[str, int]] = {}
    for department in islice(seen, MOST_DEPARTMENTS):
        read |= {member.userid: (member.name, member.status) for member in staff.fetch_department(department.id)}
    known = {userid: read[userid] for userid in serving & set(read)}
    asleep = sorted(name or userid for userid, (name, status) in known.items() if status != ACTIVE)
    if asleep:
        words = _(
            "Read %(all)d members with customer contact: %(n)d are not activated or are disabled (%(names)s …). They can't be"
            " behind a code (41054). They must log in to WeCom once and verify their names."
        )
        given = {"all": len(known), "n": len(asleep), "names": "、".join(asleep[:NAMED])}
        return warning(words % given, places.MEMBERS, errors.NOT_ACTIVATED)
    return fine(_("All %(n)d members with customer contact that were read are activated.") % {"n": len(known)})
