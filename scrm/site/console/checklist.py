"""What is still to be done before anything works, with the place in WeCom's console for each."""

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from contacts.models import SyncRun
from scrm.base.models import User
from scrm.site.doctor import places
from scrm.wecom.models import Callback


@dataclass(frozen=True)
class Step:
    """One line. `needed`: nothing works without it. `where`: the path in WeCom's console; `link`: a page of ours."""

    text: str
    done: bool
    where: str = ""
    link: str = ""
    needed: bool = True


def checklist(user: User) -> list[Step]:
    """The steps in the order in which they are done."""
    synced = SyncRun.objects.filter(state__in=[SyncRun.State.DONE, SyncRun.State.HELD]).exists()
    return [
        Step(_("Corp id (WECOM_CORP_ID)"), bool(settings.WECOM_CORP_ID), places.CORP),
        Step(_("Secret of the app (WECOM_SECRET)"), bool(settings.WECOM_SECRET), places.SECRET),
        Step(_("Token of the callbacks (WECOM_CALLBACK_TOKEN)"), bool(settings.WECOM_CALLBACK_TOKEN), places.CALLBACK),
        Step(
            _("Key of the callbacks (WECOM_CALLBACK_AES_KEY)"), bool(settings.WECOM_CALLBACK_AES_KEY), places.CALLBACK
        ),
        Step(
            _("Customer contact allowed for the app, serving staff in its visible range"),
            synced,
            places.CALLABLE_APPS,
        ),
        Step(
            _("A callback has come in (address: %(url)s)")
            % {"url": f"{settings.PUBLIC_URL.rstrip('/')}/wecom/callback/"},
            Callback.objects.exists(),
            places.CALLBACK,
        ),
        Step(
            _("First full sync done"),
            synced,
            link=reverse("admin:contacts_syncrun_changelist") if user.is_superuser else "",
        ),
        Step(_("Sending switched on (SENDING=on) once you have looked around"), settings.SENDING == "on", needed=False),
    ]
