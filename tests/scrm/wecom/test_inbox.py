"""The callback address: what is stored, what is refused, what is said to the sender."""

import hashlib
import itertools
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.db import connection

from contacts.models import Customer
from scrm.base.models import Work
from scrm.base.seats import Seats
from scrm.base.work import replay, run
from scrm.wecom.callback import door, inbox
from scrm.wecom.callback.envelope import BadEnvelope, Envelope
from scrm.wecom.callback.events import UnreadableEvent, parse
from scrm.wecom.models import Callback
from tests.corp import Corp, ask

ADD = (
    "<xml><ToUserName><![CDATA[ww1234567890abcdef]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>"
    "<CreateTime>{at}</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[change_external_contact]]></Event>"
    "<ChangeType><![CDATA[add_external_contact]]></ChangeType><UserID><![CDATA[wanglei]]></UserID>"
    "<ExternalUserID><![CDATA[{who}]]></ExternalUserID></xml>"
)


def add_event(who: str = "wmLin", at: int = 1_795_000_000) -> bytes:
    return ADD.format(who=who, at=at).encode()


def states() -> dict[int, str]:
    rows: Any = Callback.objects.with_state()
    return dict(rows.values_list("pk", "state"))


@pytest.mark.django_db
def test_callbacks_in_a_state_are_those_that_say_so() -> None:
    for first, second in itertools.product(Work.State.values, ["", *Work.State.values]):
        inbox.store(add_event(f"wm{first}{second}"))
        works = Work.objects.filter(source_kind="callback", source_id=Callback.objects.latest("pk").pk)
        works.update(state=first)
        if second:
            Work.objects.create(
                source_kind="callback", source_id=works.get().source_id, lane="x", entity="x", state=second
            )

    said = states()
    assert sorted(set(said.values())) == ["done", "failed", "ignored", "waiting"]
    for state in set(said.values()):
        assert set(Callback.objects.in_state(state).values_list("pk", flat=True)) == {
            pk for pk, told in said.items() if told == state
        }


def test_an_event_is_stored_with_its_work_and_acknowledged(corp: Corp) -> None:
    answer = corp.post_text(add_event())

    assert (answer.status_code, answer.content) == (200, b"success")
    row = Callback.objects.get()
    assert (row.event, row.change_type, row.entity) == (
        "change_external_contact", "add_external_contact", "contact:wmLin",
    )  # fmt: skip
    assert [(work.lane, work.entity, work.state) for work in Work.objects.all()] == [
        ("mirror:contact", "contact:wmLin", "waiting")
    ]
    assert bytes(row.digest) == hashlib.sha256(add_event()).digest()


def test_a_retry_with_another_nonce_is_counted_not_stored(corp: Corp) -> None:
    for _ in range(3):
        corp.post_text(add_event())

    assert Callback.objects.get().repeats == 2
    assert Work.objects.count() == 1


def test_a_repeat_soon_after_the_work_was_done_opens_the_mirrors_work_again(corp: Corp) -> None:
    corp.act("add", userid="wanglei", external_userid="wmLin")
    corp.deliver()
    run.run_due()
    assert set(Work.objects.values_list("lane", "state")) == {("mirror:contact", "done"), ("welcome", "done")}

    corp.post_request(corp.standin.last_callback())

    assert set(Work.objects.values_list("lane", "state")) == {("mirror:contact", "waiting"), ("welcome", "done")}


def test_ten_thousand_adds_of_one_second_are_ten_thousand(corp: Corp) -> None:
    for number in range(10_000):
        inbox.store(add_event(f"wm{number}"))

    assert Callback.objects.count() == 10_000
    assert Work.objects.filter(lane="mirror:contact").count() == 10_000


def test_the_official_key_would_have_kept_one() -> None:
    """The harness can fail: the officially advised key merges different customers of one second."""
    official = {
        (parse(add_event(f"wm{n}")).text("FromUserName"), parse(add_event(f"wm{n}")).happened_at) for n in range(9)
    }

    assert len(official) == 1


