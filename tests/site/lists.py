"""One line for each list of the console: an address that filters it and leaves at least two rows of `build`."""

import datetime as dt

from campaigns.models import WelcomeRule
from contacts.models import Channel, Department, Staff, SyncRun, Tag
from scrm.base import audit
from scrm.base.models import ApiToken, User
from tests.site import world

FILTERS = {
    "base.ApiToken": "q=alice",
    "base.AuditRecord": "q=sync",
    "base.User": "q=li",
    "base.Work": "view=failed",
    "campaigns.Broadcast": "view=open",
    "campaigns.HandPost": "q=早安",
    "campaigns.Welcome": "staff=wanglei",
    "campaigns.WelcomeRule": "view=active",
    "contacts.Channel": "q=ch",
    "contacts.Customer": "staff=wanglei",
    "contacts.Department": "q=客服",
    "contacts.Notice": "q=wanglei",
    "contacts.Staff": "view=serving",
    "contacts.SyncRun": "view=done",
    "contacts.Tag": "q=皮",
    "groups.GroupChat": "view=living",
    "wecom.ApiCall": "errcode=40096",
    "wecom.Callback": "view=failed",
}


def build(wanglei: Staff, zhaomin: Staff, admin: User, moment: dt.datetime) -> None:
    """The world, with a second row where it has one."""
    world.build(wanglei, zhaomin, admin, moment, size=3)
    User.objects.create_user("lili", password="x", is_staff=True)
    ApiToken.issue(admin, "write")
    audit.record("sync.start", user=admin, subject="#2")
    WelcomeRule.objects.create(name="王磊的欢迎语", staff=wanglei, text="您好")
    Channel.objects.create(state="ch2", name="直播间")
    Department.objects.create(id=4, name="客服二部", parent_id=3, path=[1, 3, 4])
    SyncRun.objects.create(state=SyncRun.State.DONE, started_at=moment, finished_at=moment, started_by=admin)
    Tag.objects.create(tag_id="t2", group=Tag.objects.get(tag_id="t1").group, name="油皮")
