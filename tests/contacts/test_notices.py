"""Messages to staff against the stand-in: once or not at all."""

import datetime as dt
from typing import Any

import pytest
from django.db import transaction
from django.db.models.functions import Now

from contacts.models import Notice, Staff
from contacts.notices import notify, outcome
from contacts.renaming import rename_staff
from scrm.base import clock
from scrm.base.models import Work
from scrm.base.work import replay, run
from scrm.wecom.cards import TemplateCard, TextCard
from tests import processes
from tests.corp import Corp

CARD = TextCard("今日任务", "3 个群待确认", "https://scrm.example.com/h5/tasks/")
BOTH = ["wanglei", "zhaomin"]


@pytest.fixture(autouse=True)
def staff(corp: Corp, wanglei: Staff, zhaomin: Staff) -> None:
    """Both are in our address book and at the platform."""


def received(corp: Corp) -> list[list[str]]:
    """Who got something, by accepted call."""
    return [row["received"] for row in corp.standin.ledger.of("app_message")]


def states() -> dict[str, str]:
    return dict(Notice.objects.values_list("staff__userid", "state"))


def make_due() -> None:
    Work.objects.filter(lane="notice", state="waiting").update(not_before=Now())


def send() -> None:
    run.run_due(["notice"])


def send_all() -> None:
    """Also what was put off."""
    for _ in range(3):
        make_due()
        send()


def test_equal_text_goes_to_everybody_in_one_call(corp: Corp) -> None:
    assert notify(BOTH, key="day:1", card=CARD) == 2
    assert states() == {"wanglei": "waiting", "zhaomin": "waiting"}
    send()

    assert received(corp) == [BOTH]
    (effect,) = corp.standin.ledger.of("app_message")
    assert effect["content"] == {"title": CARD.title, "description": CARD.description, "url": CARD.url}
    assert states() == {"wanglei": "sent", "zhaomin": "sent"}
    assert {(row.msgid, row.error, row.sent_at is None) for row in Notice.objects.all()} == {
        (effect["msgid"], "", False)
    }
    assert set(Work.objects.values_list("lane", "state")) == {("notice", "done")}


def test_a_template_card_keeps_its_rows(corp: Corp) -> None:
    notify(["wanglei"], key="day:1", card=TemplateCard("今日任务", "", CARD.url, rows=(("待确认", "3 个群"),)))
    send()

    (effect,) = corp.standin.ledger.of("app_message")
    assert (effect["msgtype"], effect["content"]["horizontal_content_list"]) == (
        "template_card", [{"keyname": "待确认", "value": "3 个群"}]
    )  # fmt: skip


def test_one_key_reaches_a_member_once(corp: Corp) -> None:
    assert notify(["wanglei"], key="day:1", card=CARD) == 1
    send()
    assert notify(BOTH, key="day:1", card=TextCard("另一标题", "x", CARD.url)) == 1
    send()
    assert notify(BOTH, key="day:1", card=CARD) == 0
    send()

    assert received(corp) == [["wanglei"], ["zhaomin"]]


def test_two_messages_of_equal_text_to_one_member_are_two_calls(corp: Corp) -> None:
    notify(BOTH, key="10:00", card=CARD)
    notify(["wanglei"], key="14:00", card=CARD)
    send()

    assert received(corp) == [BOTH, ["wanglei"]]


def test_more_than_a_thousand_take_two_calls(corp: Corp) -> None:
    for number in range(999):
        corp.standin.act("create_user", userid=f"u{number}", callback=False)
    Staff.objects.bulk_create([Staff(userid=f"u{number}") for number in range(999)])

    assert notify([*BOTH, *(f"u{number}" for number in range(999))], key="all", card=CARD) == 1001
    send()

    assert [len(row) for row in received(corp)] == [1000, 1]
    assert Notice.objects.filter(state="sent").count() == 1001


def test_nobody_is_written_to_who_is_not_at_work(corp: Corp, zhaomin: Staff) -> None:
    Staff.objects.filter(pk=zhaomin.pk).update(status=Staff.Status.DISABLED)

    assert notify(["zhaomin", "nobody"], key="day:1", card=CARD) == 0
    assert not Work.objects.exists()


def test_who_left_meanwhile_is_not_written_to(corp: Corp, zhaomin: Staff) -> None:
    notify(BOTH, key="day:1", card=CARD)
    Staff.objects.filter(pk=zhaomin.pk).update(left_at=clock.now())
    send()

    assert received(corp) == [["wanglei"]]
    assert Notice.objects.get(staff=zhaomin).state == "failed"


def test_what_is_rolled_back_is_never_sent(corp: Corp) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        notify(BOTH, key="day:1", card=CARD)
        raise RuntimeError
    send()

    assert received(corp) == []


def test_whom_the_platform_does_not_reach_is_named_with_the_reason(corp: Corp) -> None:
    corp.act("update_user", userid="zhaomin", status=2)
    notify(BOTH, key="day:1", card=CARD)
    send()

    assert states() == {"wanglei": "sent", "zhaomin": "failed"}
    assert "可见范围" in Notice.objects.get(staff__userid="zhaomin").error


def test_nobody_reachable_is_no_reason_to_try_again(corp: Corp) -> None:
    corp.act("delete_user", userid="zhaomin")
    notify(["zhaomin"], key="day:1", card=CARD)
    send_all()

    assert Notice.objects.get().state == "failed"
    assert "81013" in Notice.objects.get().error
    assert corp.standin.calls.of("message/send") == 1


