"""What should be so before the first message leaves."""

import datetime as dt

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.query import measure
from contacts.models import Customer
from groups.models import GroupChat
from scrm.base import clock
from scrm.base.console import formats
from scrm.base.models import User
from scrm.site.doctor import places, web
from scrm.site.doctor.registry import Result, check, failed, fine, unknown, warning
from scrm.wecom import brake

COVERAGE_DAYS = 7
GOOD_COVERAGE = 0.9  # about 2 % of adds come without a code for other reasons (stand-in.md §1)
FEW = 3  # adds of one member without any code, from which it is no accident
NAMED = 5


@check("native_welcome", part="safety", title=gettext_lazy("No native welcome is on"), place=places.NATIVE_WELCOME)
def native_welcome() -> Result:
    """A welcome set in WeCom's console keeps the code from us: adds without codes show it (platform.md 26)."""
    everybody = User(is_superuser=True)  # counts the whole company
    start, end = clock.today() - dt.timedelta(days=COVERAGE_DAYS - 1), clock.today() + dt.timedelta(days=1)
    total = measure("welcome_coverage", start=start, end=end, user=everybody)[0]
    if not total.denominator:
        return unknown(_("Nobody was added in the last %(n)d days, so it can't be seen.") % {"n": COVERAGE_DAYS})
    codes, adds = int(total.numerator or 0), int(total.denominator)
    by_staff = measure("welcome_coverage", start=start, end=end, by="staff", user=everybody)
    without = [point.label for point in by_staff if not point.numerator and (point.denominator or 0) >= FEW]
    given = {"days": COVERAGE_DAYS, "adds": adds, "codes": codes, "names": "、".join(without[:NAMED])}
    if without:
        words = _(
            "Of %(adds)d adds in %(days)d days %(codes)d came with a welcome code, and none of those of: %(names)s. A native"
            " welcome is on for them; delete it, else nobody is greeted from here."
        )
        return failed(words % given, places.NATIVE_WELCOME)
    if codes < GOOD_COVERAGE * adds:
        words = _("Only %(codes)d of %(adds)d adds in %(days)d days came with a welcome code: is a native welcome on?")
        return warning(words % given, places.NATIVE_WELCOME)
    return fine(_("%(codes)d of %(adds)d adds in %(days)d days came with a welcome code.") % given)


@check("sending", part="safety", title=gettext_lazy("The brake (SENDING)"))
def sending() -> Result:
    """Its position, and what the allow-list holds."""
    held = brake.stop()
    if held is not None:
        words = _(
            "The red button was pressed by %(who)s at %(when)s: nothing goes out until an administrator releases it."
        )
        return failed(words % {"who": held.pressed_by or formats.NONE, "when": formats.moment(held.pressed_at)})
    listed = settings.SENDING_ALLOWLIST
    if settings.SENDING == "on":
        return fine(_("SENDING=on: everything that customers notice goes out."))
    if settings.SENDING == "off":
        return warning(
            _("SENDING=off: nothing goes out to any customer. Try SENDING=allowlist with two friends first.")
        )
    if not listed:
        return failed(_("SENDING=allowlist, but SENDING_ALLOWLIST is empty: nothing goes out."))
    known = Customer.objects.filter(external_userid__in=listed).count()
    known += GroupChat.objects.filter(chat_id__in=listed).count()
    words = _("SENDING=allowlist: only %(n)d customers and chats receive anything, %(known)d of them are known here.")
    return warning(words % {"n": len(listed), "known": known})


@check("h5_urls", part="safety", title=gettext_lazy("Customer pages on a domain of their own"))
def h5_urls() -> Result:
    """WeChat blocks a domain for what customers shared: not the one that the console and callbacks live on."""
    if not settings.H5_URLS:
        return warning(_("H5_URLS is empty: customer pages would share the console's domain, and its fate."))
    console = web.host(settings.PUBLIC_URL).partition(":")[0]
    shared = [address for address in settings.H5_URLS if web.host(address).partition(":")[0] == console]
    if shared:
        words = _(
            "H5_URLS names the console's domain (%(host)s). If WeChat blocks it for a shared page, callbacks and console go"
            " with it: use another filed domain."
        )
        return failed(words % {"host": console})
    return fine(
        _("Customer pages have domains of their own: %(hosts)s.")
        % {"hosts": "、".join(map(web.host, settings.H5_URLS))}
    )


@check("time_zone", part="safety", title=gettext_lazy("Time zone of the company"))
def time_zone() -> Result:
    """Days and quiet hours follow it; WeCom's quotas follow Beijing's."""
    zone = settings.COMPANY_TIME_ZONE
    now = clock.now().astimezone(clock.zone())
    beijing = now.utcoffset() == dt.timedelta(hours=8)
    if not beijing:
        words = _("COMPANY_TIME_ZONE is %(zone)s, where it is %(time)s. WeCom counts its quotas by Beijing's days.")
        return warning(words % {"zone": zone, "time": f"{now:%H:%M}"})
    return fine(_("COMPANY_TIME_ZONE is %(zone)s, where it is %(time)s.") % {"zone": zone, "time": f"{now:%H:%M}"})
