"""`broadcasts/`: from a draft to what became of each recipient."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection

from campaigns.models import Broadcast, Delivery, Dispatch, Reminder
from campaigns.sending.counts import refresh_counts
from contacts.models import Customer, Follow, Staff
from scrm.base import clock
from scrm.base.models import AuditRecord, User, Work
from tests.api.conftest import Api, World, befriend, customer, iso
from tests.rows import insert

pytestmark = pytest.mark.django_db

TEXT = {"text": "新品上架"}


@pytest.fixture(autouse=True)
def _open_hours(settings: Any) -> None:
    """Tests run at any hour."""
    settings.QUIET_HOURS = "none"


def body(*to: str, **more: Any) -> dict[str, Any]:
    """A broadcast to these customers, or to `audience`."""
    return {"name": "上新", "audience": {"external_userids": list(to)}, "content": TEXT, **more}


def may(user: User, *codenames: str) -> User:
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return User.objects.get(pk=user.pk)


def faults(answer: Any) -> list[tuple[str, str | None]]:
    return [(error["code"], error["attr"]) for error in answer["errors"]]


def drafted(api: Api, *to: str, **more: Any) -> int:
    pk: int = api.post("broadcasts/", body(*to, **more), status=201)["id"]
    return pk


def approved(api: Api, *to: str, **more: Any) -> int:
    pk = drafted(api, *to, **more)
    api.post(f"broadcasts/{pk}/approve/")
    return pk


def test_a_draft_is_answered_with_the_forecast_and_sends_nothing(api: Api, world: World) -> None:
    half = customer("wmHalf", "半", world.at)
    befriend(Staff.objects.get(userid="wanglei"), half, world.at, half=True)
    start = (clock.now() + dt.timedelta(hours=2)).replace(microsecond=0)

    made = api.post(
        "broadcasts/",
        body("wmXiaolin", "wmXiaochen", "wmHalf", "wmNobody", create_at=iso(start)),
        status=201,
    )

    assert made["state"] == "draft"
    assert made["plan"] == {
        "planned": 2,
        "excluded": {"half": 1, "unknown": 1},
        "dispatches": 2,
        "taps": {"wanglei": 1, "zhaomin": 1},
    }
    assert (made["create_at"], made["to"]) == (iso(start), "customers")
    day_after = clock.day_of(start) + dt.timedelta(days=1)
    assert made["confirm_by"] == iso(clock.day_start(day_after))
    assert made["content"] == {"text": "新品上架", "attachments": []}
    assert (made["created_by"], made["approved_by"], made["deliveries_planned"]) == ("alice", None, 0)
    assert made["delivery_rate"] is None
    assert api.get(f"broadcasts/{made['id']}/") == made
    assert api.get(f"broadcasts/{made['id']}/deliveries/")["results"] == []
    assert not Delivery.objects.exists()
    assert not Work.objects.filter(lane="send").exists()
    assert [(row.deed, row.subject, row.username) for row in AuditRecord.objects.all()] == [
        ("broadcast.create", "上新", "alice")
    ]


def test_without_times_it_begins_now_and_ends_with_the_day(api: Api, world: World) -> None:
    before = clock.now()

    made = Broadcast.objects.get(pk=drafted(api, "wmXiaolin"))

    assert before <= made.create_at <= clock.now()
    assert made.confirm_by == clock.day_start(clock.day_of(made.create_at) + dt.timedelta(days=1))


def test_approving_freezes_the_plan_and_answers_like_get(api: Api, world: World) -> None:
    pk = drafted(api, "wmXiaolin", "wmXiaochen", "wmNobody")

    answer = api.post(f"broadcasts/{pk}/approve/")

    assert answer == api.get(f"broadcasts/{pk}/")
    assert (answer["state"], answer["approved_by"]) == ("planned", "alice")
    assert answer["plan"] == {
        "planned": 2, "excluded": {"unknown": 1}, "dispatches": 2, "taps": {"wanglei": 1, "zhaomin": 1},
    }  # fmt: skip
    numbers = {key: answer[key] for key in ("deliveries_planned", "deliveries_open", "tasks", "tasks_created")}
    assert numbers == {"deliveries_planned": 2, "deliveries_open": 2, "tasks": 2, "tasks_created": 0}
    assert answer["excluded"] == {"unknown": 1}
    assert (answer["confirm_rate"], answer["delivery_rate"]) == (None, 0.0)
    listed = {key: value for key, value in answer.items() if key != "plan"}
    assert api.get("broadcasts/")["results"] == [listed]
    assert api.get("broadcasts/", {"state": "draft"})["results"] == []


@pytest.mark.parametrize("kind", ["", "application/x-www-form-urlencoded"])
def test_a_step_needs_no_body_at_all(api: Api, world: World, kind: str) -> None:
    pk = drafted(api, "wmXiaolin")

    answer = api.client.generic("POST", f"/api/v1/broadcasts/{pk}/approve/", b"", kind, headers=api.headers)

    assert (answer.status_code, answer.json()["state"]) == (200, "planned")


def test_of_two_who_approve_the_second_is_told_who_was_faster(
    api: Api, api_of: Callable[..., Api], world: World, bob: User
) -> None:
    User.objects.filter(pk=bob.pk).update(sees_all=True)
    pk = drafted(api, "wmXiaolin")
    api_of(may(bob, "approve_broadcast"), "write").post(f"broadcasts/{pk}/approve/")

    answer = api.post(f"broadcasts/{pk}/approve/", status=409)

    assert answer["type"] == "client_error"
    assert faults(answer) == [("conflict", None)]
    assert "bob" in answer["errors"][0]["detail"]
    assert Delivery.objects.count() == Dispatch.objects.count() == 1
    assert [row.username for row in AuditRecord.objects.filter(deed="broadcast.approve")] == ["bob"]


def test_approving_too_late_is_refused(api: Api, world: World) -> None:
    pk = drafted(api, "wmXiaolin")
    past = clock.now() - dt.timedelta(minutes=1)
    Broadcast.objects.filter(pk=pk).update(create_at=past - dt.timedelta(hours=1), confirm_by=past)

    assert faults(api.post(f"broadcasts/{pk}/approve/", status=400)) == [("invalid", "confirm_by")]
    assert not Delivery.objects.exists()


def test_a_broadcast_that_would_reach_nobody_stays_a_draft(api: Api, world: World) -> None:
    pk = drafted(api, "wmPasserby")

    api.post(f"broadcasts/{pk}/approve/", status=409)

    assert api.get(f"broadcasts/{pk}/")["state"] == "draft"


def test_pause_resume_cancel_and_no_step_out_of_turn(api: Api, world: World) -> None:
    pk = drafted(api, "wmXiaolin")

    def step(name: str, status: int = 200) -> str | None:
        state: str | None = api.post(f"broadcasts/{pk}/{name}/", status=status).get("state")
        return state

    assert [step("pause", 409), step("resume", 409), step("approve"), step("resume", 409)] == [
        None, None, "planned", None,
    ]  # fmt: skip
    assert [step("pause"), step("pause", 409), step("resume"), step("cancel"), step("cancel", 409)] == [
        "paused", None, "running", "cancelled", None,
    ]  # fmt: skip
    shown = api.get(f"broadcasts/{pk}/")
    assert (shown["deliveries_planned"], shown["deliveries_cancelled"], shown["deliveries_open"]) == (1, 1, 0)
    assert [row["state"] for row in api.get(f"broadcasts/{pk}/deliveries/")["results"]] == ["cancelled"]
    deeds = AuditRecord.objects.order_by("pk").values_list("deed", flat=True)
    assert list(deeds) == [f"broadcast.{deed}" for deed in ("create", "approve", "pause", "resume", "cancel")]


@pytest.mark.parametrize("name", ["approve", "pause", "resume", "cancel", "remind"])
def test_steps_take_no_body_and_know_their_broadcast(api: Api, world: World, name: str) -> None:
    pk = drafted(api, "wmXiaolin")

    assert faults(api.post(f"broadcasts/{pk}/{name}/", {"force": True}, status=400)) == [("unknown_field", "force")]
    api.post(f"broadcasts/{pk + 1}/{name}/", status=404)
    api.get(f"broadcasts/{pk}/{name}/", status=405)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"audience": {"external_userids": []}}, ("invalid", "audience")),
        ({"audience": {"chat_ids": []}}, ("invalid", "audience")),
        ({"audience": {}}, ("invalid", "audience")),
        ({"audience": None}, ("null", "audience")),
        ({"audience": ["wmXiaolin"]}, ("invalid", "audience.non_field_errors")),
        ({"audience": {"external_userids": ["wmXiaolin"], "chat_ids": ["wrFuli"]}}, ("invalid", "audience")),
        ({"audience": {"segment": 1}}, ("invalid", "audience")),
        ({"audience": {"everybody": True}}, ("unknown_field", "audience.everybody")),
        ({"audience": {"external_userids": ["a\x00"]}}, ("null_characters_not_allowed", "audience.external_userids.0")),
        ({"audience": {"filter": {"colour": ["red"]}}}, ("unknown_field", "audience.filter.colour")),
        ({"audience": {"filter": {"added_after": "soon"}}}, ("invalid", "audience.filter.added_after")),
        ({"audience": {"filter": {"tags": ["etNobody"]}}}, ("invalid", "audience")),
        ({"content": {"text": "字" * 1333 + "ab"}}, ("invalid", "content.text")),
        ({"content": {}}, ("invalid", "content.text")),
        ({"content": {"text": "{customer}您好"}}, ("invalid", "content.text")),
        ({"content": {"text": "a\x00b"}}, ("null_characters_not_allowed", "content.text")),
        ({"content": {"html": "<b>"}}, ("unknown_field", "content.html")),
        ({"content": {"attachments": ["x"]}}, ("not_a_dict", "content.attachments.0")),
        ({"content": {"attachments": [{"msgtype": "voice", "voice": {}}]}}, ("invalid", "content.attachments")),
        ({"content": {"attachments": [{"msgtype": ["image"]}]}}, ("invalid", "content.attachments")),
        (
            {"content": {"attachments": [{"msgtype": "image", "image": {"media_id": "m"}, "to": "all"}]}},
            ("unknown_field", "content.attachments.0.to"),
        ),
        (
            {"content": {"attachments": [{"msgtype": "image", "image": {"media_id": "m\x00"}}]}},
            ("null_characters_not_allowed", "content.attachments.0"),
        ),
        ({"create_at": "2020-01-01T10:00:00+08:00"}, ("invalid", "create_at")),
        ({"create_at": "tomorrow"}, ("invalid", "create_at")),
        ({"confirm_by": "2020-01-01T10:00:00+08:00"}, ("invalid", "confirm_by")),
        ({"name": ""}, ("blank", "name")),
        ({"name": "名" * 61}, ("max_length", "name")),
        ({"staff_choice": "anybody"}, ("invalid_choice", "staff_choice")),
        ({"send_now": True}, ("unknown_field", "send_now")),
    ],
)
def test_bad_input_is_named_and_nothing_is_kept(
    api: Api, world: World, given: dict[str, Any], expected: tuple[str, str]
) -> None:
    answer = api.post("broadcasts/", {**body("wmXiaolin"), **given}, status=400)

    assert answer["type"] == "validation_error"
    assert faults(answer) == [expected]
    assert not Broadcast.objects.exists()


def test_a_text_of_exactly_the_limit_is_taken_as_it_is(api: Api, world: World) -> None:
    text = " " + "字" * 1333

    pk = drafted(api, "wmXiaolin", content={"text": text})

    assert api.get(f"broadcasts/{pk}/")["content"]["text"] == text


def test_more_than_ten_thousand_become_two_tasks(api: Api, wanglei: Staff, moment: dt.datetime) -> None:
    ids = [f"wm{number:05}" for number in range(1, 10_002)]
    at = f"'{moment.isoformat()}'::timestamptz"
    insert(Customer, 10_001, external_userid="'wm' || lpad(n::text, 5, '0')", first_added_at=at, open_follows="1")
    person = "(SELECT min(id) FROM contacts_customer) + n - 1"
    insert(Follow, 10_001, staff_id=str(wanglei.pk), customer_id=person, added_at=at)
    with connection.cursor() as cursor:  # what autovacuum found empty between two tests is planned for as empty
        cursor.execute("ANALYZE contacts_customer, contacts_follow")

    made = api.post("broadcasts/", body(*ids), status=201)
    api.post(f"broadcasts/{made['id']}/approve/")

    assert made["plan"] == {"planned": 10_001, "excluded": {}, "dispatches": 2, "taps": {"wanglei": 2}}
    assert list(Dispatch.objects.order_by("number").values_list("recipients", flat=True)) == [10_000, 1]


def test_a_filter_chooses_customers(api: Api, world: World) -> None:
    before = world.at + dt.timedelta(seconds=1)
    chosen = {"filter": {"userids": ["wanglei"], "tags": ["etVip"], "added_before": iso(before)}}

    made = api.post("broadcasts/", body(audience=chosen), status=201)

    assert made["plan"]["taps"] == {"wanglei": 1}


def _counts_by_hand(pk: int, results: dict[str, str]) -> None:
    """Books a result for each customer, as the results lane does."""
    for external_userid, state in results.items():
        reason = "do_not_contact" if state == "excluded" else ""
        Delivery.objects.filter(broadcast=pk, customer__external_userid=external_userid).update(
            state=state, reason=reason, sent_at=clock.now() if state == "sent" else None, reach=int(state == "sent")
        )
    refresh_counts(list(Dispatch.objects.filter(broadcast=pk).values_list("pk", flat=True)))


def test_the_numbers_are_those_of_the_definitions(api: Api, world: World, wanglei: Staff, zhaomin: Staff) -> None:
    states = ["sent", "sent", "not_friend", "over_quota", "refused", "unconfirmed", "cancelled", "excluded", "planned"]
    results = {f"wm{number}": state for number, state in enumerate(states)}
    for name in results:
        befriend(wanglei, customer(name, name, world.at), world.at)
    pk = approved(api, *results, "wmXiaochen", "wmNobody")
    _counts_by_hand(pk, results)
    created, late = clock.now(), Broadcast.objects.get(pk=pk).confirm_by + dt.timedelta(seconds=1)
    Dispatch.objects.filter(staff=wanglei).update(state="confirmed", sent_at=created, confirmed_at=late)
    Dispatch.objects.filter(staff=zhaomin).update(state="unknown")

    shown = api.get(f"broadcasts/{pk}/")

    assert {key: value for key, value in shown.items() if key.startswith(("deliveries_", "tasks", "group_"))} == {
        "deliveries_planned": 9,
        "deliveries_sent": 2,
        "deliveries_not_friend": 1,
        "deliveries_over_quota": 1,
        "deliveries_refused": 1,
        "deliveries_unconfirmed": 1,
        "deliveries_cancelled": 1,
        "deliveries_unknown": 1,
        "deliveries_open": 1,
        "group_reach": 2,
        "tasks": 2,
        "tasks_created": 1,
        "tasks_confirmed": 1,
    }
    assert shown["excluded"] == {"unknown": 1, "do_not_contact": 1}
    assert (shown["delivery_rate"], shown["confirm_rate"], shown["on_time_rate"]) == (2 / 9, 1.0, 0.0)
    rows = api.get(f"broadcasts/{pk}/deliveries/", {"userid": "zhaomin"})["results"]
    assert [row["state"] for row in rows] == ["unknown"]


def test_confirmations_are_counted_per_person_and_day(api: Api, world: World, wanglei: Staff, zhaomin: Staff) -> None:
    pk = approved(api, "wmXiaolin", "wmXiaochen")
    noon = clock.day_start(clock.today()) + dt.timedelta(hours=12)
    Dispatch.objects.filter(broadcast=pk).update(state="sent", sent_at=noon)
    for number, sent_at in ((1, noon), (2, noon + dt.timedelta(days=1))):
        Dispatch.objects.create(
            broadcast_id=pk, staff=wanglei, number=number, digest="x", recipients=0, state="sent", sent_at=sent_at
        )

    assert api.get(f"broadcasts/{pk}/")["confirmations_per_staff"] == pytest.approx(4 / 3)


def test_deliveries_are_filtered_and_newest_first(api: Api, world: World, wanglei: Staff, zhaomin: Staff) -> None:
    befriend(wanglei, customer("wmHalf", "半", world.at), world.at, half=True)
    pk = approved(api, "wmXiaolin", "wmXiaochen", "wmHalf")
    approved(api, "wmXiaolin", content={"text": "别的"})
    Dispatch.objects.filter(broadcast=pk, staff=wanglei).update(state="sent", msgid="M1", sent_at=clock.now())
    path = f"broadcasts/{pk}/deliveries/"

    def asked(**query: str) -> list[str]:
        return sorted(row["external_userid"] for row in api.get(path, query)["results"])

    rows = api.get(path)["results"]
    assert rows == [
        {
            "external_userid": row.customer.external_userid if row.customer else None,
            "chat_id": None,
            "userid": row.staff.userid if row.staff else None,
            "state": {"wmXiaolin": "waiting", "wmXiaochen": "planned", "wmHalf": "excluded"}[
                row.customer.external_userid if row.customer else ""
            ],
            "reason": row.reason or None,
            "msgid": "M1" if row.staff == wanglei and row.dispatch else None,
            "sent_at": None,
        }
        for row in Delivery.objects.filter(broadcast=pk).order_by("-pk")
    ]
    assert len(rows) == 3
    assert asked(state="waiting") == asked(userid="wanglei", state="waiting") == ["wmXiaolin"]
    assert asked(state="planned") == asked(userid="zhaomin") == ["wmXiaochen"]
    assert asked(reason="half") == asked(state="excluded") == ["wmHalf"]
    assert asked(state="sent") == asked(userid="nobody") == []
    first = api.get(path, {"page_size": "2"})
    assert first["results"] + api.get(first["next"])["results"] == rows
    assert faults(api.get(path, {"state": "lost"}, status=400)) == [("invalid_choice", "state")]


def test_chats_are_written_to_by_their_owners(api: Api, world: World) -> None:
    made = api.post("broadcasts/", body(audience={"chat_ids": ["wrFuli", "wrOther", "wrNowhere"]}), status=201)
    api.post(f"broadcasts/{made['id']}/approve/")

    assert (made["to"], made["plan"]["taps"]) == ("group_chats", {"wanglei": 1, "zhaomin": 1})
    rows = api.get(f"broadcasts/{made['id']}/deliveries/")["results"]
    assert {(row["chat_id"], row["userid"], row["external_userid"]) for row in rows} == {
        ("wrFuli", "wanglei", None),
        ("wrOther", "zhaomin", None),
    }


# --- who may ------------------------------------------------------------------------------------------------------------


def test_another_department_learns_nothing(api: Api, api_of: Callable[..., Api], world: World, bob: User) -> None:
    pk = approved(api, "wmXiaochen")
    bobs = api_of(may(bob, "add_broadcast", "approve_broadcast"), "write")

    assert bobs.get("broadcasts/")["results"] == []
    bobs.get(f"broadcasts/{pk}/", status=404)
    bobs.get(f"broadcasts/{pk}/deliveries/", status=404)
    for name in ("approve", "pause", "resume", "cancel", "remind"):
        bobs.post(f"broadcasts/{pk}/{name}/", status=404)
    assert Broadcast.objects.get().state == "planned"
    made = bobs.post("broadcasts/", body("wmXiaolin", "wmXiaochen"), status=201)
    assert made["plan"] == {"planned": 1, "excluded": {"unknown": 1}, "dispatches": 1, "taps": {"wanglei": 1}}
    assert faults(bobs.post("broadcasts/", body(audience={"filter": {"userids": ["zhaomin"]}}), status=400)) == [
        ("invalid", "audience")
    ]


def test_who_takes_part_sees_the_own_part_and_stops_nobody_elses(
    api: Api, api_of: Callable[..., Api], world: World, bob: User, zhaomin: Staff
) -> None:
    pk = approved(api, "wmXiaolin", "wmXiaochen", "wmPasserby")
    Dispatch.objects.update(state="sent", sent_at=clock.now())
    bobs = api_of(may(bob, "approve_broadcast"), "write")

    shown = bobs.get(f"broadcasts/{pk}/")

    assert (shown["deliveries_planned"], shown["tasks"], shown["excluded"]) == (1, 1, {})
    assert shown["plan"] == {"planned": 1, "excluded": {}, "dispatches": 1, "taps": {"wanglei": 1}}
    assert [row["external_userid"] for row in bobs.get(f"broadcasts/{pk}/deliveries/")["results"]] == ["wmXiaolin"]
    assert bobs.get(f"broadcasts/{pk}/deliveries/", {"userid": "zhaomin"})["results"] == []
    for name in ("pause", "resume", "cancel"):
        bobs.post(f"broadcasts/{pk}/{name}/", status=403)
    assert Broadcast.objects.get().state == "planned"
    assert bobs.post(f"broadcasts/{pk}/remind/") == {"reminded": 1, "too_often": 0, "not_waiting": 0}
    assert not Reminder.objects.filter(dispatch__staff=zhaomin).exists()


def test_who_has_made_it_may_stop_it(api_of: Callable[..., Api], world: World, bob: User) -> None:
    bobs = api_of(may(bob, "add_broadcast", "approve_broadcast"), "write")
    pk = approved(bobs, "wmXiaolin")

    assert bobs.post(f"broadcasts/{pk}/cancel/")["state"] == "cancelled"


def test_reading_is_not_writing_and_writing_is_not_approving(
    alice: User, api: Api, api_of: Callable[..., Api], world: World, bob: User
) -> None:
    reads = api_of(alice, "read")
    pk = drafted(api, "wmXiaolin")
    reads.post("broadcasts/", body("wmXiaolin"), status=403)
    reads.post(f"broadcasts/{pk}/approve/", status=403)
    bobs = api_of(may(bob, "add_broadcast"), "admin")
    own = drafted(bobs, "wmXiaolin")

    for name in ("approve", "pause", "resume", "cancel", "remind"):
        bobs.post(f"broadcasts/{own}/{name}/", status=403)

    assert set(Broadcast.objects.values_list("state", flat=True)) == {"draft"}


# --- reminding, and what customers noticed ----------------------------------------------------------------------------------------------


def test_a_task_is_reminded_of_three_times(api: Api, world: World) -> None:
    pk = approved(api, "wmXiaolin", "wmXiaochen")
    Dispatch.objects.filter(staff__userid="wanglei").update(state="sent", sent_at=clock.now())

    answers = [api.post(f"broadcasts/{pk}/remind/") for _ in range(4)]

    assert answers == [{"reminded": 1, "too_often": 0, "not_waiting": 1}] * 3 + [
        {"reminded": 0, "too_often": 1, "not_waiting": 1}
    ]
    assert Reminder.objects.count() == Work.objects.filter(lane="remind").count() == 3
    assert AuditRecord.objects.filter(deed="broadcast.remind").count() == 3


def test_nobody_is_reminded_of_what_is_over(api: Api, world: World) -> None:
    pk = approved(api, "wmXiaolin")
    Dispatch.objects.update(state="sent", sent_at=clock.now())
    api.post(f"broadcasts/{pk}/cancel/")

    assert faults(api.post(f"broadcasts/{pk}/remind/", status=409)) == [("conflict", None)]
    assert not Reminder.objects.exists()


def test_a_timeline_shows_what_a_customer_may_have_noticed(
    api: Api, api_of: Callable[..., Api], world: World, bob: User, zhaomin: Staff
) -> None:
    befriend(zhaomin, world.xiaolin, world.at + dt.timedelta(seconds=1))
    texts = {"sent": "一", "not_friend": "二", "over_quota": "三", "planned": "四", "refused": "五", "excluded": "六"}
    tried_at = clock.now().replace(microsecond=0)
    for state, text in texts.items():
        _counts_by_hand(approved(api, "wmXiaolin", content={"text": text}), {"wmXiaolin": state})
    waiting = Dispatch.objects.filter(broadcast__text="四")
    waiting.update(state="sent", sent_at=tried_at)
    Dispatch.objects.exclude(broadcast__text="四").update(state="confirmed", sent_at=world.at, confirmed_at=tried_at)
    approved(api, "wmXiaolin", content={"text": "七"}, staff_choice="latest")  # through zhaomin, not created yet
    Dispatch.objects.filter(broadcast__text="七").update(state="sent", sent_at=tried_at)

    def told(caller: Api) -> dict[str, str]:
        rows = caller.get("customers/wmXiaolin/timeline/")["results"]
        return {row["detail"]["text"]: row["detail"]["state"] for row in rows if row["kind"] == "broadcast"}

    of_wanglei = {"一": "sent", "二": "not_friend", "三": "over_quota", "四": "waiting"}
    assert told(api_of(bob)) == of_wanglei
    assert told(api) == {**of_wanglei, "七": "waiting"}
    rows = api.get("customers/wmXiaolin/timeline/")["results"]
    assert {row["occurred_at"] for row in rows if row["detail"].get("text") in ("二", "三", "四")} == {iso(tried_at)}