@pytest.mark.parametrize(
    ("fault", "arrived"),
    [
        ({"action": "drop_after"}, [BOTH]),
        ({"action": "garbage"}, [BOTH]),
        ({"action": "drop_before"}, []),
        ({"action": "status", "value": 503}, []),
    ],
)
def test_a_call_without_an_answer_is_unknown_and_never_repeated(
    corp: Corp, fault: dict[str, Any], arrived: list[list[str]]
) -> None:
    corp.standin.faults.add({"api": "message/send", "call": 1, **fault})
    notify(BOTH, key="day:1", card=CARD)
    send_all()
    notify(BOTH, key="day:1", card=CARD)
    replay(Notice.WORK_SOURCE, Notice.objects.values_list("pk", flat=True))
    send_all()

    assert received(corp) == arrived
    assert corp.standin.calls.of("message/send") == 1
    assert states() == {"wanglei": "unknown", "zhaomin": "unknown"}


@pytest.mark.parametrize("code", [-1, 45009, 301002])
def test_a_refusal_for_now_waits_and_is_sent_once(corp: Corp, code: int) -> None:
    corp.standin.faults.add({"api": "message/send", "call": 1, "action": "errcode", "value": code})
    notify(BOTH, key="day:1", card=CARD)
    send()

    assert states() == {"wanglei": "waiting", "zhaomin": "waiting"}
    assert Notice.objects.exclude(error="").count() == 2
    assert Work.objects.filter(state="waiting", not_before__gt=Now(), attempts=0).count() == 2


def test_a_busy_platform_gets_it_once_it_is_free(corp: Corp) -> None:
    corp.standin.faults.add({"api": "message/send", "call": 1, "action": "errcode", "value": -1})
    notify(BOTH, key="day:1", card=CARD)
    send_all()

    assert received(corp) == [BOTH]
    assert set(Notice.objects.values_list("state", "error")) == {("sent", "")}


def test_a_platform_that_cannot_be_connected_to_is_waited_for(corp: Corp, settings: Any) -> None:
    address, settings.WECOM_API_URL = settings.WECOM_API_URL, f"http://127.0.0.1:{processes.free_port()}/cgi-bin/"
    notify(BOTH, key="day:1", card=CARD)
    send()
    assert states() == {"wanglei": "waiting", "zhaomin": "waiting"}

    settings.WECOM_API_URL = address
    send_all()
    assert received(corp) == [BOTH]


def test_the_brake_holds_until_it_is_too_late(corp: Corp, settings: Any) -> None:
    settings.SENDING, settings.SENDING_ALLOWLIST = "allowlist", frozenset({"zhaomin"})
    notify(BOTH, key="day:1", card=CARD)
    send()
    assert (received(corp), states()) == ([["zhaomin"]], {"wanglei": "waiting", "zhaomin": "sent"})

    Notice.objects.update(send_before=clock.now() - dt.timedelta(seconds=1))
    settings.SENDING = "on"
    send_all()

    assert received(corp) == [["zhaomin"]]
    held = Notice.objects.get(staff__userid="wanglei")
    assert (held.state, held.error) == ("failed", outcome.held())


def test_a_brake_that_is_released_in_time_lets_it_go(corp: Corp, settings: Any) -> None:
    settings.SENDING = "off"
    notify(BOTH, key="day:1", card=CARD)
    send_all()
    assert received(corp) == []

    settings.SENDING = "on"
    send_all()
    assert received(corp) == [BOTH]


def test_a_brake_put_on_at_the_last_moment_leaves_it_waiting(corp: Corp, settings: Any) -> None:
    settings.SENDING = "off"

    result = outcome.call(BOTH, CARD)

    assert (result.state, result.retry_after) == ("waiting", 60.0)
    assert corp.standin.calls.of("message/send") == 0


def test_a_minute_never_brings_a_member_more_than_the_platform_shows(corp: Corp) -> None:
    for number in range(33):
        notify(["wanglei"], key=f"n{number}", card=TextCard(f"第 {number} 条", "x", CARD.url))
    notify(["zhaomin"], key="n0", card=TextCard("第 0 条", "x", CARD.url))
    send()

    rows = corp.standin.ledger.of("app_message")
    assert [row["dropped"] for row in rows if row["dropped"]] == []
    assert sum(row["received"].count("wanglei") for row in rows) == 25
    assert sum(row["received"].count("zhaomin") for row in rows) == 1
    assert Notice.objects.filter(state="waiting").count() == 8
    assert Work.objects.filter(state="waiting", not_before__gt=Now()).count() == 8


def test_messages_of_a_double_go_to_the_member_who_stays(corp: Corp, wanglei: Staff) -> None:
    notify(BOTH, key="day:1", card=CARD)
    notify(["zhaomin"], key="day:2", card=CARD)

    with transaction.atomic():
        rename_staff("wanglei", "zhaomin")

    assert list(Notice.objects.order_by("key").values_list("key", "staff")) == [
        ("day:1", wanglei.pk), ("day:2", wanglei.pk)
    ]  # fmt: skip


def test_a_key_has_a_length() -> None:
    for key in ("", "k" * 121):
        with pytest.raises(ValueError, match="key"):
            notify(["wanglei"], key=key, card=CARD)
