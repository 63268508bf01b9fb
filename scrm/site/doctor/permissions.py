"""Permissions: one harmless read of each family of the API that we use."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from scrm.site.doctor import places
from scrm.site.doctor.registry import Result, check, failed, fine, unknown, warning
from scrm.wecom import quotas
from scrm.wecom.api import acquisition, trials
from scrm.wecom.errors import ConfigurationError, Unreachable, WecomError

LOW = 20  # friendships left; WeCom warns at about as many (wecom-api.md §3.6)

TITLES = {
    "departments": gettext_lazy("API: departments and members"),
    "contacts": gettext_lazy("API: customers"),
    "group_chats": gettext_lazy("API: group chats"),
    "tags": gettext_lazy("API: customer tags"),
    "contact_ways": gettext_lazy("API: codes (联系我)"),
    "broadcasts": gettext_lazy("API: broadcasts"),
    "media": gettext_lazy("API: pictures and files"),
}


def _trial_of(family: str) -> None:
    place = places.VISIBLE_RANGE if family == "departments" else places.CALLABLE_APPS

    @check(f"api_{family}", part="permissions", title=TITLES[family], place=place, asks_platform=True)
    def trial() -> Result:
        return fine(_("%(api)s may be called.") % {"api": trials.attempt(family)})


for _family in TITLES:
    _trial_of(_family)


@check(
    "acquisition_quota",
    part="permissions",
    title=gettext_lazy("Licence: quota of acquisition links"),
    place=places.ACQUISITION,
    asks_platform=True,
)
def acquisition_quota() -> Result:
    """The only bought quota that an app of the company itself can read; other licences WeCom tells no app."""
    try:
        bought, left = acquisition.fetch_quota()
    except Unreachable as error:
        return unknown(_("The quota could not be read: %(why)s.") % {"why": error.message})
    except (ConfigurationError, WecomError) as error:
        if error.api == "gettoken":
            raise
        words = _("The quota could not be read: %(why)s. Only acquisition links (获客助手) need it.")
        return unknown(words % {"why": error.message}, places.ACQUISITION, error.code)
    words = _("Acquisition links: %(left)d of %(bought)d friendships are left.") % {"left": left, "bought": bought}
    if bought and left < LOW:
        return (failed if left <= 0 else warning)(words, places.ACQUISITION)
    return fine(words)


@check("call_budget", part="permissions", title=gettext_lazy("Limits of calls"))
def call_budget() -> Result:
    """From our own counters: nothing is asked."""
    used = quotas.usage()
    paused = [item for item in used if item.paused_seconds > 0]
    if paused:
        words = _("Paused, because WeCom said 45009 (too many calls): %(apis)s, for %(n).0f s more.")
        given = {"apis": "、".join(item.api for item in paused), "n": max(item.paused_seconds for item in paused)}
        return failed(words % given, code=45009)
    tight = [item.api for item in used if item.hour > 0.8 * item.hour_budget]
    if tight:
        return warning(_("More than 80 %% of the hour's budget is used: %(apis)s.") % {"apis": "、".join(tight)})
    return fine(_("%(n)d calls in the last hour, within every limit.") % {"n": sum(item.hour for item in used)})
