"""The lanes, queues and sources of work in words, and the pages of the sources."""

from collections.abc import Collection

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from campaigns.models import Dispatch, HandPost, Reminder
from contacts.models import SyncStep
from scrm.base.announcing import ANNOUNCEMENT
from scrm.base.console import naming
from scrm.wecom.models import Callback


def callback_pages(ids: Collection[int]) -> dict[int, str]:
    return {number: reverse("admin:wecom_callback_change", args=[number]) for number in ids}


def sync_pages(ids: Collection[int]) -> dict[int, str]:
    runs = SyncStep.objects.filter(pk__in=ids).values_list("pk", "run")
    return {number: reverse("admin:contacts_syncrun_change", args=[run]) for number, run in runs}


def dispatch_pages(ids: Collection[int]) -> dict[int, str]:
    rows = Dispatch.objects.filter(pk__in=ids).values_list("pk", "broadcast")
    return {number: broadcast_page(broadcast) for number, broadcast in rows}


def reminder_pages(ids: Collection[int]) -> dict[int, str]:
    rows = Reminder.objects.filter(pk__in=ids).values_list("pk", "dispatch__broadcast")
    return {number: broadcast_page(broadcast) for number, broadcast in rows}


def handpost_pages(ids: Collection[int]) -> dict[int, str]:
    return {number: reverse("admin:campaigns_handpost_change", args=[number]) for number in ids}


def broadcast_page(broadcast_id: int) -> str:
    """The console page of a broadcast."""
    return reverse("admin:campaigns_broadcast_change", args=[broadcast_id])


naming.name({
    # queues; "welcome" and "sync" are lanes as well
    "welcome": _("welcome"), "mirror": _("mirror of WeCom"), "sending": _("sending of broadcasts"), "sync": _("full sync"),
    "rollup": _("numbers"), "export": _("exports"),
    # lanes
    "inbox": _("sorting of callbacks"), "mirror:contact": _("customers' changes"), "mirror:chat": _("chats' changes"),
    "mirror:staff": _("staff's changes"), "mirror:department": _("departments' changes"),
    "mirror:tags": _("tags' changes"), "send": _("creating of tasks"), "results": _("reading of results"),
    "remind": _("reminding"), "notice": _("messages to staff"),
    "handpost": _("manual posts"),
})  # fmt: skip
naming.add_source(Callback.WORK_SOURCE, _("callback"), callback_pages)
naming.add_source(SyncStep.WORK_SOURCE, _("step of a sync"), sync_pages)
naming.add_source(Dispatch.WORK_SOURCE, _("task of a broadcast"), dispatch_pages)
naming.add_source(Reminder.WORK_SOURCE, _("reminder"), reminder_pages)
naming.add_source(HandPost.WORK_SOURCE, _("manual post"), handpost_pages)
naming.add_source(ANNOUNCEMENT, _("announcement"))
naming.add_source("notice", _("message to staff"))
