"""The rhythm of a day of broadcasts: what is said when, and which owner's people it goes to (stand-in.md §4).

Each group hears the corp once a day, each customer every second day. Owners share the slots: where there are few, an
owner's people are cut into parts that take turns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

DELIVERIES = 1_500_000  # to customers in 30 days at most: a larger corp writes to each of them less often
PRODUCTS = (
    "玫瑰精华水", "氨基酸洁面", "积雪草面膜", "烟酰胺身体乳", "小样礼盒",
    "防晒喷雾", "唇釉三件套", "胶原眼霜", "卸妆油", "护手霜套装",
)  # fmt: skip


class Slot(NamedTuple):
    """A time of the day at which something is said. Tasks are created `lead` minutes before it, staff have until
    `minutes` after it to confirm.
    """

    hour: int
    title: str
    text: str  # may name {product}
    lead: int = 15
    minutes: int = 180

    def times(self, day: int) -> tuple[int, int]:
        """(creation, deadline) on the day that begins at `day`."""
        moment = day + self.hour * 3600
        return moment - self.lead * 60, moment + self.minutes * 60


class Share(NamedTuple):
    """A part of one owner's people that a slot is for; `slot` is its place in the day."""

    slot: int
    owner: str
    part: int


BEAUTY_SLOTS = (
    Slot(9, "早安好物", "早上好~今天先看{product}，前100名下单送小样。"),
    Slot(10, "上新提醒", "{product}新到一批，群里和小程序同价。"),
    Slot(13, "午间种草", "午休五分钟：{product}怎么用效果最好？点开看真人实测。"),
    Slot(14, "限量试用", "{product}试用装放出200份，填地址就寄，先到先得。"),
    Slot(16, "下午茶福利", "下午茶时间，{product}第二件半价，今晚截止。"),
    Slot(17, "护肤小课", "换季护肤小课：{product}和哪些产品别一起用？"),
    Slot(20, "晚间秒杀", "秒杀开始：{product}限时30分钟，抢完恢复原价。", minutes=30),
    Slot(22, "晚安清单", "晚安前看一眼：{product}明早恢复原价，想要的今晚下单。", lead=60),  # at ten staff go off
)
EVENING = 6  # place of the slot that gets the first share: it is never empty


def parts_of(owners: int, slots: int) -> int:
    """Into how many parts each owner's people are cut, so that no slot stays empty."""
    return max(1, math.ceil(slots / owners)) if owners else 1


def every(customers: int) -> int:
    """A customer is written to each so many days."""
    return max(2, math.ceil(customers * 30 / DELIVERIES))


def shares(owners: Sequence[str], slots: int, *, shift: int = 0) -> list[Share]:
    """Who speaks when. `shift` moves the slots, so that groups and customers hear different owners."""
    parts = parts_of(len(owners), slots)
    units = [(owner, part) for part in range(parts) for owner in owners]
    return [Share((place + EVENING - shift) % slots, owner, part) for place, (owner, part) in enumerate(units)]


def band_of_day(part: int, day: int, pause: int) -> int:
    """Which of an owner's bands of customers a part means on a day (counted from any day); `pause` as `every`."""
    return part * pause + day % pause


def name_of(slot: Slot, month: int, day: int, *, chats: bool, more: str = "") -> str:
    """The title of a broadcast, one for each slot, day and kind of recipient (and `more`)."""
    return f"{month:02d}-{day:02d} {slot.hour:02d}:00 {slot.title} {'客户群' if chats else '好友'}{more}"


def text_of(slot: Slot, day: int, *, chats: bool) -> str:
    """What is said in a slot of a day (counted from any day)."""
    product = PRODUCTS[(day * 3 + slot.hour) % len(PRODUCTS)]
    return ("姐妹们，" if chats else "亲爱的，") + slot.text.format(product=product)


def link_of(slot: Slot, day: int) -> tuple[str, str]:
    """Title and address of the card below the text."""
    return (
        f"{PRODUCTS[(day * 3 + slot.hour) % len(PRODUCTS)]} · {slot.title}",
        f"https://shop.example.com/d{day}h{slot.hour}",
    )
