"""Welcomes: who is greeted with what, once, in time, and what is written when it can't be."""

import datetime as dt
import time
from typing import Any

import pytest

from campaigns.models import Welcome, WelcomeAttachment, WelcomeRule
from contacts.models import Channel, Staff
from scrm.base.models import Work
from scrm.base.work import run
from scrm.wecom import wire
from scrm.wecom.models import Callback
from tests.corp import Corp


@pytest.fixture(autouse=True)
def default_rule(committed: None) -> WelcomeRule:
    rule = WelcomeRule.objects.get()
    rule.text, rule.returning_text = "您好，我是{staff}。", "欢迎回来，我是{staff}。"
    rule.save()
    return rule


@pytest.fixture
def names(corp: Corp) -> None:
    Staff.objects.create(userid="wanglei", name="王磊", serves_customers=True)


def sent(corp: Corp) -> list[tuple[str, str]]:
    return [(row["external_userid"], row["text"]) for row in corp.welcomes()]


def outcome() -> tuple[str, int | None]:
    row = Welcome.objects.get()
    return row.outcome, row.errcode


def test_a_new_customer_is_greeted_once_with_the_staff_members_name(corp: Corp, names: None) -> None:
    corp.happens("add", userid="wanglei", external_userid="wmLin", name="小林")

    assert sent(corp) == [("wmLin", "您好，我是王磊。")]
    welcome = Welcome.objects.get()
    assert (welcome.outcome, welcome.attempts, welcome.rule_name) == ("sent", 1, "默认欢迎语")
    assert welcome.latency_ms is not None and 0 <= welcome.latency_ms < 5000


def test_a_repeated_callback_greets_nobody_again(corp: Corp, names: None) -> None:
    corp.act("add", userid="wanglei", external_userid="wmLin")
    corp.deliver(times=3)
    run.run_due()
    corp.deliver(list(corp.standin.callbacks.log)[-1:])
    run.run_due()

    assert len(sent(corp)) == 1
    assert Welcome.objects.count() == 1


def test_the_most_exact_rule_wins(corp: Corp, names: None) -> None:
    channel = Channel.objects.create(state="ch_1", name="包裹卡")
    staff = Staff.objects.get(userid="wanglei")
    WelcomeRule.objects.create(name="渠道", channel=channel, text="渠道", returning_text="")
    WelcomeRule.objects.create(name="员工", staff=staff, text="员工", returning_text="")
    WelcomeRule.objects.create(name="两者", channel=channel, staff=staff, text="两者", returning_text="")

    corp.happens("add", userid="wanglei", external_userid="wm1", state="ch_1")
    corp.happens("add", userid="zhaomin", external_userid="wm2", state="ch_1")
    corp.happens("add", userid="wanglei", external_userid="wm3", state="other")
    corp.happens("add", userid="zhaomin", external_userid="wm4")

    assert sent(corp) == [("wm1", "两者"), ("wm2", "渠道"), ("wm3", "员工"), ("wm4", "您好，我是赵敏。")]


def test_attachments_go_with_the_text(corp: Corp, names: None, default_rule: WelcomeRule) -> None:
    WelcomeAttachment.objects.create(rule=default_rule, title="进群领礼", url="https://h5.example.com/g/1")

    corp.happens("add", userid="wanglei", external_userid="wmLin")

    assert corp.welcomes()[0]["attachments"] == [
        {"msgtype": "link", "link": {"title": "进群领礼", "url": "https://h5.example.com/g/1"}}
    ]


def test_a_returning_customer_gets_no_newcomers_text(corp: Corp, names: None, moment: dt.datetime) -> None:
    t0 = int(moment.timestamp())
    corp.happens("add", userid="wanglei", external_userid="wmLin", at=t0, welcome=False)
    corp.happens("delete_by_customer", userid="wanglei", external_userid="wmLin", at=t0 + 60)
    corp.happens("add", userid="wanglei", external_userid="wmLin")

    assert sent(corp) == [("wmLin", "欢迎回来，我是王磊。")]


def test_the_customers_name_is_read_and_missed_when_slow(corp: Corp, names: None, default_rule: WelcomeRule) -> None:
    WelcomeRule.objects.update(text="{customer}您好", nameless_text="您好")
    corp.happens("add", userid="wanglei", external_userid="wm1", name="小林")
    corp.standin.faults.add({"api": "externalcontact/get", "from": 1, "count": 1, "action": "delay", "value": 15})
    corp.act("add", userid="wanglei", external_userid="wm2", name="小美")
    corp.deliver()
    begun = time.monotonic()
    run.run_due(["welcome"])

    assert time.monotonic() - begun < wire.READ_SECONDS, "less than any other read waits"
    assert sent(corp) == [("wm1", "小林您好"), ("wm2", "您好")]


