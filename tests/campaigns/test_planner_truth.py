"""The planner against the platform, to the person: what it promises is what the stand-in delivers."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from campaigns.models import Broadcast, Delivery, Dispatch
from campaigns.sending import compose, pace, plan
from contacts.models import Customer, Follow, Staff
from scrm.base import clock
from scrm.base.models import User
from tests.campaigns.tasks import Tasks

PEOPLE = 40


@pytest.fixture
def tasks(corp: Any, settings: Any, departments: list[Any]) -> Iterator[Tasks]:
    settings.SENDING, settings.QUIET_HOURS, settings.RECEIVE_RULE = "on", "none", "day_1"
    settings.SEND_LOOKUP_DELAYS, settings.SEND_POLL_SECONDS = (0.0, 0.0), 30.0
    yield Tasks(corp)


def crowd(tasks: Tasks, chance: random.Random) -> list[str]:
    """People of every kind, known alike on both sides: friends of one or both, half friends, people who left."""
    tasks.settings(receive_rule="day_1")
    staff = list(Staff.objects.order_by("userid"))
    for number in range(PEOPLE):
        kind = chance.choice(["one", "one", "both", "half", "left", "refuses"])
        name = f"wm{number}"
        tasks.befriend(chance.choice(staff), name, half=kind == "half")
        if kind == "both":
            for member in staff:
                if not Follow.objects.filter(staff=member, customer__external_userid=name).exists():
                    tasks.befriend(member, name)
        if kind == "left":
            follow = Follow.objects.get(customer__external_userid=name)
            tasks.corp.standin.act(
                "delete_by_customer", callback=False, userid=follow.staff.userid, external_userid=name
            )
            Follow.objects.filter(pk=follow.pk).update(ended_at=clock.now(), ended_by="customer")
        if kind == "refuses":
            Customer.objects.filter(external_userid=name).update(do_not_contact_at=clock.now())
    return [f"wm{number}" for number in range(PEOPLE)]


def send(tasks: Tasks, user: User, to: list[str], text: str) -> tuple[plan.Plan, Broadcast]:
    """Forecast, approval, creation. Nobody has confirmed yet."""
    broadcast = compose.draft(user, name=text, audience_={"external_userids": to}, text=text)
    broadcast.save()
    forecast = plan.forecast(broadcast)
    pace.approve(broadcast, user)
    tasks.work(2)
    return forecast, broadcast


def outcomes(broadcast: Broadcast) -> dict[str, str]:
    rows = Delivery.objects.filter(broadcast=broadcast).with_progress().select_related("customer")
    return {row.customer.external_userid: row.progress for row in rows if row.customer}  # type: ignore[attr-defined]


def truth(tasks: Tasks, broadcast: Broadcast) -> dict[str, str]:
    """What the platform says of each recipient of our tasks."""
    words = {0: "unconfirmed", 1: "sent", 2: "not_friend", 3: "over_quota"}
    sent = tasks.corp.standin.world.broadcasts.sent
    told: dict[str, str] = {}
    for msgid in Dispatch.objects.filter(broadcast=broadcast).exclude(msgid="").values_list("msgid", flat=True):
        for task in sent[msgid].tasks.values():
            told |= {name: words[status] for name, status in zip(task.receivers, task.statuses, strict=True)}
    return told


@pytest.mark.parametrize("seed", range(4))
def test_where_all_confirm_and_nobody_sends_privately_the_plan_comes_true(tasks: Tasks, alice: User, seed: int) -> None:
    chance = random.Random(seed)
    people = crowd(tasks, chance)
    send(tasks, alice, chance.sample(people, PEOPLE // 2), "第一条")
    tasks.confirm()

    forecast, second = send(tasks, alice, people, "第二条")
    free = {name for name in people if tasks.corp.standin.world.quota.left(name) > 0}
    tasks.confirm()

    sent = {name for name, state in outcomes(second).items() if state == "sent"}
    assert len(sent) == forecast.planned
    assert truth(tasks, second) == dict.fromkeys(sent, "sent")
    reasons = dict(
        Delivery.objects.filter(broadcast=second, state="excluded").values_list("customer__external_userid", "reason")
    )
    assert Counter(reasons.values()) == forecast.excluded
    assert {name for name, reason in reasons.items() if reason == "receive_rule"}.isdisjoint(free)
    assert sent <= free


@pytest.mark.parametrize("seed", range(4))
def test_otherwise_each_difference_has_its_reason(tasks: Tasks, alice: User, settings: Any, seed: int) -> None:
    chance = random.Random(100 + seed)
    people = crowd(tasks, chance)
    tasks.settings(confirm="random", confirm_share=0.5, confirm_seed=seed)
    for name in chance.sample(people, 6):  # left unseen: the platform lists them for ever
        for follow in Follow.objects.open().filter(customer__external_userid=name, half=False):
            tasks.corp.standin.act(
                "delete_by_customer", callback=False, userid=follow.staff.userid, external_userid=name
            )
    sender = chance.choice(["wanglei", "zhaomin"])
    tasks.corp.act("send_privately", userid=sender, share=0.3)

    forecast, broadcast = send(tasks, alice, people, "第一条")
    Broadcast.objects.update(create_at=clock.now() - plan.SAME_WITHIN, confirm_by=clock.now())
    tasks.work()

    told = truth(tasks, broadcast)
    ours = {name: state for name, state in outcomes(broadcast).items() if state not in {"excluded", "refused"}}
    refused = Delivery.objects.filter(broadcast=broadcast, state="refused")
    assert ours == told
    assert set(refused.values_list("reason", flat=True)) <= {"not_taken"}
    assert len(told) + refused.count() == forecast.planned
    broadcast.refresh_from_db()
    assert broadcast.state == "done"