@pytest.mark.parametrize(
    "damage",
    [
        "signature",
        "corp",
        "truncated",
        "padding",
        "block_16",
        "not_base64",
        "no_encrypt",
        "empty",
        "broken_envelope",
        "half_block",
        "doctype",
        "other_addressee",
        "inner_addressee",
    ],
)
def test_what_is_not_ours_gets_400_and_nothing_is_stored(corp: Corp, damage: str) -> None:
    signed = corp.standin.callbacks.signed(add_event())
    body, query = signed.body, dict(signed.query)
    if damage == "signature":
        query["msg_signature"] = "0" * 40
    elif damage == "truncated":
        body = body[: len(body) // 2]
    elif damage == "no_encrypt":
        body = b"<xml><ToUserName>x</ToUserName></xml>"
    elif damage == "empty":
        body = b""
    elif damage == "doctype":
        body = b'<!DOCTYPE x [<!ENTITY l "lol">]>' + body
    elif damage == "other_addressee":
        body = body.replace(b"ww1234567890abcdef", b"wwOTHER")
    elif damage == "broken_envelope":
        body = b"<xml><Encrypt><![CDATA[" + b"A" * 20
    else:
        text = {
            "corp": encrypted(add_event(), receive_id=b"wwforeign"),
            "padding": encrypted(add_event(), pad=b"\x00"),
            "block_16": encrypted(add_event() + b" " * (-(38 + len(add_event())) % 32), block=16),
            "inner_addressee": encrypted(add_event().replace(b"ww1234567890abcdef", b"wwFOREIGN")),
            "not_base64": "!!!!",
            "half_block": "QUJD",
        }[damage]
        body, query = signed_body(text)

    answer = corp.post(body, query)

    assert answer.status_code == 400
    assert answer.content == b"bad request"
    assert Callback.objects.count() == 0


@pytest.mark.parametrize("blanks", [120, 60_000])
def test_blanks_without_end_cost_nobody_a_second(corp: Corp, blanks: int) -> None:
    """Searched before any signature: 120 were once enough to stop the whole process for seconds."""
    begun = time.process_time()
    for body in (
        b"<Encrypt>AAAA</Encrypt><ToUserName>" + b" " * blanks,
        b"<Encrypt>" + b" " * blanks,
        b"<Encrypt>A" + b" " * blanks,
    ):
        assert corp.post(body, {}).status_code == 400

    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"this is no xml", "not readable as XML"),
        (b"<xml><Event>x</Event>", "not readable as XML"),
        (b"<other/>", "no <xml> element"),
        (b"<xml></xml>", "no <xml> element"),
        (b"<xml><a>1</a></xml>", "neither Event nor MsgType"),
        (
            b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><xml><Event>&b;</Event></xml>',
            "not readable as XML",
        ),
        (b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Event>&a;</Event></xml>', "not readable as XML"),
        (b"\xff\xfe\x00<xml>", "not readable as XML"),
        (b"<xml><Event>\xff\xfe</Event></xml>", "not readable as XML"),
        (b"<xml><Event>x</Event><A>\x00</A></xml>", "not readable as XML"),
    ],
)
def test_what_is_ours_but_unreadable_is_kept_as_failed(corp: Corp, text: bytes, reason: str) -> None:
    answer = corp.post_text(text)

    assert (answer.status_code, answer.content) == (200, b"success")
    row: Any = Callback.objects.with_state().get()
    assert row.state == "failed"
    assert reason in row.error
    assert "root:" not in row.raw


def test_kinds_that_we_do_not_know_are_stored_and_ignored(corp: Corp) -> None:
    corp.post_text(b"<xml><CreateTime>1795000000</CreateTime><MsgType>event</MsgType><Event>brand_new</Event></xml>")

    assert list(states().values()) == ["ignored"]


def test_fields_that_we_do_not_know_do_no_harm(corp: Corp) -> None:
    odd = add_event().replace(b"</xml>", b"<New><Deep><Item>1</Item></Deep></New><State/></xml>")
    corp.post_text(odd)
    run.run_due()

    assert Customer.objects.get().external_userid == "wmLin"


def test_more_than_64_kib_get_413(corp: Corp) -> None:
    signed = corp.standin.callbacks.signed(add_event())

    answer = corp.post(b"x" * (64 * 1024 + 1), dict(signed.query))

    assert answer.status_code == 413
    assert Callback.objects.count() == 0


def test_an_add_without_a_readable_time_happened_when_it_came_in(corp: Corp) -> None:
    corp.act("create_person", external_userid="wmLin", name="小林")
    corp.post_text(add_event(at=1).replace(b"<CreateTime>1<", b"<CreateTime>abc<"))
    run.run_due()

    assert Customer.objects.get().first_added_at is not None


def test_the_address_check_echoes_the_plain_text(corp: Corp) -> None:
    text = encrypted(b"1234567890")
    signed = signed_query(text)

    answer = ask("GET", {**signed, "echostr": text})

    assert (answer.status_code, answer.content) == (200, b"1234567890")
    assert answer.headers.items() == [
        ("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff"), ("Content-Length", "10"),
    ]  # fmt: skip
    assert ask("GET", {}).status_code == 400
    assert ask("GET", {str(number): "x" for number in range(21)}).status_code == 400


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_get_405(method: str) -> None:
    answer = ask(method, {})

    assert (answer.status_code, answer.headers["Allow"], answer.content) == (405, "GET, POST", b"")


def test_a_body_in_chunks_is_read_to_its_limit(corp: Corp) -> None:
    """Its chunks are put together by the seats, before anybody looks at the address."""
    signed = corp.standin.callbacks.signed(add_event())
    site = Seats(door.callback)
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}

    with ThreadPoolExecutor(1) as server:  # whose thread gets a connection for as long as it answers
        said = [
            server.submit(ask, "POST", dict(signed.query), body, site, **chunked).result().status_code
            for body in (b"x" * (64 * 1024 + 1), signed.body)
        ]
    while not site.free.empty():
        site.free.get().close()

    assert said == [413, 200]
    assert Callback.objects.count() == 1


