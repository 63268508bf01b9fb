"""The numbers of each scenario, from stand-in.md §3–§5."""

from __future__ import annotations

from dataclasses import dataclass

from .draws import Fate
from .slots import BEAUTY_SLOTS, Slot


@dataclass(frozen=True, slots=True)
class Source:
    """A channel: part of the adds that come through it; without a state there is no code."""

    state: str
    name: str
    share: float
    add_way: int = 1


@dataclass(frozen=True, slots=True)
class WakeUp:
    """A round that asks idle customers; `answer` of those asked join. `day` of the window, counted from 0."""

    day: int
    answer: float


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of community."""

    name: str
    departments: tuple[str, ...]
    account: str  # name of a staff account, with {n}
    userid: str
    manager: str
    sources: tuple[Source, ...]
    chat_name: str
    notice: str
    tags: tuple[tuple[str, tuple[str, ...]], ...]
    leaves: Fate
    deletes: Fate
    weekdays: tuple[float, ...]  # adds, Monday first
    adds_at_scale: float  # a day at 320,000 customers
    recent_share: float  # part of a small corp's customers that came inside the window
    receiving: int
    old_days: int  # how far before the window the older customers were added
    old_in_chat: float  # part of the older customers who sat in a chat when the window began
    join_rate: float  # adds that join within 48 h
    join_sd: float  # spread of that rate between days
    strangers: float  # share of a chat's people who are nobody's friend
    room: int  # people in an older chat, mean
    event_day: int | None = None  # days before the end with six times the adds
    event_factor: float = 6.2
    wake_ups: tuple[WakeUp, ...] = ()
    second_chat: float = 0.04
    second_staff: float = 0.04
    girls: float = 0.78
    slots: tuple[Slot, ...] = ()  # of each day, in order


BEAUTY = Profile(
    name="beauty",
    departments=("社群运营部", "电商部", "客服部"),
    account="宠粉官{n:02d}",
    userid="chongfen{n:02d}",
    manager="运营小助手",
    sources=(
        Source("bt_menu", "公众号菜单", 0.34),
        Source("bt_article", "公众号推文", 0.27),
        Source("bt_parcel", "包裹卡", 0.24),
        Source("bt_store", "门店与DM", 0.09),
        Source("", "群内添加", 0.06, add_way=4),
    ),
    chat_name="宠粉福利群{n}",
    notice="欢迎来到宠粉福利群!每天9点、20点有好物,文明聊天,不发广告哦~",
    tags=(
        ("肤质", ("干皮", "油皮", "混合皮", "敏感肌")),
        ("会员等级", ("新客", "普通会员", "银卡", "金卡")),
        ("关注品类", ("护肤", "彩妆", "香水", "身体护理")),
    ),
    leaves=Fate.from_hazards(0.030, 0.014, 0.008, 0.005, 0.0022, 0.0009),
    deletes=Fate(((0, 0), (1, 0.018), (2, 0.026), (8, 0.042), (31, 0.060)), 0.0003),
    weekdays=(0.92, 0.95, 1.02, 1.02, 1.06, 1.04, 0.99),
    adds_at_scale=1050,
    recent_share=0.5,
    receiving=2,
    old_days=380,
    old_in_chat=0.41,
    join_rate=0.58,
    join_sd=0.05,
    strangers=0.22,
    room=150,
    event_day=9,
    slots=BEAUTY_SLOTS,
)

MOTHER_BABY = Profile(
    name="mother_baby",
    departments=("用户运营部", "电商部"),
    account="育儿顾问{n:02d}",
    userid="guwen{n:02d}",
    manager="妈妈社群助手",
    sources=(
        Source("mb_parcel", "包裹卡", 0.82),
        Source("mb_article", "公众号推文", 0.10),
        Source("mb_friend", "妈妈推荐", 0.08),
    ),
    chat_name="宝妈成长群{n}",
    notice="本群为0-8岁宝妈交流群,每周三、周五绘本团购,请先看群规哦。",
    tags=(
        ("宝宝年龄", ("孕期", "0-3岁", "3-8岁", "8岁以上")),
        ("兴趣", ("绘本", "辅食", "早教", "童装")),
    ),
    leaves=Fate.from_hazards(0.008, 0.004, 0.002, 0.0012, 0.0008, 0.0004),
    deletes=Fate(((0, 0), (1, 0.006), (2, 0.010), (8, 0.018), (31, 0.027)), 0.0003),
    weekdays=(1.0,) * 7,
    adds_at_scale=0,
    recent_share=0.5,
    receiving=1,
    old_days=30,
    old_in_chat=0.0,
    join_rate=0.057,
    join_sd=0.01,
    strangers=0.06,
    room=180,
    wake_ups=(WakeUp(3, 0.041), WakeUp(10, 0.086), WakeUp(17, 0.129)),
    girls=0.93,
)

PROFILES = {profile.name: profile for profile in (BEAUTY, MOTHER_BABY)}
