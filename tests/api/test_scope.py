"""Every address, asked by three people: nobody learns anything of a department that is not theirs."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from analytics import fill
from campaigns.models import Broadcast
from campaigns.sending import compose
from contacts.models import Channel, Staff
from scrm.base import roles
from scrm.base.models import User, Work
from scrm.base.roles import Role
from scrm.site.api.urls import urlpatterns
from tests.api.conftest import Api, World, befriend, stay

pytestmark = pytest.mark.django_db

FUNNEL = {"steps": ["added", "joined"], "breakdown": "staff"}

# address → (of bob's department 2: status, of another department: status)
ROUTES: dict[str, list[tuple[str, int]]] = {
    "schema": [("schema/", 200)],
    "docs": [("docs/", 200)],
    "customers": [("customers/", 200)],
    "customer": [("customers/wmXiaolin/", 200), ("customers/wmXiaochen/", 404)],
    "timeline": [("customers/wmXiaolin/timeline/", 200), ("customers/wmXiaochen/timeline/", 404)],
    "staff": [("staff/", 200)],
    "one-staff": [("staff/wanglei/", 200), ("staff/zhaomin/", 404)],
    "departments": [("departments/", 200)],
    "tags": [("tags/", 200)],
    "group-chats": [("group-chats/", 200)],
    "group-chat": [("group-chats/wrFuli/", 200), ("group-chats/wrOther/", 404)],
    "members": [("group-chats/wrFuli/members/", 200), ("group-chats/wrOther/members/", 404)],
    "channels": [("channels/", 200)],
    "welcomes": [("welcomes/", 200)],
    "broadcasts": [("broadcasts/", 200)],
    "broadcast": [("broadcasts/1/", 200), ("broadcasts/2/", 404)],
    **{step: [(f"broadcasts/1/{step}/", 405)] for step in ("approve", "pause", "resume", "cancel", "remind")},
    "deliveries": [("broadcasts/1/deliveries/", 200), ("broadcasts/2/deliveries/", 404)],
    "metrics": [(f"metrics/?metric={name}&by=staff", 200) for name in ("adds", "joins", "members", "customers")],
    "dictionary": [("metrics/dictionary/", 200)],
    "funnels": [("funnels/", 405)],
    "callbacks": [("callbacks/", 403)],
    "callback": [("callbacks/1/", 403)],
    "replay": [("callbacks/1/replay/", 403)],
    "nowhere": [("nonsense/", 404), ("", 404)],
}

# What is written, with the least scope of the token and whom of bob's roles it is open to; the rest is read only.
WRITES: dict[tuple[str, str], tuple[str, set[Role]]] = {
    ("channels", "POST"): ("write", {Role.OPERATOR, Role.MANAGER}),
    ("funnels", "POST"): ("read", {Role.STAFF, Role.OPERATOR, Role.MANAGER}),  # a question with a body
    ("replay", "POST"): ("admin", set()),
    ("broadcasts", "POST"): ("write", {Role.OPERATOR, Role.MANAGER}),
    **{(step, "POST"): ("write", {Role.MANAGER}) for step in ("approve", "pause", "resume", "cancel", "remind")},
}
# A request that is bob's to make, and its answer where he may; 3 is a draft of his own.
GOOD: dict[str, tuple[str, dict[str, Any], int]] = {
    "channels": ("channels/", {"name": "门店"}, 201),
    "funnels": ("funnels/", FUNNEL, 200),
    "replay": ("callbacks/1/replay/", {}, 200),
    "broadcasts": (
        "broadcasts/",
        {"name": "午市", "audience": {"external_userids": ["wmXiaolin"]}, "content": {"text": "午市开始"}},
        201,
    ),
    "approve": ("broadcasts/3/approve/", {}, 200),
    "pause": ("broadcasts/3/pause/", {}, 409),
    "resume": ("broadcasts/3/resume/", {}, 409),
    "cancel": ("broadcasts/3/cancel/", {}, 200),
    "remind": ("broadcasts/3/remind/", {}, 409),
}
ROLES = [Role.STAFF, Role.OPERATOR, Role.MANAGER]

OPEN = {"schema", "docs"}  # hold no data
ASKED = [pair for name, pairs in ROUTES.items() if name not in OPEN for pair in pairs]

# words that only department 3 knows
FOREIGN = ("zhaomin", "赵敏", "wmXiaochen", "小陈", "wrOther", "客服")


@pytest.fixture(autouse=True)
def _broadcasts(broadcasts: list[Broadcast], bob: User) -> None:
    """They are there in every test, and a draft of bob's."""
    own = compose.draft(bob, name="早市", audience_={"external_userids": ["wmXiaolin"]}, text="早市开始")
    own.pk = 3
    own.save(force_insert=True)
    with connection.cursor() as cursor:  # the next one made through the API comes after them
        cursor.execute("SELECT setval(pg_get_serial_sequence('campaigns_broadcast', 'id'), 1000)")


