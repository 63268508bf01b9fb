"""A small company with rows on every console page: 王磊 of department 2 and 赵敏 of department 3, each with own customers."""

import datetime as dt
import hashlib

from django.test import override_settings

from campaigns.models import HandPost, HandPostTick, Welcome, WelcomeRule
from campaigns.sending import compose, pace
from contacts import search
from contacts.models import Channel, Customer, Follow, Notice, Staff, SyncRun, Tag, TagGroup
from groups.models import ChatGap, GroupChat, Stay
from scrm.base import audit, clock
from scrm.base.models import ApiToken, User, Work
from scrm.wecom.models import ApiCall, Callback


def build(wanglei: Staff, zhaomin: Staff, admin: User, moment: dt.datetime, *, size: int = 2) -> None:
    """`size` customers for each of the two, one chat each, broadcasts, welcomes, callbacks, work, calls, a sync, a token."""
    Channel.objects.create(state="ch1", name="包裹卡")
    tag = Tag.objects.create(tag_id="t1", group=TagGroup.objects.create(group_id="g1", name="肤质"), name="干皮")
    for staff in (wanglei, zhaomin):
        _customers(staff, tag, moment, size)
        _hand_posts(staff, admin, moment, size)
    _callbacks(moment, size)
    ApiCall.objects.bulk_create([ApiCall(api="externalcontact/get", errcode=40096, ms=80) for _ in range(size)])
    SyncRun.objects.create(state=SyncRun.State.DONE, started_at=moment, finished_at=moment, started_by=admin)
    with override_settings(QUIET_HOURS="none"):  # tests run at any hour
        _broadcasts(wanglei, zhaomin, admin)
    ApiToken.issue(admin, "read")
    audit.record("sync.start", user=admin, subject="#1")


def _customers(staff: Staff, tag: Tag, moment: dt.datetime, size: int) -> None:
    chat = GroupChat.objects.create(
        chat_id=f"wr{staff.userid}", name=f"{staff.name}的福利群", owner=staff, created_at=moment, people=size + 1,
        external_people=size, first_read_at=moment,
    )  # fmt: skip
    ChatGap.objects.create(chat=chat, version="v1", found_at=moment)
    Stay.objects.create(chat=chat, member_id=staff.userid, staff=staff, joined_at=moment, joined_known_by="event")
    for number in range(size):
        Notice.objects.create(
            staff=staff, kind="task", key=f"tasks:{number}", title=f"{staff.name}的今日任务", description="3 个群待确认",
            url="https://scrm.example.com/h5/tasks/", state=Notice.State.SENT, created_at=moment, sent_at=moment,
            send_before=moment + dt.timedelta(hours=4),
        )  # fmt: skip
    rule = WelcomeRule.objects.filter(active=True).first()
    for number in range(size):
        name = f"{staff.name}的客户{number}"
        customer = Customer.objects.create(
            external_userid=f"wm{staff.userid}{number}", name=name, search=search.index(name), first_added_at=moment,
            first_state="ch1", open_follows=1,
        )  # fmt: skip
        Follow.objects.create(
            staff=staff, customer=customer, added_at=moment, add_way=1, state="ch1", tag_ids=[tag.tag_id],
            remark=f"{staff.name}的备注",
        )  # fmt: skip
        Stay.objects.create(
            chat=chat, member_id=customer.external_userid, customer=customer, joined_at=moment, joined_known_by="event",
            join_scene=3,
        )  # fmt: skip
        Welcome.objects.create(
            code=f"{staff.userid}-{number}", userid=staff.userid, external_userid=customer.external_userid, state="ch1",
            rule=rule, rule_name=rule.name if rule else "", outcome=Welcome.Outcome.SENT, happened_at=moment,
            received_at=moment, accepted_at=moment, latency_ms=900,
        )  # fmt: skip


def _hand_posts(staff: Staff, admin: User, moment: dt.datetime, size: int) -> None:
    chat = GroupChat.objects.get(chat_id=f"wr{staff.userid}")
    for number in range(size):
        post = HandPost.objects.create(
            name=f"{staff.name}的早安{number}", text="早上好", due_at=moment, deadline=moment + dt.timedelta(hours=4),
            created_by=admin, created_at=moment,
        )  # fmt: skip
        HandPostTick.objects.create(post=post, chat=chat, staff=staff)


def _broadcasts(wanglei: Staff, zhaomin: Staff, admin: User) -> None:
    """One to each chat, approved, and a draft to everybody."""
    for staff in (wanglei, zhaomin):
        broadcast = compose.draft(
            admin, name=f"{staff.name}的上新", audience_={"chat_ids": [f"wr{staff.userid}"]}, text=f"{staff.name}：新品到了",
            confirm_by=clock.now() + dt.timedelta(hours=2),
        )  # fmt: skip
        broadcast.save()
        pace.approve(broadcast, admin)
    Work.objects.filter(lane=pace.SEND).delete()  # nobody works here, and pages of work count their own
    compose.draft(
        admin, name="会员日", audience_={"filter": {}}, text="会员日见", confirm_by=clock.now() + dt.timedelta(hours=2)
    ).save()


def _callbacks(moment: dt.datetime, size: int) -> None:
    for number in range(size):
        callback = Callback.objects.create(
            digest=hashlib.sha256(str(number).encode()).digest(), received_domain_at=moment, happened_at=moment,
            event="change_external_contact", change_type="add_external_contact", entity=f"contact:wmwanglei{number}",
            raw=f"<xml><Event>change_external_contact</Event><N>{number}</N></xml>",
        )  # fmt: skip
        Work.objects.create(
            source_kind="callback", source_id=callback.pk, lane="mirror:contact", entity=callback.entity,
            state=Work.State.QUARANTINED, attempts=3, error="WecomError: 40096",
        )  # fmt: skip
