"""A company's life at the other platform, told by callbacks and read by syncs: both ledgers end as it was."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.otherplatform.conftest import World

Later = Callable[[], None]

BEHAVIOUR: dict[str, dict[str, Any]] = {
    "its best": {},
    "absent fields, numbers as strings, surrogates, any order, 84061": {
        "sparse": True,
        "stringly": True,
        "escaped": True,
        "backwards": True,
        "stranger_code": 84061,
        "empty_batch_refused": True,
    },
    "two kinds of times, an empty last page, busy calls, an UpdateDetail that lies, no CDATA": {
        "mixed_times": True,
        "short_pages": 2,
        "trailing_page": True,
        "busy_every": 20,
        "detail_told": "change_notice",
        "cdata": False,
    },
    "neither MemChangeList nor versions nor welcome codes": {
        "member_ids_told": False,
        "versions_told": False,
        "codes_given": False,
    },
}


def before_us(world: World, later: Later) -> None:
    """What there was before our product was connected: no callback ever told of it."""
    corp = world.corp
    corp.customer("wmLin", "小林")
    corp.customer("wmMei", "𠮷田🌸梅")
    corp.customer("wmCorp", "王五", type=2)
    corp.customer("wmNew", "未知", type=9, gender=7)
    corp.customer("wmLei", "王磊", unionid="oLei")  # 王磊's own WeChat account: member and customer
    corp.customer("wmStranger", "路人")
    corp.befriend("wanglei", "wmLin", told=False, add_way=999, personal_tags=["同学"], tag_ids=["et1"])
    corp.befriend("zhaomin", "wmMei", told=False, remark="梅🌸", state="wb:1:4285486")
    corp.befriend("zhaomin", "wmCorp", told=False)
    corp.befriend("hidden", "wmNew", told=False)
    corp.befriend("zhaomin", "wmLei", told=False)
    later()
    corp.chat("wrA", "", "wanglei", told=False)
    corp.join("wrA", "wmLin", told=False, join_scene=42)
    later()
    corp.join("wrA", "wmLei", "wmStranger", told=False, join_scene=1, invitor="wanglei")
    later()


def with_us(world: World, later: Later) -> None:
    """What happens afterwards, each told by a callback."""
    corp = world.corp
    corp.befriend("wanglei", "wmMei", state="ch_1", add_way=1)
    later()
    corp.customer_deletes("zhaomin", "wmMei")  # stays in list and detail for ever
    later()
    corp.staff_deletes("wanglei", "wmLin")
    later()
    corp.befriend("wanglei", "wmLin", add_way=16, state="ad")
    later()
    corp.customer("wmHalf", "半个")
    corp.befriend("wanglei", "wmHalf", half=True, state="ch_1")
    later()
    corp.confirm_half("wanglei", "wmHalf")
    later()
    corp.edit("zhaomin", "wmCorp", remark="王总", tag_ids=["et2"], personal_tags=["老乡"])
    corp.hand_over("wmLei", "zhaomin", "wanglei")
    corp.refuse_hand_over("wmCorp", "wanglei")
    later()
    corp.join("wrA", "wmMei")
    later()
    corp.join("wrA", "wmCorp", "zhaomin", join_scene=2)
    later()
    corp.leave("wrA", "wmLin")
    later()
    corp.leave("wrA", "wmStranger", "wmCorp", removed=True)
    later()
    corp.join("wrA", "wmLin", join_scene=3)
    later()
    corp.alter("wrA", name="福利🎁群", notice="欢迎", owner="zhaomin")
    corp.chat("wrB", "", "zhaomin")
    later()
    corp.dismiss("wrB")
    later()


@pytest.mark.parametrize("behaviour", BEHAVIOUR)
def test_ledgers_are_true_when_the_platform_shows(world: World, later: Later, behaviour: str) -> None:
    before_us(world, later)
    for name, value in BEHAVIOUR[behaviour].items():
        setattr(world.corp.quirks, name, value)
    first = world.sync()
    assert (first.first, world.platform.calls("externalcontact/send_welcome_msg")) == (True, [])
    world.assert_ledgers_are_true()
    assert world.sync().drift == {}

    with_us(world, later)
    world.assert_ledgers_are_true()
    assert world.sync().drift == {}
    world.assert_ledgers_are_true()