def _fill_for(path: str) -> None:
    if path.startswith("metrics/?"):
        fill.fill_dirty()


def _text(answer: Any) -> str:
    return json.dumps(answer, ensure_ascii=False)


def test_the_table_names_every_address() -> None:
    assert {pattern.name for pattern in urlpatterns} == set(ROUTES)


def test_the_table_names_everything_that_is_written() -> None:
    verbs = ("post", "put", "patch", "delete")
    views = [(pattern.name, getattr(pattern.callback, "cls", None)) for pattern in urlpatterns]
    found = {(name, verb.upper()) for name, view in views for verb in verbs if hasattr(view, verb)}
    assert found == set(WRITES)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("path", "status"), ASKED)
def test_bob_sees_only_his_department(
    bob: User, api_of: Callable[..., Api], world: World, wanglei: Staff, path: str, status: int, role: Role
) -> None:
    roles.give(bob, role)
    _fill_for(path)
    answer = api_of(bob).get(path, status=status)

    assert [word for word in FOREIGN if word in _text(answer)] == []


@pytest.mark.parametrize(("path", "status"), ASKED)
def test_who_has_no_department_sees_nobody(
    charlie: User, api_of: Callable[..., Api], world: World, path: str, status: int
) -> None:
    _fill_for(path)
    of_somebody = path.startswith(("customers/wm", "staff/w", "group-chats/wr", "broadcasts/1"))
    answer = api_of(charlie).get(path, status=404 if of_somebody and status == 200 else status)

    known = ("wanglei", "王磊", "wmXiaolin", "小林", "wrFuli", "福利群", "wmPasserby", "上新", "新品上架")
    assert [word for word in (*FOREIGN, *known) if word in _text(answer)] == []


@pytest.mark.parametrize("path", [path for path, _status in ASKED])
def test_who_has_no_role_is_refused_everywhere(
    frank: User, api_of: Callable[..., Api], world: World, path: str
) -> None:
    answer = api_of(frank, "admin").get(path, status=403)

    assert [error["code"] for error in answer["errors"]] == ["permission_denied"]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("scope", ["read", "write", "admin"])
@pytest.mark.parametrize("what", WRITES)
def test_writing_needs_the_scope_of_the_token_and_the_role_of_its_user(
    what: tuple[str, str], scope: str, role: Role, bob: User, api_of: Callable[..., Api], world: World
) -> None:
    roles.give(bob, role)
    least, allowed = WRITES[what]
    rank = ["read", "write", "admin"].index
    open_to_bob = rank(scope) >= rank(least) and role in allowed
    path, body, good = GOOD[what[0]]
    before = {model: model.objects.count() for model in (Channel, Broadcast)}

    api_of(bob, scope).post(path, body, status=good if open_to_bob else 403)

    assert Channel.objects.count() == before[Channel] + (what[0] == "channels" and open_to_bob)
    assert Broadcast.objects.count() == before[Broadcast] + (what[0] == "broadcasts" and open_to_bob)
    moved = {"approve": "planned", "cancel": "cancelled"} if open_to_bob else {}
    assert Broadcast.objects.get(pk=3).state == moved.get(what[0], "draft")
    assert Work.objects.get(source_kind="callback").state == "done"


