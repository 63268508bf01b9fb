"""Corp, app and secret: whether WeCom lets us in."""

from collections.abc import Sequence

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from scrm.base import clock
from scrm.base.checks import settings_are_complete
from scrm.base.dbclock import db_now
from scrm.site.doctor import places, web
from scrm.site.doctor.registry import Result, check, failed, fine, unknown, warning
from scrm.wecom import errors
from scrm.wecom.api import access, staff
from scrm.wecom.errors import ConfigurationError, WecomError

CLOCK_SECONDS = 60.0  # the platform's signatures and codes live longer, our moments should not differ by more
DATABASE_SECONDS = 5.0  # leases are as short as 30 s


@check("settings", part="access", title=gettext_lazy("Settings of the connection"))
def settings_complete() -> Result:
    """What every process checks when it starts."""
    found: Sequence[CheckMessage] = settings_are_complete(None)
    if not found:
        return fine(_("All settings that the connection needs are there and well formed."))
    names = [message.msg.partition(" ")[0] for message in found]  # each begins with the setting's name
    words = _("Missing or malformed in the environment: %(names)s.") % {"names": "、".join(map(_with_place, names))}
    return failed(words) if any(isinstance(message, Error) for message in found) else warning(words)


def _with_place(name: str) -> str:
    place = places.OF_SETTING.get(name)
    return f"{name}（{place}）" if place else name


@check("corp_id", part="access", title=gettext_lazy("Corp id"), place=places.CORP, asks_platform=True)
def corp_id() -> Result:
    """gettoken answers 40013 for a corp that it does not know."""
    try:
        access.prove_secret()
    except (ConfigurationError, WecomError) as error:
        if error.code == errors.CORP_REFUSED:
            words = _(
                "Asked for an access token: WeCom does not know the corp id %(corp)s (WECOM_CORP_ID). Correct it and restart"
                " all processes; until then WeCom is not asked again."
            )
            return failed(words % {"corp": settings.WECOM_CORP_ID}, places.CORP, error.code, blocks=True)
        if error.code == errors.SECRET_REFUSED:
            return unknown(_("Asked for an access token: the secret was refused, so nothing is known of the corp id."))
        raise
    return fine(_("WeCom knows the corp %(corp)s.") % {"corp": settings.WECOM_CORP_ID})


@check("secret", part="access", title=gettext_lazy("Secret of the app"), place=places.SECRET, asks_platform=True)
def secret() -> Result:
    """One gettoken. Wrong ones are remembered by the token's own memory: asking on gets the address banned."""
    try:
        access.prove_secret()
    except (ConfigurationError, WecomError) as error:
        if error.code == errors.SECRET_REFUSED:
            words = _(
                "Asked for an access token: WeCom refuses the secret (WECOM_SECRET), or it belongs to another corp. It is"
                " not tried again for five minutes, because guessing gets this server's address banned for an hour."
                " Correct it and restart all processes."
            )
            return failed(words, places.SECRET, error.code, blocks=True)
        if error.code == errors.RATE_EXCEEDED:
            words = _(
                "Asked for an access token: WeCom takes no more requests from us. Too many, or too many with a wrong secret:"
                " then the ban lasts an hour."
            )
            return failed(words, places.SECRET, error.code, blocks=True)
        raise
    return fine(_("WeCom gave an access token for the secret."))


@check(
    "trusted_address",
    part="access",
    title=gettext_lazy("Trusted IP address"),
    place=places.TRUSTED_ADDRESS,
    asks_platform=True,
)
def trusted_address() -> Result:
    """60020, or anything else: then the address is let in."""
    try:
        staff.fetch_follow_users()
    except (ConfigurationError, WecomError) as error:
        if error.code == errors.ADDRESS_REFUSED:
            seen = getattr(error, "address", "") or _("not told")
            words = _(
                "Read the list of serving staff: WeCom does not trust this server's address (%(address)s). Enter it; it"
                " works about a minute later. Behind several exits enter each of them."
            )
            return failed(words % {"address": seen}, places.TRUSTED_ADDRESS, error.code)
        if error.code is None or error.api == "gettoken":
            raise
    return fine(_("WeCom answers this server's address."))


@check(
    "app", part="access", title=gettext_lazy("Agent id and state of the app"), place=places.AGENT, asks_platform=True
)
def app() -> Result:
    """agent/get by our number."""
    if not settings.WECOM_AGENT_ID:
        return warning(
            _("WECOM_AGENT_ID is empty: no message to staff, and no sign-in by WeCom, is possible."), places.AGENT
        )
    try:
        info = access.fetch_app(settings.WECOM_AGENT_ID)
    except ConfigurationError as error:
        if error.code in {errors.AGENT_REFUSED, 301002}:
            words = _("Read the app %(agent)s (WECOM_AGENT_ID): the number does not belong to the secret.")
            return failed(words % {"agent": settings.WECOM_AGENT_ID}, places.AGENT, error.code)
        raise
    if info.closed:
        return failed(_("Read the app “%(name)s”: it is switched off.") % {"name": info.name}, places.APP)
    return fine(_("The app is “%(name)s” and switched on.") % {"name": info.name})


@check("clock", part="access", title=gettext_lazy("Clock"), asks_platform=True)
def clocks() -> Result:
    """The platform's Date and the database's clock against this process's."""
    database = abs((clock.real_now() - db_now()).total_seconds())
    if database > DATABASE_SECONDS:
        words = _(
            "This process's clock and the database's differ by %(n).0f s. Switch on time synchronisation (NTP) on both."
        )
        return failed(words % {"n": database})
    if not web.on_trial() and (settings.CLOCK_OFFSET or settings.CLOCK_SPEED != 1):
        return failed(_("CLOCK_OFFSET or CLOCK_SPEED is set: they are for tests only and date everything wrongly."))
    ahead = access.fetch_clock_ahead()
    if ahead is None:
        return unknown(_("WeCom's answer has no Date, so the clocks could not be compared."))
    if abs(ahead) > CLOCK_SECONDS:
        words = _(
            "Compared with WeCom's: this machine's clock is %(n)+.0f s off. Switch on time synchronisation (NTP)."
        )
        return failed(words % {"n": ahead})
    return fine(_("The clocks of WeCom, database and this process agree (%(n).0f s).") % {"n": abs(ahead)})
