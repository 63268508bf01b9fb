"""What is still to be done before anything works, with the place in WeCom's console for each."""

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from contacts.models import SyncRun
from scrm.base.models import User
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
    app = "企微后台 > 应用管理 > 自建应用"
    callback = f"{app} > 接收消息 > 设置API接收"
    synced = SyncRun.objects.filter(state__in=[SyncRun.State.DONE, SyncRun.State.HELD]).exists()
    return [
        Step(_("Corp id (WECOM_CORP_ID)"), bool(settings.WECOM_CORP_ID), "企微后台 > 我的企业 > 企业信息 > 企业ID"),
        Step(_("Secret of the app (WECOM_SECRET)"), bool(settings.WECOM_SECRET), f"{app} > Secret"),
        Step(_("Token of the callbacks (WECOM_CALLBACK_TOKEN)"), bool(settings.WECOM_CALLBACK_TOKEN), callback),
        Step(_("Key of the callbacks (WECOM_CALLBACK_AES_KEY)"), bool(settings.WECOM_CALLBACK_AES_KEY), callback),
        Step(
            _("Customer contact allowed for the app, serving staff in its visible range"),
            synced,
            "企微后台 > 客户与上下游 > 客户联系 > API > 可调用接口的应用",
        ),
        Step(
            _("A callback has come in (address: %(url)s)")
            % {"url": f"{settings.PUBLIC_URL.rstrip('/')}/wecom/callback/"},
            Callback.objects.exists(),
            callback,
        ),
        Step(
            _("First full sync done"),
            synced,
            link=reverse("admin:contacts_syncrun_changelist") if user.is_superuser else "",
        ),
        Step(_("Sending switched on (SENDING=on) once you have looked around"), settings.SENDING == "on", needed=False),
    ]
