"""Invented WeChat nicknames. Strings are shared, so that many people cost little memory."""

from __future__ import annotations

import sys
from random import Random

_FAMILY = "李王张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = "晓丽娜静婷雪梅芳燕玲萍红霞敏莉佳欣怡悦涵琪瑶洁颖璐薇倩文慧雅宁岚蕾楠伟强磊杰浩鑫宇轩"
_PLAY = (
    "小鱼干", "月亮不睡", "奶茶三分糖", "向日葵", "柠檬气泡", "今天也要开心", "草莓酱", "星河", "阿橙",
    "一颗糖", "云朵", "晚风", "豆豆妈", "糯米团子", "小太阳", "桃子汽水", "海边的猫", "薄荷", "南风知意",
    "樱桃小丸子", "梨涡浅笑", "芝麻开门", "安静的美", "米粒", "小确幸", "果果妈咪", "青柠", "Luna", "Coco",
    "Anna", "Vivian", "Mia", "简单生活", "浅夏", "拾光", "茉莉", "半糖主义", "知足常乐", "小满", "木棉",
)  # fmt: skip
_TAILS = ("", "", "", "", "🌸", "✨", "~", "酱", "i", "_77", "🍑", "520")


def nickname(rng: Random) -> str:
    """A WeChat nickname: a name, a play name, or one with an ornament."""
    if rng.random() < 0.4:
        name = rng.choice(_FAMILY) + rng.choice(_GIVEN) + (rng.choice(_GIVEN) if rng.random() < 0.6 else "")
    else:
        name = rng.choice(_PLAY) + rng.choice(_TAILS)
    return sys.intern(name)


def unionid_of(external_userid: str, contact_type: int) -> str:
    """The unionid of a WeChat user, 28 characters; WeCom users have none (wecom-api.md §5.2)."""
    return "oU" + external_userid[-26:] if contact_type == 1 else ""
