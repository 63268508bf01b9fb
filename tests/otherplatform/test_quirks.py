"""Single habits of the platform, each met by our product."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from campaigns.models import Welcome
from contacts import sync
from contacts.models import Customer, Follow, Staff, SyncRun, Tag
from groups.models import ChatGap, GroupChat, Stay
from scrm.base.models import Work
from scrm.wecom.models import Callback
from tests.corp import ask
from tests.otherplatform import vector
from tests.otherplatform.callbacks import Channel
from tests.otherplatform.conftest import Clock, World, our_follows, our_stays

Later = Callable[[], None]


@pytest.fixture
def now(passing: Clock) -> Clock:
    """The other platform's time is ours: for what depends on how young something is."""
    passing.at = float(int(time.time()))
    return passing


def test_published_vector_of_the_address_check(world: World, settings: Any) -> None:
    settings.WECOM_CORP_ID, settings.WECOM_CALLBACK_TOKEN = vector.CORP_ID, vector.TOKEN
    settings.WECOM_CALLBACK_AES_KEY = vector.AES_KEY
    given = {
        "msg_signature": vector.ECHO_SIGNATURE,
        "timestamp": vector.ECHO_TIMESTAMP,
        "nonce": vector.ECHO_NONCE,
        "echostr": vector.ECHO_SEALED,
    }
    answer = ask("GET", given)
    assert (answer.status_code, answer.content) == (200, vector.ECHO.encode())
    given["echostr"] = vector.ECHO_SEALED.replace("P9", "P8")
    assert ask("GET", given).status_code == 400


def test_published_vector_of_a_message(world: World, settings: Any) -> None:
    settings.WECOM_CORP_ID, settings.WECOM_CALLBACK_TOKEN = vector.CORP_ID, vector.TOKEN
    settings.WECOM_CALLBACK_AES_KEY = vector.AES_KEY
    query = {"msg_signature": vector.SIGNATURE, "timestamp": vector.TIMESTAMP, "nonce": vector.NONCE}
    assert world.post(query, vector.BODY.encode()) == 200
    assert f"<Content><![CDATA[{vector.CONTENT}]]></Content>" in Callback.objects.get().raw
    world.settle()
    assert not Customer.objects.exists()


def test_callback_of_another_corp_is_refused(world: World) -> None:
    stranger = Channel(world.channel.token, world.channel.aes_key, "wwsomebodyelse", 1000002)
    query, body = stranger.seal("<xml><Event>change_external_contact</Event></xml>", 1_780_000_000, "n")
    assert world.post(query, body) == 400
    assert not Callback.objects.exists()


def test_unknown_events_are_taken_and_do_nothing(world: World, later: Later) -> None:
    world.corp.customer("wmLin", "小林")
    world.corp._tell(
        "change_external_contact", True, ChangeType="range_changed", UserID="wanglei", ExternalUserID="wmLin"
    )
    world.corp._tell("weather_changed", True, ChangeType="rain", Degree=3)
    world.corp._tell("change_external_chat", True, ChatId="wrNone", ChangeType="frozen")
    later()
    assert Callback.objects.count() == 3
    assert (our_follows(), our_stays()) == ([], [])
    assert not Work.objects.exclude(state__in=["done", "ignored"]).exists()


def test_follow_user_outside_the_address_book_serves_customers(world: World, settings: Any) -> None:
    settings.FRESH_READ_SECONDS = 0  # as a night later
    world.corp.customer("wmLin", "小林")
    world.corp.befriend("hidden", "wmLin", told=False)
    world.sync()
    member = Staff.objects.get(userid="hidden")
    assert (member.serves_customers, member.left_at) == (True, None)
    assert world.sync().drift == {}
    world.assert_ledgers_are_true()


def test_unknown_numbers_are_kept_and_personal_tags_are_no_tags(world: World) -> None:
    corp = world.corp
    corp.customer("wmNew", "𠮷🌸", type=9, gender=7)
    corp.befriend("wanglei", "wmNew", told=False, add_way=999, tag_ids=["et1"], personal_tags=["同学"])
    corp.chat("wrA", "", "wanglei", told=False)
    corp.join("wrA", "wmNew", told=False, join_scene=42)
    world.sync()
    customer, follow = Customer.objects.get(), Follow.objects.get()
    assert (customer.name, customer.type, customer.gender) == ("𠮷🌸", 9, 7)
    assert (follow.add_way, follow.tag_ids) == (999, ["et1"])
    corp.edit("wanglei", "wmNew", personal_tags=["同学", "老乡"], tag_ids=["et2"])
    world.catch_up()  # the detail has tags of both kinds, the page had ids alone
    assert Follow.objects.get().tag_ids == ["et2"]
    assert Stay.objects.get(member_id="wmNew").join_scene == 42
    assert GroupChat.objects.get().name == ""
    assert sorted(Tag.objects.values_list("tag_id", flat=True)) == ["et1", "et2"]


def test_one_way_friend_is_listed_for_ever_and_ended_all_the_same(world: World, later: Later) -> None:
    corp = world.corp
    corp.customer("wmLin", "小林")
    corp.befriend("wanglei", "wmLin")
    later()
    corp.customer_deletes("wanglei", "wmLin")
    later()
    for _ in range(2):
        assert world.sync().drift == {}
    world.assert_ledgers_are_true()
    corp.befriend("wanglei", "wmLin", keeps_created=True, state="wb:1:4285486")  # the list keeps the first date
    later()
    world.sync()
    world.assert_ledgers_are_true()