@pytest.mark.parametrize("step", ["approve", "pause", "resume", "cancel"])
@pytest.mark.parametrize(("number", "status"), [(1, 403), (2, 404)])
def test_a_manager_moves_no_broadcast_of_other_departments_staff(
    step: str, number: int, status: int, bob: User, api_of: Callable[..., Api], world: World
) -> None:
    roles.give(bob, Role.MANAGER)

    api_of(bob, "write").post(f"broadcasts/{number}/{step}/", {}, status=status)

    assert Broadcast.objects.get(pk=number).state == "planned"


@pytest.mark.parametrize("path", [path for path, _status in ASKED])
def test_without_a_token_nothing_is_told(api_of: Callable[..., Api], world: World, path: str) -> None:
    answer = Api("").get(path, status=401)

    assert set(answer) == {"type", "errors"}


def test_the_schema_is_open_to_everybody() -> None:
    assert Api("").get("schema/")["info"]["title"] == "SCRM API"


def test_a_shared_customer_shows_each_department_its_own_part(
    bob: User, api: Api, api_of: Callable[..., Api], world: World, zhaomin: Staff
) -> None:
    befriend(zhaomin, world.xiaolin, world.at, tag_ids=["etNew"], remark="赵敏的备注")
    stay(world.other_chat, world.at, customer=world.xiaolin)
    bobs = api_of(bob)

    shown = bobs.get("customers/wmXiaolin/")

    assert [row["userid"] for row in shown["follows"]] == ["wanglei"]
    assert [tag["id"] for tag in shown["tags"]] == ["etVip"]
    assert shown["group_chats"] == ["wrFuli"]
    assert [word for word in FOREIGN if word in _text(bobs.get("customers/wmXiaolin/timeline/"))] == []
    assert len(api.get("customers/wmXiaolin/")["follows"]) == 2


@pytest.mark.parametrize("query", [{"userid": "zhaomin"}, {"tag": "etNew"}, {"group_chat": "wrOther"}])
def test_filters_are_no_peephole(
    bob: User, api_of: Callable[..., Api], world: World, zhaomin: Staff, query: dict[str, str]
) -> None:
    befriend(zhaomin, world.xiaolin, world.at, tag_ids=["etNew"])
    stay(world.other_chat, world.at, customer=world.xiaolin)

    assert api_of(bob).get("customers/", query)["results"] == []


def test_numbers_and_funnels_are_scoped(
    bob: User, charlie: User, api: Api, api_of: Callable[..., Api], world: World
) -> None:
    fill.fill_dirty()

    def adds(caller: Api) -> list[Any]:
        return [point["value"] for point in caller.get("metrics/", {"metric": "adds"})]

    assert [adds(api), adds(api_of(bob)), adds(api_of(charlie))] == [[2], [1], [0]]
    rows = api_of(bob).post("funnels/", FUNNEL)
    assert {(row["key"], row["customers"]) for row in rows} == {("wanglei", 1)}
    assert api_of(charlie).post("funnels/", FUNNEL) == []
    assert api_of(bob).get("metrics/", {"metric": "adds", "staff": "zhaomin"})[0]["value"] == 0


def test_who_sees_the_whole_company_still_gets_no_raw_callbacks(
    charlie: User, api_of: Callable[..., Api], world: World
) -> None:
    User.objects.filter(pk=charlie.pk).update(sees_all=True)
    caller = api_of(charlie, "admin")

    assert len(caller.get("customers/")["results"]) == 2
    caller.get("callbacks/", status=403)
    caller.get(f"callbacks/{world.callback.pk}/", status=403)
    caller.post(f"callbacks/{world.callback.pk}/replay/", status=403)
    assert Work.objects.get(source_kind="callback").state == "done"
