"""The API as a program sees it, and a small world: 小林 came by 包裹卡 to 王磊 and sits in 福利群; 小陈 is 赵敏's."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client

from campaigns.models import Broadcast, Welcome
from campaigns.sending import compose, pace
from contacts.models import Channel, Customer, Follow, Staff, Tag, TagGroup
from groups.models import GroupChat, Stay
from scrm.base.models import ApiToken, User, Work
from scrm.wecom.models import Callback


@dataclass
class Api:
    """Calls with a token."""

    token: str
    client: Client = field(default_factory=Client)

    def get(self, path: str, query: dict[str, Any] | None = None, status: int = 200) -> Any:
        address = path if path.startswith("http") else f"/api/v1/{path}"
        response = self.client.get(address, query or {}, headers=self.headers)
        assert response.status_code == status, response.content.decode()
        return response.json()

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        response = self.client.post(
            f"/api/v1/{path}", body if body is not None else {}, content_type="application/json", headers=self.headers
        )
        assert response.status_code == status, response.content.decode()
        return response.json()

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@pytest.fixture
def api_of() -> Callable[..., Api]:
    """`api_of(user, scope="read")`."""

    def make(user: User, scope: str = "read") -> Api:
        return Api(ApiToken.issue(user, scope))

    return make


@pytest.fixture
def api(alice: User, api_of: Callable[..., Api]) -> Api:
    """Alice's, who sees everything; may administer."""
    return api_of(alice, "admin")


@dataclass
class World:
    """What the fixtures made."""

    at: dt.datetime
    xiaolin: Customer
    xiaochen: Customer
    passerby: Customer
    fuli: GroupChat
    other_chat: GroupChat
    callback: Callback


@pytest.fixture
def world(wanglei: Staff, zhaomin: Staff, moment: dt.datetime) -> World:
    group = TagGroup.objects.create(group_id="egLevel", name="客户等级")
    Tag.objects.create(tag_id="etVip", group=group, name="VIP", order=1)
    Tag.objects.create(tag_id="etNew", group=group, name="新客", order=2)
    Channel.objects.create(state="parcel", name="包裹卡")
    xiaolin = customer("wmXiaolin", "小林", moment, state="parcel", unionid="oXiaolin", gender=2)
    befriend(wanglei, xiaolin, moment, state="parcel", add_way=1, remark="小林 杭州", tag_ids=["etVip"])
    xiaochen = customer("wmXiaochen", "小陈", moment)
    befriend(zhaomin, xiaochen, moment, add_way=3)
    passerby = Customer.objects.create(external_userid="wmPasserby", name="路人")
    fuli = GroupChat.objects.create(
        chat_id="wrFuli", name="福利群", owner=wanglei, people=3, created_at=moment, notice="周三秒杀", type="benefits"
    )
    other = GroupChat.objects.create(chat_id="wrOther", name="客服群", owner=zhaomin, people=1, created_at=moment)
    stay(fuli, moment, staff=wanglei)
    stay(fuli, moment, customer=xiaolin, join_scene=3)
    stay(fuli, moment, customer=passerby, join_scene=3)
    stay(other, moment, customer=xiaochen)
    Welcome.objects.create(
        code="CODE-XIAOLIN", userid="wanglei", external_userid="wmXiaolin", state="parcel", outcome="sent",
        happened_at=moment, received_at=moment, accepted_at=moment, latency_ms=700, rule_name="默认欢迎语", attempts=1,
    )  # fmt: skip
    Welcome.objects.create(
        code="CODE-XIAOCHEN", userid="zhaomin", external_userid="wmXiaochen", outcome="expired", reason="41050",
        happened_at=moment, received_at=moment, attempts=1,
    )  # fmt: skip
    callback = receive(moment, "wmXiaolin")
    return World(moment, xiaolin, xiaochen, passerby, fuli, other, callback)


@pytest.fixture
def broadcasts(world: World, alice: User, settings: Any) -> list[Broadcast]:
    """Approved by alice: 1 goes through 王磊 and 赵敏, 2 through 赵敏 alone."""
    settings.QUIET_HOURS = "none"
    return [
        broadcast(1, alice, ["wmXiaolin", "wmXiaochen", "wmNobody"], name="上新", text="新品上架"),
        broadcast(2, alice, ["wmXiaochen"], name="客服专场", text="客服周"),
    ]


def broadcast(pk: int, user: User, to: list[str], *, name: str, text: str) -> Broadcast:
    """An approved one with a known key."""
    made = compose.draft(user, name=name, audience_={"external_userids": to}, text=text)
    made.pk = pk
    made.save(force_insert=True)
    return pace.approve(made, user)


def customer(external_userid: str, name: str, at: dt.datetime, *, state: str = "", **more: Any) -> Customer:
    from contacts.search import index

    return Customer.objects.create(
        external_userid=external_userid, name=name, search=index(name), first_added_at=at, first_state=state,
        open_follows=1, **more,
    )  # fmt: skip


def befriend(staff: Staff, person: Customer, at: dt.datetime, **more: Any) -> Follow:
    return Follow.objects.create(staff=staff, customer=person, added_at=at, **more)


def stay(chat: GroupChat, at: dt.datetime, **more: Any) -> Stay:
    person, staff = more.get("customer"), more.get("staff")
    member = person.external_userid if person else staff.userid if staff else ""
    return Stay.objects.create(chat=chat, member_id=member, joined_at=at, joined_known_by="event", **more)


def receive(at: dt.datetime, external_userid: str, *, state: str = "done", digest: bytes = b"1") -> Callback:
    callback = Callback.objects.create(
        digest=digest.rjust(32, b"."), received_domain_at=at, happened_at=at, event="change_external_contact",
        change_type="add_external_contact", entity=f"contact:{external_userid}", raw="<xml></xml>",
        welcome_code="CODE-XIAOLIN",
    )  # fmt: skip
    Work.objects.create(
        source_kind="callback", source_id=callback.pk, lane="mirror:contact", entity=callback.entity, state=state
    )
    return callback


def iso(moment: dt.datetime) -> str:
    """As the API writes it: company time."""
    from scrm.base import clock

    return moment.astimezone(clock.zone()).isoformat()