def test_half_friend_becomes_a_whole_one_in_one_period_with_one_welcome(world: World, now: Clock) -> None:
    corp = world.corp
    corp.clock = time.time
    corp.customer("wmLin", "小林")
    code = corp.befriend("wanglei", "wmLin", half=True, state="ch_1")
    world.catch_up()
    assert Follow.objects.get().half
    corp.confirm_half("wanglei", "wmLin")
    world.catch_up()
    follow = Follow.objects.get()
    assert (follow.half, follow.state, follow.ended_at) == (False, "ch_1", None)
    assert corp.welcomes[code].sent is not None
    assert Welcome.objects.count() == 1
    world.assert_ledgers_are_true()


def test_late_reads_take_nothing_back(world: World, now: Clock, settings: Any) -> None:
    settings.CONTACT_READ_DELAYS = (0.0, 0.1)
    corp = world.corp
    corp.customer("wmLin", "小林")
    corp.customer("wmMei", "小梅")
    corp.befriend("wanglei", "wmMei", told=False)
    corp.chat("wrA", "福利群", "wanglei")
    world.sync()
    world.catch_up()
    corp.quirks.late_reads = 1
    for deed in (
        lambda: corp.befriend("wanglei", "wmLin"),
        lambda: corp.join("wrA", "wmLin"),
        lambda: corp.leave("wrA", "wmLin"),
        lambda: corp.staff_deletes("wanglei", "wmMei"),
    ):
        now.pass_(1)
        deed()
        world.catch_up()
        world.assert_ledgers_are_true()
    assert not ChatGap.objects.filter(healed_at=None).exists()


def test_version_gap_is_healed_by_the_next_read(world: World, later: Later, passing: Clock) -> None:
    corp = world.corp
    for each in ("wmLin", "wmMei", "wmHua"):
        corp.customer(each, each)
    corp.chat("wrA", "福利群", "wanglei")
    later()
    corp.join("wrA", "wmLin")
    later()
    passing.at = float(int(time.time()) + 1)  # a leave is dated between two reads, which are made in our time
    corp.join("wrA", "wmMei", told=False)
    corp.leave("wrA", "wmLin", told=False)
    corp.join("wrA", "wmHua")
    while time.time() < passing.at + 1:
        time.sleep(0.05)
    world.catch_up()
    assert our_stays(corp.truth.stays) == world.true_stays()
    assert Stay.objects.get(member_id="wmLin").left_known_by == "diff"
    assert ChatGap.objects.get().healed_by == "read"


def test_new_member_with_an_id_like_a_customers_is_no_customer(world: World, later: Later) -> None:
    """Shapes of ids are a hint; the reading's type decides."""
    corp = world.corp
    corp.chat("wrA", "福利群", "wanglei")
    later()
    corp.hire("woody", "胡迪", departments=[2])
    corp.join("wrA", "woody")
    later()
    world.assert_ledgers_are_true()
    assert not Customer.objects.filter(external_userid="woody").exists()


def test_member_gets_another_userid(world: World, later: Later) -> None:
    corp = world.corp
    corp.customer("wmLin", "小林")
    corp.befriend("wanglei", "wmLin")
    corp.chat("wrA", "福利群", "wanglei")
    later()
    world.sync()
    corp.rename_userid("wanglei", "wang.lei")
    later()
    assert world.sync().drift == {}
    world.assert_ledgers_are_true()
    assert not Staff.objects.filter(userid="wanglei").exists()


def test_last_customer_of_a_member_who_deleted_them_unseen(world: World, later: Later) -> None:
    """84061 on an empty list means that nobody is there, not that nothing can be known."""
    corp = world.corp
    corp.quirks.empty_batch_refused = True
    corp.customer("wmLin", "小林")
    corp.customer("wmMei", "小梅")
    corp.befriend("wanglei", "wmLin")
    corp.befriend("zhaomin", "wmMei")
    later()
    world.sync()
    corp.staff_deletes("wanglei", "wmLin", told=False)
    run = sync.start()
    sync.run_inline(run)
    run.refresh_from_db()
    assert run.state == SyncRun.State.HELD
    sync.accept_removals(run)
    sync.run_inline(run)
    follow = Follow.objects.get(customer__external_userid="wmLin")
    assert (follow.ended_by, follow.ended_known_by) == ("staff", "sync")
    assert Follow.objects.open().count() == 1


def test_token_revoked_by_the_platform_is_fetched_anew_once(world: World) -> None:
    world.sync()
    asked = len(world.platform.calls("gettoken"))
    world.platform.revoke_tokens()
    world.sync()
    assert len(world.platform.calls("gettoken")) == asked + 1


def test_welcome_arrives_once_and_refusals_are_final(world: World, now: Clock) -> None:
    corp = world.corp
    corp.clock = time.time
    corp.customer("wmLin", "小林🌸")
    corp.customer("wmMei", "小梅")
    world.sync()
    code = corp.befriend("wanglei", "wmLin")
    taken = corp.befriend("wanglei", "wmMei")
    corp.welcomes[taken].sent = {"text": {"content": "别的应用"}}  # another app was faster
    world.catch_up()
    sent = corp.welcomes[code].sent
    assert sent is not None
    assert sent["text"] == {"content": "您好，我是王磊。"}
    outcomes = dict(Welcome.objects.values_list("external_userid", "outcome"))
    assert outcomes == {"wmLin": "sent", "wmMei": "refused"}
    assert len(world.platform.calls("externalcontact/send_welcome_msg")) == 2
