"""Callbacks as the platform sends them: XML inside an encrypted, signed envelope.

The cipher is wechatpy's, an implementation that is neither ours nor our stand-in's.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from xml.sax.saxutils import escape

from wechatpy.work.crypto import PrpCrypto

from tests.otherplatform.corp import Corp, Event

TRIES = 3

Query = dict[str, str]
Post = Callable[[Query, bytes], int]


@dataclass
class Channel:
    """Where and with which secrets an app gets its callbacks."""

    token: str
    aes_key: bytes
    corp_id: str
    agent_id: int

    def seal(self, xml: str, timestamp: int, nonce: str) -> tuple[Query, bytes]:
        """Query and body of the request that carries `xml`."""
        sealed = PrpCrypto(self.aes_key).encrypt(xml, self.corp_id).decode()
        query = {
            "msg_signature": signature(self.token, str(timestamp), nonce, sealed),
            "timestamp": str(timestamp),
            "nonce": nonce,
        }
        body = (
            f"<xml><ToUserName><![CDATA[{self.corp_id}]]></ToUserName>"
            f"<Encrypt><![CDATA[{sealed}]]></Encrypt>"
            f"<AgentID><![CDATA[{self.agent_id}]]></AgentID></xml>"
        )
        return query, body.encode()

    def echo(self, plain: str, timestamp: int, nonce: str) -> Query:
        """The query by which the platform checks an address; its answer must be `plain`."""
        sealed = PrpCrypto(self.aes_key).encrypt(plain, self.corp_id).decode()
        return {
            "msg_signature": signature(self.token, str(timestamp), nonce, sealed),
            "timestamp": str(timestamp),
            "nonce": nonce,
            "echostr": sealed,
        }


def signature(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def as_xml(corp: Corp, event: Event) -> str:
    """The plaintext of a callback. Elements that no document lists are always among them."""
    head = {"ToUserName": corp.corp_id, "FromUserName": "sys", "CreateTime": event.at}
    body = {"MsgType": "event", "Event": event.name, **event.fields}
    new = {"NewElement": "某个新字段", "NewList": ["a", "b"]}
    fields = {**head, **body, **new}
    inner = "".join(_element(corp, name, value) for name, value in fields.items())
    return f"<xml>{inner}</xml>"


def _element(corp: Corp, name: str, value: object) -> str:
    if isinstance(value, list):
        content = "".join(_element(corp, "Item", each) for each in value)
    elif isinstance(value, int):
        content = str(value)
    else:
        content = f"<![CDATA[{value}]]>" if corp.quirks.cdata else escape(str(value))
    return f"<{name}>{content}</{name}>"


def deliver(corp: Corp, channel: Channel, post: Post) -> list[Event]:
    """Sends what is queued, in order, each up to three times until answered 200.

    Returns the events that were lost: answered otherwise three times. Each try
    is sealed anew, with another random prefix, timestamp and nonce.
    """
    lost = []
    while corp.events:
        event = corp.events.pop(0)
        xml = as_xml(corp, event)
        for _ in range(TRIES):
            nonce = str(next(corp.numbers) + 1372623148)
            query, body = channel.seal(xml, corp.now(), nonce)
            if post(query, body) == 200:
                break
        else:
            lost.append(event)
    return lost
