"""A customer's life, newest first."""

import datetime as dt

import pytest

from contacts.models import Follow
from groups.models import Stay
from tests.api.conftest import Api, World, iso, stay

pytestmark = pytest.mark.django_db


def test_tells_what_happened_newest_first(api: Api, world: World) -> None:
    later = world.at + dt.timedelta(minutes=5)
    Stay.objects.filter(customer=world.xiaolin).update(
        joined_at=world.at + dt.timedelta(minutes=2), left_at=later, left_known_by="event", quit_scene=0
    )
    Follow.objects.filter(customer=world.xiaolin).update(
        ended_at=later + dt.timedelta(minutes=1), ended_by="customer", ended_known_by="event"
    )

    rows = api.get("customers/wmXiaolin/timeline/")["results"]

    assert [row["kind"] for row in rows] == ["ended", "left", "joined", "welcome", "added"]
    assert rows[4] == {
        "occurred_at": iso(world.at),
        "kind": "added",
        "userid": "wanglei",
        "chat_id": None,
        "channel": {"state": "parcel", "name": "包裹卡"},
        "cause": None,
        "detail": {"add_way": 1, "state": "parcel", "half": False, "by_transfer": False, "known_by": "event"},
    }
    assert rows[0]["detail"] == {"ended_by": "customer", "known_by": "event"}
    assert rows[1]["chat_id"] == "wrFuli"
    assert rows[3]["detail"]["outcome"] == "sent"
    assert rows[3]["occurred_at"] == iso(world.at + dt.timedelta(milliseconds=700))


def test_never_shows_a_welcome_code(api: Api, world: World) -> None:
    assert "CODE-XIAOLIN" not in str(api.get("customers/wmXiaolin/timeline/"))
    assert "CODE-XIAOLIN" not in str(api.get("welcomes/"))


def test_its_pages_hold_every_entry_once_both_ways(api: Api, world: World) -> None:
    for second in range(7):  # pairs of the same moment
        stay(world.other_chat, world.at + dt.timedelta(seconds=second // 2 * 2, microseconds=second % 2),
             customer=world.xiaolin, left_at=world.at + dt.timedelta(hours=1), left_known_by="event")  # fmt: skip
    whole = api.get("customers/wmXiaolin/timeline/")["results"]
    assert len(whole) == 17

    pages, address = [], "customers/wmXiaolin/timeline/?page_size=3"
    while address:
        pages.append(api.get(address))
        address = pages[-1]["next"]
    back, address = [pages[-1]], pages[-1]["previous"]
    while address:
        back.append(api.get(address))
        address = back[-1]["previous"]

    assert [row for page in pages for row in page["results"]] == whole
    assert [page["results"] for page in back[::-1]] == [page["results"] for page in pages]