def test_a_staff_member_who_spoke_first_is_no_failure(corp: Corp, names: None) -> None:
    corp.act("add", userid="wanglei", external_userid="wmLin")
    corp.act("start_chat", userid="wanglei", external_userid="wmLin")
    corp.deliver()
    run.run_due()

    assert outcome() == ("refused", 41051)
    assert sent(corp) == []


def test_a_code_older_than_18_seconds_is_not_tried(corp: Corp, names: None) -> None:
    corp.act("add", userid="wanglei", external_userid="wmLin")
    corp.deliver()
    Callback.objects.update(received_at=Callback.objects.get().received_at - dt.timedelta(seconds=19))
    run.run_due()

    assert outcome() == ("expired", None)
    assert sent(corp) == []
    assert corp.standin.calls.as_dict().get("externalcontact/send_welcome_msg", {}).get("calls", 0) == 0


def test_busy_distribution_is_retried_within_the_window(corp: Corp, names: None) -> None:
    corp.standin.faults.add(
        {"api": "externalcontact/send_welcome_msg", "from": 1, "count": 2, "action": "errcode", "value": 41096}
    )
    corp.act("add", userid="wanglei", external_userid="wmLin")
    corp.deliver()
    end = time.monotonic() + 8
    while Welcome.objects.filter(outcome="sent").count() == 0 and time.monotonic() < end:
        run.run_due(["welcome"])
        time.sleep(0.1)

    assert sent(corp) == [("wmLin", "您好，我是王磊。")]
    assert Welcome.objects.get().attempts == 3


def test_an_answer_lost_after_acceptance_is_neither_sent_twice_nor_called_refused(corp: Corp, names: None) -> None:
    corp.standin.faults.add({"api": "externalcontact/send_welcome_msg", "call": 1, "action": "drop_after"})
    corp.act("add", userid="wanglei", external_userid="wmLin")
    corp.deliver()
    end = time.monotonic() + 8
    while (
        Welcome.objects.filter(outcome="sending").exists() and time.monotonic() < end
    ) or not Welcome.objects.exists():
        run.run_due(["welcome"])
        time.sleep(0.1)

    assert len(sent(corp)) == 1
    assert Welcome.objects.get().outcome == "sent"


def test_the_brake_holds_welcomes(corp: Corp, names: None, settings: Any) -> None:
    settings.SENDING = "off"
    corp.happens("add", userid="wanglei", external_userid="wm1")
    settings.SENDING, settings.SENDING_ALLOWLIST = "allowlist", frozenset({"wm2"})
    corp.happens("add", userid="wanglei", external_userid="wm2")
    corp.happens("add", userid="wanglei", external_userid="wm3")

    assert [row.outcome for row in Welcome.objects.order_by("pk")] == ["stopped", "sent", "stopped"]
    assert [external for external, _ in sent(corp)] == ["wm2"]


def test_without_a_rule_nothing_is_sent_and_the_row_says_so(corp: Corp, names: None) -> None:
    WelcomeRule.objects.update(active=False)
    corp.happens("add", userid="wanglei", external_userid="wmLin")

    assert outcome() == ("no_rule", None)
    assert sent(corp) == []


def test_an_add_without_a_code_is_no_welcome(corp: Corp, names: None) -> None:
    corp.happens("add", userid="wanglei", external_userid="wmLin", welcome=False)

    assert Welcome.objects.count() == 0
    assert Work.objects.filter(lane="welcome").count() == 0


def test_a_staff_member_whom_nobody_has_read_is_read_for_the_greeting(corp: Corp) -> None:
    corp.happens("add", userid="wanglei", external_userid="wmLin")

    assert sent(corp) == [("wmLin", "您好，我是王磊。")]
    assert Staff.objects.get(userid="wanglei").name == "王磊"


def test_a_userid_never_reaches_a_customer(corp: Corp) -> None:
    corp.standin.faults.add({"api": "user/get", "from": 1, "count": 9, "action": "errcode", "value": 60111})
    corp.happens("add", userid="wanglei", external_userid="wmLin")

    assert sent(corp) == [("wmLin", "您好，我是。")]


def test_a_missing_consent_to_archiving_is_final_for_its_code(corp: Corp, names: None) -> None:
    corp.standin.faults.add(
        {"api": "externalcontact/send_welcome_msg", "from": 1, "count": 9, "action": "errcode", "value": 41053}
    )
    corp.happens("add", userid="wanglei", external_userid="wmLin")

    assert outcome() == ("failed", 41053)