def test_everything_else_goes_on_to_django() -> None:
    def django(environ: dict[str, Any], _: Any) -> list[bytes]:
        return [environ["PATH_INFO"].encode()]

    site = door.before(django)

    for path in ("/", "/wecom/callback", "/wecom/callback/x", "/admin/wecom/callback/"):
        assert site({"PATH_INFO": path}, lambda *_: lambda _: None) == [path.encode()]


def test_missing_settings_are_our_fault_so_the_platform_tries_again(corp: Corp, settings: Any) -> None:
    settings.WECOM_CALLBACK_AES_KEY = ""

    assert corp.post_text(add_event()).status_code == 503


def test_no_stack_trace_reaches_the_sender_when_the_database_is_away(corp: Corp) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE wecom_callback RENAME TO wecom_callback_away")
    try:
        answer = corp.post_text(add_event())
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE wecom_callback_away RENAME TO wecom_callback")

    assert (answer.status_code, answer.content) == (503, b"try again")
    assert corp.post_text(add_event()).status_code == 200
    assert Callback.objects.count() == 1


def test_a_replay_handles_a_callback_again(corp: Corp) -> None:
    corp.act("add", userid="wanglei", external_userid="wmLin")
    corp.deliver()
    run.run_due()
    Customer.objects.all().delete()

    assert replay(Callback.WORK_SOURCE, [Callback.objects.get().pk]) == 2
    run.run_due()

    assert Customer.objects.get().external_userid == "wmLin"
    assert len(corp.welcomes()) == 1


def test_the_same_event_from_many_senders_at_once_is_one(corp: Corp) -> None:
    signed = [corp.standin.callbacks.signed(add_event()) for _ in range(8)]

    def post(index: int) -> None:
        corp.post(signed[index].body, dict(signed[index].query))
        connection.close()

    threads = [threading.Thread(target=post, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Callback.objects.get().repeats == 7
    assert Work.objects.count() == 1


def test_the_platforms_published_example_is_read() -> None:
    """wecom-api.md §2.4: the key of the published vector opens what wechatpy, the oracle, has sealed with it."""
    from wechatpy.crypto import WeChatCrypto

    token, key, corp_id = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7"
    oracle = WeChatCrypto(token, key, corp_id)
    sealed = oracle.encrypt_message("<xml>你好</xml>", "1372623149", "1409659813")
    fields = parse_envelope(sealed)
    ours = Envelope.of(token, key, corp_id)

    message = ours.open(
        fields["Encrypt"], signature=fields["MsgSignature"], timestamp=fields["TimeStamp"], nonce=fields["Nonce"]
    )

    assert message.decode() == "<xml>你好</xml>"
    with pytest.raises(BadEnvelope):
        Envelope.of(token, key, "wxother").open(
            fields["Encrypt"], signature=fields["MsgSignature"], timestamp=fields["TimeStamp"], nonce=fields["Nonce"]
        )


def test_one_changed_member_is_a_list_too() -> None:
    one = parse("<xml><Event>e</Event><MemChangeList><Item>wm1</Item></MemChangeList></xml>")
    none = parse("<xml><Event>e</Event><MemChangeList/></xml>")

    assert (one.changed_members, none.changed_members) == (("wm1",), ())


def test_fields_are_read_as_they_stand() -> None:
    event = parse(
        "<?xml version='1.0' encoding='UTF-8'?><!-- <!DOCTYPE --><xml> <Event a='1'> e </Event><State/><UserID></UserID>"
        "<Name><![CDATA[<!DOCTYPE x> & 😀]]></Name><One><Two>2</Two></One></xml>"
    )

    assert event.fields == {
        "Event": "e", "State": None, "UserID": None, "Name": "<!DOCTYPE x> & 😀", "One": {"Two": "2"},
    }  # fmt: skip


def test_an_event_needs_xml() -> None:
    with pytest.raises(UnreadableEvent):
        parse("<xml><Event>")


# -- a sender of our own, for envelopes that no honest platform makes --------------------------------------------------

KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
TOKEN = "TokenForTests"


def encrypted(
    message: bytes, *, receive_id: bytes = b"ww1234567890abcdef", pad: bytes | None = None, block: int = 32
) -> str:
    import base64

    key = base64.b64decode(KEY + "=")
    plain = b"r" * 16 + struct.pack(">I", len(message)) + message + receive_id
    missing = block - len(plain) % block
    plain += (pad or bytes([missing])) * missing
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


def signed_query(text: str) -> dict[str, str]:
    signature = hashlib.sha1("".join(sorted([TOKEN, "1795000000", "nonce", text])).encode()).hexdigest()
    return {"msg_signature": signature, "timestamp": "1795000000", "nonce": "nonce"}


def signed_body(text: str) -> tuple[bytes, dict[str, str]]:
    return f"<xml><Encrypt><![CDATA[{text}]]></Encrypt></xml>".encode(), signed_query(text)


def parse_envelope(xml: str) -> dict[str, str]:
    import xmltodict

    fields: dict[str, str] = xmltodict.parse(xml)["xml"]
    return fields
